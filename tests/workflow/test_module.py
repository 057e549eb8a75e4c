# SPDX-License-Identifier: MIT
"""The workflow as a module of a host workflow: from everywhere, and without disturbing the host."""

import json
import re

import numpy as np
import pytest
from hosting import Host, make_twice
from support import (
    REPO,
    copied_repository,
    module,
    rule_all,
    save_image,
    served_repository,
    sha256,
    tiny_mask,
    write_table,
)

from brainmasks.registry import shipped_grids

BOTH_ENTRIES = pytest.mark.parametrize("entry", ["Snakefile", "workflow/Snakefile"])


@BOTH_ENTRIES
def test_local_path(host, tiny, entry):
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(repr(str(REPO / entry))))
    make_twice(host)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


@BOTH_ENTRIES
def test_relative_path(host, tiny, tmp_path, entry):
    copied_repository(tmp_path / "cloned")
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(repr(f"../cloned/{entry}")))
    make_twice(host)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


@BOTH_ENTRIES
def test_http_url(host, tiny, server, tmp_path, entry):
    url = served_repository(server, tmp_path / "served")
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(repr(f"{url}/{entry}")))
    make_twice(host)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


def test_plain_url_is_asked_four_times_whatever_is_made(host, tiny, server, tmp_path):
    """Scripts, templates, schemas and captions come in one file; without that one, one by one."""
    url = served_repository(server, tmp_path / "served")
    host.write(
        rule_all("masks/A_2mm.nii.gz", "qc/masks.html"),
        host.module(repr(f"{url}/workflow/Snakefile")),
    )
    four = ["Snakefile", "rules/main.smk", "rules/own_files.smk", "files.json"]
    for run in ([], ["--report", "report.html"]):
        host.succeed(*run)
        assert [path for path in server.asked if not path.endswith(".nii.gz")] == [
            f"/workflow/{name}" for name in four
        ]
        server.asked.clear()
    del server.files["/workflow/files.json"]
    assert "Nothing to be done" in host.succeed()
    assert len(server.asked) > 150
    # Old versions of Snakemake ask three times for a file that there is not.
    asked = [path for path in server.asked if path != "/workflow/files.json"]
    assert len(set(asked)) == len(asked)


@BOTH_ENTRIES
@pytest.mark.parametrize("version", ["tag='v0'", "branch='main'"])
def test_github(host, tiny, github, entry, version):
    snakefile = f"github({github!r}, path={entry!r}, {version})"
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(snakefile))
    make_twice(host)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


def test_some_of_the_rules_are_enough_for_a_mask(host, tiny):
    taken = host.module().replace("use rule *", "use rule download, checksum, validate")
    host.write(rule_all("masks/A_2mm.nii.gz"), taken)
    make_twice(host)
    host.mask("A_2mm").write_bytes(b"damaged")
    assert "it is removed, to be regenerated" in host.succeed()
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]
    assert "did you mean A_2mm?" in host.fail("--dry-run", "masks/a_2mm.nii.gz")


@pytest.mark.parametrize("rule", ["accept_images", "accept_shown_images", "put_on_grid", "qc"])
def test_rule_that_a_mask_does_not_need_may_be_excluded(host, rule):
    taken = host.module().replace(" as bm_*", f" exclude {rule} as bm_*")
    host.write(rule_all("masks/A_2mm.nii.gz"), taken)
    assert host.jobs() == {f"bm_{each}:A_2mm" for each in ("download", "checksum", "validate")}


def test_jobs_of_a_workflow_from_a_url_know_the_grids(host, images, server, tmp_path):
    """The table is no input of a job, and is not fetched by it: it is copied with the package."""
    images("far", accept=["unknown_grid"])
    grid = shipped_grids()["Craddock-4mm"]
    save_image(host.folder / "lesions" / "far.nii.gz", np.zeros(grid.shape, np.uint8), grid.affine)
    url = served_repository(server, tmp_path / "served")
    host.write(
        rule_all("checks/images.tsv", "checks/far.json"), host.module(repr(f"{url}/Snakefile"))
    )
    make_twice(host)
    found = json.loads((host.folder / "checks" / "far.json").read_text())
    assert "It is the grid Craddock-4mm, used by Craddock's parcellations" in found["detail"]
    assert "Craddock-4mm" in (host.folder / "checks" / "images.tsv").read_text()


def test_what_was_made_is_told_in_a_line_unless_the_run_is_quiet(host, tiny):
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module())
    line = f"A_2mm: verified, from 127.0.0.1, {tiny[0]['bytes']} bytes\n"
    assert "verified" not in host.succeed("--dry-run")
    assert line in host.succeed("--quiet", "progress", "host")
    # How loud a run is triggers no re-run.
    assert "Nothing to be done" in host.succeed()
    host.mask("A_2mm").unlink()
    assert "verified" not in host.succeed("--quiet")
    assert (host.folder / "logs/masks/A_2mm.validate.log").read_text().endswith(line)


def test_rejected_image_points_to_where_the_host_has_the_aligned_one(host, images):
    images("las", masks=["A_2mm"])
    host.write(rule_all("ext/checks/images.tsv"), host.module(prefix="'ext'"))
    aligned = re.search(r"\n- use (.*): on the grid of the mask", host.fail())[1]
    assert aligned == "ext/aligned/las.nii.gz"
    host.succeed(aligned)
    assert (host.folder / aligned).is_file()


def test_prefix_keeps_every_file_below_it(host, tiny):
    host.write(rule_all("ext/masks/A_2mm.nii.gz"), host.module(prefix="'ext'"))
    make_twice(host)
    assert sha256(host.folder / "ext/masks/A_2mm.nii.gz") == tiny[0]["sha256"]
    assert {path.name for path in host.folder.iterdir()} == {".snakemake", "Snakefile", "ext"}


@pytest.mark.parametrize("options", [{"config": "{}"}, {}], ids=["empty", "none"])
def test_module_without_configuration_has_the_shipped_registry(host, options):
    snakefile = repr(str(REPO / "Snakefile"))
    host.write(rule_all("masks/MNI152NLin6Asym_2mm.nii.gz"), module(snakefile, **options))
    assert host.jobs() == {
        f"bm_{rule}:MNI152NLin6Asym_2mm" for rule in ("download", "checksum", "validate")
    }


def test_whole_configuration_of_the_host_is_taken_with_its_other_keys(host, tiny):
    host.config = host.settings | {
        "samples": {"sub-01": {"age": 30}},
        "output": "results",
        "threads": 4,
        "smoothing_mm": [4, 6],
        "url": None,
    }
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(config="config"))
    make_twice(host)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


def test_keys_of_the_host_that_resemble_ours_are_left_alone(host):
    own = {"tasks": ["rest"], "registration": {"cost": "mi"}, "atlases": [], "scratch_dir": "tmp"}
    host.config = host.settings | own
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(config="config"))
    host.succeed("--dry-run")


def test_misspelt_offline_beside_keys_of_the_host_ends_the_run(host, server):
    host.config = host.settings | {"samples": [], "ofline": True}
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(config="config"))
    assert "unknown config key 'ofline'; did you mean 'offline'?" in host.fail()
    assert server.asked == []
    host.config["host_keys"] = ["ofline"]
    host.succeed("--dry-run")


BUSY_HOST = """
configfile: "config/config.yaml"

rule all:
    input: expand("{name}.txt", name=config["masks"]), "masks/own_2mm.nii.gz", "masks/A_2mm.nii.gz"

rule download:
    input: "masks/lesion.nii.gz", "masks/{name}.nii.gz"
    output: "{name}.raw"
    shell: "cat {input} > {output}"

rule validate:
    input: "{name}.raw"
    output: "{name}.txt"
    shell: "cp {input} {output}"

rule draw:
    output: "masks/{x}_2mm.nii.gz"
    wildcard_constraints: x="own|drawn"
    shell: "echo {wildcards.x} > {output}"
"""


@pytest.fixture
def busy(host) -> Host:
    """Return a host with a configuration, masks and rule names of its own."""
    for name, text in {
        "config/config.yaml": "masks: [drawn_2mm, lesion]\nregistry: 7\n",
        # Not a table of ours, and not named to us.
        "config/masks.tsv": "subject\tlesion\n",
        "masks/lesion.nii.gz": "lesion\n",
        "masks/A_2mm.txt": "notes\n",
    }.items():
        (host.folder / name).parent.mkdir(exist_ok=True)
        (host.folder / name).write_text(text)
    return host


def test_host_with_masks_and_rules_of_its_own_is_not_disturbed(busy, tiny):
    busy.write(BUSY_HOST, busy.module())
    printed = make_twice(busy)
    assert "InputFunctionException" not in printed
    assert "registered" not in printed
    assert sha256(busy.mask("A_2mm")) == tiny[0]["sha256"]
    for name, text in {
        "lesion.txt": "lesion\nlesion\n",
        "drawn_2mm.txt": "lesion\ndrawn\n",
        "masks/lesion.nii.gz": "lesion\n",
        "masks/own_2mm.nii.gz": "own\n",
        "masks/A_2mm.txt": "notes\n",
    }.items():
        assert (busy.folder / name).read_text() == text
    assert not busy.mask("B_2mm").exists()


BUSY_WITH_IMAGES = """
rule all:
    input: "checks/sub-1.json", "aligned/sub-1.nii.gz", "aligned/sub-1.json", "qc/sub-1.png",
        "used.txt", "checks/same.json"

rule check:
    output: "checks/{name}-1.json", "aligned/{name}-1.json"
    shell: "echo {wildcards.name} | tee {output}"

rule align:
    output: "aligned/{name}-1.nii.gz"
    shell: "echo {wildcards.name} > {output}"

rule draw:
    output: "qc/{name}-1.png"
    shell: "echo {wildcards.name} > {output}"

rule use:
    input: "checks/own.json", "aligned/own.nii.gz", "qc/own.png"
    output: "used.txt"
    shell: "cat {input} > {output}"
"""


@pytest.mark.parametrize("listed", [["same"], []], ids=["images", "no images"])
def test_host_with_images_and_rules_of_its_own_is_not_disturbed(workflow, images, listed):
    """Files of the same folders: some that its rules make, some that nothing makes."""
    if listed:
        images(*listed)
    host = Host(workflow)
    host.config = {}
    for name in ("checks/own.json", "aligned/own.nii.gz", "qc/own.png"):
        (host.folder / name).parent.mkdir(exist_ok=True)
        (host.folder / name).write_text(f"{name}\n")
    text = BUSY_WITH_IMAGES if listed else BUSY_WITH_IMAGES.replace(', "checks/same.json"', "")
    host.write(text, host.module())
    printed = make_twice(host)
    for words in ("InputFunctionException", "registered", "no image"):
        assert words not in printed
    for name in ("checks/sub-1.json", "aligned/sub-1.nii.gz", "aligned/sub-1.json", "qc/sub-1.png"):
        assert (host.folder / name).read_text() == "sub\n"
    assert (host.folder / "used.txt").read_text() == (
        "checks/own.json\naligned/own.nii.gz\nqc/own.png\n"
    )


@pytest.mark.parametrize("asked_by", ["command line", "host rule"])
def test_misspelt_image_is_named_with_the_closest_one(workflow, images, asked_by):
    images("same", "las")
    host = Host(workflow)
    host.config = {}
    misspelt = "ext/checks/sam.json"
    target = misspelt if asked_by == "command line" else "summary.txt"
    summary = f"rule summary:\n    input: {misspelt!r}\n    output: 'summary.txt'"
    host.write(rule_all("summary.txt"), summary, host.module(prefix="'ext'"))
    printed = host.fail("--dry-run", target)
    assert "has the id 'sam'" in printed
    assert "did you mean same?" in printed
    assert "MissingRuleException" not in printed


def test_two_instances_with_a_registry_each(host, tiny, server, tmp_path):
    data, row = tiny_mask("A", seed=7)
    server.files["/other.nii.gz"] = data
    other = write_table(tmp_path / "other.tsv", [row | {"url": f"{server.url}/other.nii.gz"}])
    settings = host.settings | {"registry": str(other), "masks": ["A_2mm"]}
    host.write(
        rule_all("one/masks/A_2mm.nii.gz", "two/masks/A_2mm.nii.gz"),
        host.module(name="one", short="one", prefix="'one'"),
        host.module(name="two", short="two", prefix="'two'", config=repr(settings)),
    )
    make_twice(host)
    assert sha256(host.folder / "one/masks/A_2mm.nii.gz") == tiny[0]["sha256"]
    assert sha256(host.folder / "two/masks/A_2mm.nii.gz") == row["sha256"]


def test_incompatible_package_of_the_same_name_is_not_imported(host, tiny, tmp_path):
    package = tmp_path / "installed" / "brainmasks"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('the wrong brainmasks')\n")
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module())
    make_twice(host, PYTHONPATH=package.parent)
    assert sha256(host.mask("A_2mm")) == tiny[0]["sha256"]


LOOK = """
import copy, importlib.util, json, logging, os

def look():
    return {
        "names": sorted(globals()),
        "config": copy.deepcopy(config),
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "handlers": [repr(handler) for handler in logging.getLogger().handlers],
        "level": logging.getLogger().level,
        "hooks": [
            hook.__qualname__
            for hook in (workflow._onstart, workflow._onsuccess, workflow._onerror)
        ],
        "default": workflow.default_target,
        "brainmasks": str(importlib.util.find_spec("brainmasks")),
    }

rule all:
    input: "own.txt"

rule own:
    output: "own.txt"
    shell: "touch {output}"

before = look()
"""


def seen_around(host: Host, statements: str) -> list[dict]:
    """Return what the host sees before and after it takes in a module."""
    seen = host.folder / "seen.json"
    seen.unlink(missing_ok=True)
    dump = f"json.dump([before, look()], open({str(seen)!r}, 'w'))"
    host.write(LOOK, statements, dump)
    printed = host.succeed("--dry-run")
    assert "rule own:" in printed
    assert "bm_" not in printed
    return json.loads(seen.read_text())


def test_nothing_leaks_into_the_host(host, tmp_path):
    host.config = host.settings | {"own": {"key": [1]}}
    (tmp_path / "empty.smk").touch()
    empty = seen_around(host, module(repr(str(tmp_path / "empty.smk")), config="config"))
    assert seen_around(host, host.module(config="config")) == empty


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["run", "dry-run"])
@pytest.mark.parametrize("asked_by", ["command line", "host rule"])
def test_misspelt_mask_is_named_with_the_closest_one(host, asked_by, dry_run):
    misspelt = "ext/masks/a_2mm.nii.gz"
    target = misspelt if asked_by == "command line" else "summary.txt"
    summary = f"rule summary:\n    input: {misspelt!r}\n    output: 'summary.txt'"
    host.write(rule_all("summary.txt"), summary, host.module(prefix="'ext'"))
    printed = host.fail(*dry_run, target)
    assert "no mask is registered for 'a_2mm'; did you mean A_2mm?" in printed
    assert "MissingRuleException" not in printed
