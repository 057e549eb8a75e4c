# SPDX-License-Identifier: MIT
"""A damaged file is regenerated, whatever its times say and whatever Snakemake is told."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest
from support import (
    REPO,
    Server,
    Workflow,
    entry_of,
    module,
    rule_all,
    sha256,
    tiny_mask,
    write_table,
)

YEAR = 365 * 24 * 3600
# What looks at the plan of a run and makes nothing.
LOOKING = (
    ["--dry-run"],
    ["--report", "report.html"],
    ["--dag"],
    ["--rulegraph"],
    ["--summary"],
    ["--detailed-summary"],
    ["--lint"],
    ["--list-rules"],
    ["--list-target-rules"],
    ["--list-changes", "params"],
    ["--delete-all-output", "--dry-run"],
    ["--cleanup-metadata", "masks/A_2mm.nii.gz"],
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Make mask A once; yield the working folder, its row and what runs are configured with."""
    folder = tmp_path_factory.mktemp("finished")
    server = Server()
    data, row = tiny_mask("A")
    server.files["/A.nii.gz"] = data
    (folder / "work").mkdir()
    run = Workflow(folder / "work")
    table = write_table(folder / "masks.tsv", [row | {"url": f"{server.url}/A.nii.gz"}])
    run.config = {"registry": str(table), "mirrors": False, "masks": ["A_2mm"]}
    run.succeed(HOME=folder, LACUNA_CACHE_DIR=folder / "lacuna")
    yield run.folder, row, run.config
    server.close()


@pytest.fixture
def made(workflow, finished) -> Workflow:
    """Return a working folder in which mask A was made."""
    folder, _, workflow.config = finished
    shutil.copytree(folder, workflow.folder, dirs_exist_ok=True)
    return workflow


@pytest.fixture
def right(finished) -> str:
    """Return the registered SHA-256 of mask A."""
    return finished[1]["sha256"]


def overwrite(path: Path, ahead: float = 0) -> bytes:
    """Put another mask in the place of one, its time so many seconds ahead of the clock."""
    wrong, _ = tiny_mask("A", seed=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wrong)
    os.utime(path, (time.time() + ahead,) * 2)
    return wrong


@pytest.mark.parametrize(
    ("ahead", "options"),
    [
        (-YEAR, []),
        (0, []),
        (5, []),
        (YEAR, []),
        (60, ["--rerun-triggers", "mtime"]),
        (60, ["--keep-going", "--ignore-incomplete"]),
        (60, ["--rerun-incomplete", "--forcerun", "checksum"]),
    ],
    ids=lambda each: f"{each:+d} s" if isinstance(each, int) else " ".join(each),
)
def test_wrong_mask_is_regenerated_whatever_its_time(made, right, ahead, options):
    overwrite(made.mask("A_2mm"), ahead)
    printed = made.succeed("masks/A_2mm.nii.gz", *options)
    assert f"has SHA-256 {tiny_mask('A', seed=9)[1]['sha256']}" in printed
    assert "it is removed, to be regenerated" in printed
    assert sha256(made.mask("A_2mm")) == right
    assert made.sidecar("A_2mm")["SHA256"] == right
    assert "Nothing to be done" in made.succeed("masks/A_2mm.nii.gz")


def test_wrong_mask_of_the_future_that_was_there_before_the_first_run(workflow, tiny):
    overwrite(workflow.mask("A_2mm"), YEAR)
    workflow.succeed("masks/A_2mm.nii.gz")
    assert sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]


@pytest.mark.parametrize("ahead", [0, YEAR])
def test_wrong_file_in_resources_is_fetched_again(made, right, ahead):
    fetched = made.folder / "resources" / "masks" / "A_2mm.nii.gz"
    overwrite(fetched, ahead)
    made.succeed("masks/A_2mm.nii.gz", "--rerun-triggers", "mtime")
    assert sha256(fetched) == sha256(made.mask("A_2mm")) == right


def test_what_was_made_from_a_wrong_mask_is_made_again(workflow, tiny):
    """Although all that it needs is there, and it is there itself."""
    workflow.snakefile = None
    summary = "rule summary:\n    input: 'masks/A_2mm.nii.gz'\n    output: 'summary.txt'\n"
    summary += "    shell: 'sha256sum {input} > {output}'"
    taken = module("config['snakefile']", config="config")
    (workflow.folder / "Snakefile").write_text(
        "\n\n".join([rule_all("summary.txt"), summary, taken])
    )
    workflow.config["snakefile"] = str(REPO / "Snakefile")
    workflow.succeed()
    overwrite(workflow.mask("A_2mm"), YEAR)
    (workflow.folder / "summary.txt").write_text("counted with the wrong mask\n")
    workflow.succeed("--rerun-triggers", "mtime")
    assert tiny[0]["sha256"] in (workflow.folder / "summary.txt").read_text()


def test_reason_for_a_damaged_mask_is_true(workflow, tiny):
    """It is missing, where it was asked for; and what is made from it would not need it else."""
    workflow.snakefile = None
    summary = "rule summary:\n    input: 'masks/B_2mm.nii.gz'\n    output: 'summary.txt'\n"
    summary += "    shell: 'sha256sum {input} > {output}'"
    taken = module("config['snakefile']", config="config")
    everything = rule_all("masks/A_2mm.nii.gz", "summary.txt")
    (workflow.folder / "Snakefile").write_text("\n\n".join([everything, summary, taken]))
    workflow.config["snakefile"] = str(REPO / "Snakefile")
    for target in ([], ["masks/A_2mm.nii.gz", "summary.txt"], ["bm_all", "summary.txt"]):
        workflow.succeed()
        overwrite(workflow.mask("A_2mm"))
        overwrite(workflow.mask("B_2mm"))
        printed = workflow.succeed(*target)
        # Of two rules that publish a mask: the first words of the reason.
        reasons = re.findall(
            r"rule bm_validate:.*?output: masks/(.)_2mm.*?reason: (\w+)", printed, flags=re.DOTALL
        )
        expected = {"A": "Missing", "B": "Missing" if "bm_all" in target else "Forced"}
        assert dict(reasons) == expected, printed
        for name, row in zip(("A_2mm", "B_2mm"), tiny, strict=True):
            assert sha256(workflow.mask(name)) == row["sha256"]


@pytest.mark.parametrize("ahead", [0, YEAR])
def test_dry_run_says_what_a_run_would_remove(made, ahead):
    wrong = overwrite(made.mask("A_2mm"), ahead)
    printed = made.succeed("--dry-run", "masks/A_2mm.nii.gz")
    assert "a run removes it, to have it regenerated" in printed
    assert made.jobs("masks/A_2mm.nii.gz") == {"validate:A_2mm"}
    assert made.mask("A_2mm").read_bytes() == wrong


@pytest.mark.parametrize("options", LOOKING, ids=" ".join)
def test_looking_removes_nothing(made, options):
    wrong = overwrite(made.mask("A_2mm"))
    overwrite(made.folder / "resources" / "masks" / "A_2mm.nii.gz")
    before = set(made.folder.rglob("*.nii.gz"))
    made.run("masks/A_2mm.nii.gz", *options)
    assert made.mask("A_2mm").read_bytes() == wrong
    assert set(made.folder.rglob("*.nii.gz")) == before


def test_touch_does_not_pass_a_wrong_mask(made):
    wrong = overwrite(made.mask("A_2mm"))
    printed = made.fail("masks/A_2mm.nii.gz", "--touch")
    assert "`--touch` does not regenerate it" in printed
    assert made.mask("A_2mm").read_bytes() == wrong


def test_wrong_file_that_cannot_be_removed_ends_the_run(made):
    made.mask("A_2mm").unlink()
    made.mask("A_2mm").mkdir()
    printed = made.fail("masks/A_2mm.nii.gz")
    assert "masks/A_2mm.nii.gz is unusable (it is a folder); it cannot be removed" in printed


def test_nothing_is_left_in_the_cache_of_sources(made, machine):
    before = {path.name for path in (machine / ".cache").rglob("*.py")}
    overwrite(made.mask("A_2mm"))
    made.succeed("masks/A_2mm.nii.gz")
    assert {path.name for path in (machine / ".cache").rglob("*.py")} <= before


@pytest.mark.parametrize("ahead", [0, YEAR])
def test_wrong_mask_does_not_pass_where_no_rule_may_regenerate_it(made, ahead):
    overwrite(made.mask("A_2mm"), ahead)
    made.fail("all", "--allowed-rules", "all")
    assert not made.mask("A_2mm").exists()


def test_each_wrong_mask_is_told_once(made):
    overwrite(made.mask("A_2mm"))
    assert made.succeed("--dry-run").count("a run removes it") == 1
    assert made.succeed().count("it is removed, to be regenerated") == 1


def hinder(kind: str, path: Path, outside: Path) -> None:
    """Put something that is no file of its own in the place of a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to(outside)
    elif kind == "hard link":
        path.hardlink_to(outside)
    elif kind == "dangling link":
        path.symlink_to(outside.with_name("nowhere"))
    elif kind == "folder":
        path.mkdir()


PUBLISHED, RAW = "masks/A_2mm.nii.gz", "resources/masks/A_2mm.nii.gz"
ENTRY = str(entry_of(tiny_mask("A")[1], "cache"))
LOG = "logs/masks/A_2mm.validate.log"
PLACES = {
    "pipe": (
        PUBLISHED,
        "masks/A_2mm.json",
        RAW,
        "resources/masks/A_2mm.origin.json",
        "resources/masks/A_2mm.nii.gz.sha256",
        LOG,
        ENTRY,
        ENTRY.replace(".nii.gz", ".source.json"),
        "cache/.A_2mm.lock",
        "masks",
        "resources",
        "logs",
        "cache",
    ),
    "link": (PUBLISHED, RAW, LOG, ENTRY, "cache"),
    "hard link": (PUBLISHED, RAW, LOG, ENTRY),
    "dangling link": (PUBLISHED, ENTRY),
    "folder": (PUBLISHED, RAW, LOG, ENTRY),
}


@pytest.mark.parametrize(
    ("kind", "place"), [(kind, place) for kind, places in PLACES.items() for place in places]
)
def test_what_is_no_file_of_its_own_hangs_nothing_and_leads_nowhere(made, right, kind, place):
    """The right mask, or an error of one line; and nothing outside is touched."""
    folder = made.folder
    made.config = made.config | {"cache_dir": str(folder / "cache")}
    outside = folder.parent / "outside"
    outside.write_bytes(b"of somebody else")
    path = folder / place
    if path.is_dir():
        shutil.rmtree(path)
    for name in ("masks", "resources"):
        # All of it is to be regenerated, with nothing but the hindrance in the way.
        if not place.startswith(name):
            shutil.rmtree(folder / name, ignore_errors=True)
    hinder(kind, path, outside)
    done = made.run("masks/A_2mm.nii.gz")
    assert outside.read_bytes() == b"of somebody else"
    assert "Traceback (most recent call last)" not in done.stdout, done.stdout
    if done.returncode == 0:
        assert sha256(made.mask("A_2mm")) == right
        assert not made.mask("A_2mm").is_symlink()
    else:
        mask = made.mask("A_2mm")
        assert not mask.is_file() or sha256(mask) == right or mask.samefile(outside)


def test_files_that_another_run_holds_are_not_removed(made):
    """It may be about to publish them; Snakemake ends this run with its own message."""
    wrong = overwrite(made.mask("A_2mm"))
    locks = made.folder / ".snakemake" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.output.lock").write_text("masks/A_2mm.nii.gz\nmasks/A_2mm.json\n")
    printed = made.run("masks/A_2mm.nii.gz").stdout
    assert "it is removed" not in printed
    assert made.mask("A_2mm").read_bytes() == wrong
    made.succeed("--unlock")
    made.succeed("masks/A_2mm.nii.gz")
    assert made.mask("A_2mm").read_bytes() != wrong


def test_file_of_a_host_whose_rule_goes_first_is_left_alone(workflow, tiny):
    """A mask of the host's own under a registered name, by its own rule."""
    own = "rule own:\n    output: 'masks/A_2mm.nii.gz'\n    shell: 'echo own > {output}'"
    taken = module(repr(str(REPO / "Snakefile")), config=repr(workflow.config))
    workflow.snakefile, workflow.config = None, {}
    (workflow.folder / "Snakefile").write_text(
        "\n\n".join([rule_all("masks/A_2mm.nii.gz"), own, taken, "ruleorder: own > bm_validate"])
    )
    workflow.succeed("--cores", "1")
    assert workflow.mask("A_2mm").read_text() == "own\n"
    assert "Nothing to be done" in workflow.succeed("--cores", "1")
    assert workflow.mask("A_2mm").read_text() == "own\n"
