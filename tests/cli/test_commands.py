# SPDX-License-Identifier: MIT
"""`brainmasks list`, `get`, `check`, `cite` and `grids`, and how each way to end it ends."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from command_line import AFFINE, BRAIN
from support import REPO, sha256

from brainmasks import BRAIN_MASK_REGISTRY
from brainmasks.registry import shipped_settings


@pytest.fixture
def own(cli, tmp_path):
    """Register a small mask in the table my.tsv."""
    cli.save("brain.nii.gz")
    cli.run("register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv")
    return cli


def test_list_has_a_line_for_each_mask_and_says_what_is_not_known(cli):
    done = cli.run("list")
    heading, *lines = done.stdout.splitlines()
    assert heading.split() == ["NAME", "SHAPE", "MM", "VOXELS", "ML", "SOURCE", "CACHED", "LICENCE"]
    assert [line.split()[0] for line in lines] == list(BRAIN_MASK_REGISTRY)
    of = {line.split()[0]: line.split() for line in lines}
    assert of["MNI152NLin6Asym_2mm"][1:7] == [
        "91x109x91", "2", "228483", "1827.9", "templateflow", "no",
    ]  # fmt: skip
    assert of["NKI_1mm"][3:5] == ["-", "-"]
    assert "'-' is not registered: of 43 masks only the MD5" in done.stderr
    plain = {mask["name"]: mask for mask in json.loads(cli.run("list", "--json").stdout)}
    assert plain["NKI_1mm"]["voxels"] is None
    assert plain["NKI_1mm"]["sha256"] is None
    assert plain["MNI152NLin6Asym_2mm"]["volume_ml"] == 1827.864


def test_list_is_filtered_and_a_value_that_nothing_has_is_named(cli):
    def names(*options: str) -> list[str]:
        return [mask["name"] for mask in json.loads(cli.run("list", "--json", *options).stdout)]

    assert names("--space", "MNI152NLin6Asym", "--resolution", "2.0mm", "--desc", "brain") == [
        "MNI152NLin6Asym_2mm"
    ]
    assert names("--space", "MNI152NLin2009aAsym") == names("--space", "MNI152NLin2009cAsym")
    assert names("--resolution", "0.9375x0.9375x1") == ["PNC_0.9375x0.9375x1mm"]
    done = cli.run("list", "--space", "mni152nlin6asym", status=1)
    assert "no mask of space 'mni152nlin6asym'; did you mean MNI152NLin6Asym?" in done.stderr
    done = cli.run("list", "--space", "NKI", "--resolution", "2", status=1)
    assert done.stderr == (
        "error: no mask of resolution '2' among the masks that were asked for. Known: 1\n"
    )


def test_list_knows_what_is_cached_where(own):
    listed = ("list", "--registry", "my.tsv", "--space", "MyLab", "--json", "--cache-dir")
    assert json.loads(own.run(*listed, "here").stdout)[0]["cached"] is False
    got = own.run("get", "MyLab_2mm", "--registry", "my.tsv", "--cache-dir", "here")
    assert got.stdout.startswith("here/MyLab_2mm_desc-brain_mask_sha256-")
    assert json.loads(own.run(*listed, "here").stdout)[0]["cached"] is True


def test_get_prints_a_path_and_nothing_else(own):
    done = own.run("get", "MyLab_2mm", "--registry", "my.tsv")
    assert done.stderr == ""
    path = done.stdout.removesuffix("\n")
    assert sha256(path) == sha256(own.folder / "brain.nii.gz")
    done = own.run("--registry", "my.tsv", "--json", "get", "MyLab_2mm")
    assert json.loads(done.stdout) == {"name": "MyLab_2mm", "path": path}


def test_get_of_an_unknown_mask_or_one_that_is_nowhere_ends_with_one_message(cli):
    done = cli.run("get", "MNI152NLin6Asym_2m", status=1)
    assert "did you mean MNI152NLin6Asym_2mm" in done.stderr
    done = cli.run("get", "MNI152NLin2009aAsym_2mm", "--offline", status=1)
    note, error, *reasons = done.stderr.splitlines()
    assert note == "note: MNI152NLin2009aAsym_2mm is served as MNI152NLin2009cAsym_2mm"
    assert error == "error: mask MNI152NLin2009cAsym_2mm is not available from any source:"
    assert "To fix, one of these:" in reasons
    assert all(line.startswith((f"({n}) ", "To fix", "- ")) for n, line in enumerate(reasons, 1))
    assert done.stdout == ""


def test_check_accepts_and_refuses_as_a_run_does(own):
    lesion = np.zeros_like(BRAIN)
    lesion[3:5, 4:6, 3:5] = 1
    own.save("good.nii.gz", lesion)
    own.save("empty.nii.gz", lesion * 0)
    flipped = AFFINE.copy()
    flipped[0] = [-2, 0, 0, 11]
    own.save("las.nii.gz", lesion[::-1], flipped)
    check = ("check", "--registry", "my.tsv", "--mask", "MyLab_2mm")
    done = own.run(*check, "good.nii.gz")
    assert done.stdout.splitlines()[0] == "good.nii.gz: accepted: identical"
    done = own.run(*check, "good.nii.gz", "empty.nii.gz", "las.nii.gz", "none.nii.gz", status=1)
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    refuse = " ".join(f"--refuse {code}" for code in shipped_settings({})["refuse"][1:])
    assert lines[4:] == [
        "To fix:",
        "- use aligned/{id}.nii.gz of the workflow, on the grid of the mask, for las.nii.gz",
        "- if your analysis goes by the affines of the images, repeat with --accept identical "
        "--accept within_tolerance --accept reoriented",
        f"- if that is as it should be, repeat with {refuse}",
    ]
    assert lines[:4] == [
        "good.nii.gz: accepted: identical",
        "empty.nii.gz: refused: identical, empty",
        "las.nii.gz: refused: reoriented",
        "none.nii.gz: refused: not_an_image",
    ]
    assert "  reoriented: It lies on the grid of MyLab_2mm, but is stored LAS" in done.stdout
    done = own.run(*check, "las.nii.gz", "--accept", "reoriented", "--json")
    (found,) = json.loads(done.stdout)
    assert (found["accepted"], found["verdict"]) == (True, "reoriented")
    own.run(*check, "empty.nii.gz", "--refuse", "not_finite")
    done = own.run("check", "las.nii.gz", "--mask", "brain.nii.gz", status=1)
    assert "--accept reoriented" in done.stdout
    # The workflow knows the file of no mask.
    assert "aligned" not in done.stdout
    done = own.run(*check, "empty.nii.gz", "--refuse", "empty", status=1)
    assert done.stdout.endswith("repeat with another --refuse\n")
    done = own.run(*check, "none.nii.gz", status=1)
    assert "To fix" not in done.stdout
    done = own.run("check", "good.nii.gz", "--mask", "brain.nii.gz")
    assert "good.nii.gz: accepted: identical" in done.stdout


def test_check_says_what_is_wrong_with_the_command(own):
    for options, status, message in (
        (["good.nii.gz"], 2, "Missing option '--mask'"),
        (["--mask", "MyLab_2mm"], 2, "Missing argument 'IMAGE...'"),
        (["brain.nii.gz", "--mask", "MyLab_2m"], 1, "no mask is registered for 'MyLab_2m'"),
        (["brain.nii.gz", "--mask", "my.tsv"], 1, "the mask file my.tsv is unusable"),
        (["brain.nii.gz", "--mask", "brain.nii.gz", "--accept", "fine"], 2, "--accept has 'fine'"),
    ):
        assert message in own.run("check", *options, status=status).stderr


def entries(text: str) -> dict[str, dict[str, str]]:
    """Return the fields of each BibTeX entry by key; every brace must have its partner."""
    found = {}
    for entry in re.findall(r"^@\w+\{.*?^\}$", text, flags=re.MULTILINE | re.DOTALL):
        bare = re.sub(r"\\[{}]", "", entry)
        assert bare.count("{") == bare.count("}")
        key = re.match(r"@\w+\{([A-Za-z0-9]+),", entry)[1]
        assert key not in found
        found[key] = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, flags=re.MULTILINE))
    return found


def test_cite_names_publications_once_and_in_bibtex(cli):
    done = cli.run("cite", "MNI152NLin6Asym_1mm", "MNI152NLin6Asym_2mm")
    assert "MNI152NLin6Asym_2mm\n  cite     [1] [2]\n  licence  unknown" in done.stdout
    assert "[1] Evans, A. C., Janke, A. L., Collins, D. L., Baillet, S. (2012)." in done.stdout
    found = entries(done.stdout)
    assert found["Evans2012Brain"]["doi"] == "10.1016/j.neuroimage.2012.01.024"
    assert found["Evans2012Brain"]["pages"] == "911--922"
    assert len(found) == 2
    everything = cli.run("cite", "--bibtex", *BRAIN_MASK_REGISTRY).stdout
    assert everything.startswith("@")
    assert len(entries(everything)) == everything.count("\n@") + 1
    plain = json.loads(cli.run("cite", "--json", "MNI152NLin6Asym_2mm").stdout)
    assert plain["masks"][0]["references"] == [each["key"] for each in plain["references"]]


def test_notice_that_a_licence_wants_kept_is_printed(cli):
    mask = next(mask for mask in BRAIN_MASK_REGISTRY.list() if mask.notice)
    assert f"  notice   {mask.notice}\n" in cli.run("cite", mask.name).stdout


def test_free_text_of_own_masks_is_cited_as_it_is_and_escaped_for_tex(cli):
    cli.save("brain.nii.gz")
    text = r"M. Müller & Sons, 100 % {own}_mask, C:\lab; https://lab.example/a_b%20c"
    register = ("register", "brain.nii.gz", "--table", "my.tsv", "--citation", text)
    cli.run(*register, "--space", "MyLab")
    done = cli.run("cite", "MyLab_2mm", "--registry", "my.tsv")
    assert r"[1] M. Müller & Sons, 100 % {own}_mask, C:\lab" in done.stdout
    assert r"note = {M. Müller \& Sons, 100 \% \{own\}\_mask, C:\textbackslash{}lab}" in done.stdout
    assert r"howpublished = {\url{https://lab.example/a_b%20c}}" in done.stdout
    cli.run("register", "brain.nii.gz", "--space", "Other", "--table", "my.tsv")
    done = cli.run("cite", "Other_2mm", "--registry", "my.tsv")
    assert "cite     unknown: nothing is registered" in done.stdout


def test_grids_are_listed(cli):
    done = cli.run("grids")
    assert re.search(
        r"^FSL-2mm +91x109x91 +2x2x2 +-90,-126,-72 +MNI152NLin6Asym ", done.stdout, re.M
    )
    (grid,) = json.loads(cli.run("grids", "SPM12-2mm", "--json").stdout)
    assert set(grid) == {"name", "shape", "zooms", "origin", "spaces", "used_by"}
    assert "did you mean SPM12-2mm" in cli.run("grids", "SPM12-2m", status=1).stderr


def test_control_characters_of_a_table_do_not_reach_the_terminal(own):
    (header, line) = (own.folder / "my.tsv").read_text().splitlines()
    # U+009B begins a command of some terminals; U+202E turns the writing round.
    line = re.sub("unknown\tunknown$", "free\u202eeerf\tme\u202e", line)
    (own.folder / "my.tsv").write_text(f"{header}\n{line}\n")
    for command in (["list"], ["cite", "MyLab_2mm"], ["list", "--json"]):
        done = own.run(*command, "--registry", "my.tsv")
        assert "\u202e" not in done.stdout
        assert "u202e" in done.stdout


def test_mistakes_in_the_command_have_status_2_and_help_has_examples(cli):
    assert "No such command 'lst'" in cli.run("lst", status=2).stderr
    assert "No such option" in cli.run("list", "--spaces", status=2).stderr
    for command in ("register", "list", "get", "check", "cite", "grids"):
        printed = cli.run(command, "--help").stdout
        assert f"Examples:\n    brainmasks {command}" in printed
        assert all(option in printed for option in ("--registry", "--cache-dir", "--offline"))
    assert "_BRAINMASKS_COMPLETE=bash_source" in cli.run("--help").stdout
    assert cli.run("--version").stdout.startswith("brainmasks, version ")


def test_names_are_completed(own):
    def completed(typed: str) -> list[str]:
        words = typed.split(" ")
        done = own.run(
            _BRAINMASKS_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=len(words) - 1
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines() if line]

    assert completed("brainmasks get MNI152NLin6Asym_0") == [
        name for name in BRAIN_MASK_REGISTRY if name.startswith("MNI152NLin6Asym_0")
    ]
    assert completed("brainmasks cite --registry my.tsv MyL") == ["MyLab_2mm"]
    assert completed("brainmasks get --registry none.tsv MyL") == []
    assert completed("brainmasks list --space NK") == ["NKI"]
    assert "SPM12-2mm" in completed("brainmasks grids SPM")
    assert completed("brainmasks re") == ["register"]


def start(*args: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "brainmasks", *args],
        env=os.environ | {"PYTHONPATH": str(REPO / "scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_reader_that_left_is_no_error(cli):
    for args in (["grids"], ["--help"]):
        with start(*args) as run:
            run.stdout.close()
            assert run.stderr.read() == ""
        assert run.returncode in (141, 1)


def test_interrupt_is_one_word(cli):
    """While it waits for a server that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cli.save("brain.nii.gz")
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/mask.nii.gz"
        register = ["register", "brain.nii.gz", "--space", "MyLab", "--table", "my.tsv"]
        run = start(*register, "--url", url, cwd=cli.folder)
        asked, _ = silent.accept()
        with asked:
            time.sleep(0.2)
            run.send_signal(signal.SIGINT)
            assert run.communicate(timeout=30)[1].splitlines()[-1] == "interrupted"
        assert run.returncode == 130
        assert not (cli.folder / "my.tsv").exists()


def test_package_stays_light_until_it_is_used():
    code = (
        "import sys, brainmasks; "
        "print({'click', 'numpy', 'nibabel', 'requests', 'jsonschema'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(REPO / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


def test_check_takes_the_mask_from_the_cache_that_is_named(own):
    own.save("lesion.nii.gz", BRAIN)
    check = ("check", "lesion.nii.gz", "--registry", "my.tsv", "--mask", "MyLab_2mm", "--offline")
    done = own.run(*check, "--cache-dir", "here", "--accept", "identical", "--json", status=0)
    (found,) = json.loads(done.stdout)
    assert [each["code"] for each in found["findings"]] == ["is_a_mask"]
    assert [path.name[:27] for path in (own.folder / "here").glob("*.nii.gz")] == [
        "MyLab_2mm_desc-brain_mask_s"
    ]
