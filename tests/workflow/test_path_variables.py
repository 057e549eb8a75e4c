# SPDX-License-Identifier: MIT
"""Hosts that name our folders anew by path variables, and INTERFACE.yaml, which lists them."""

import json
import re

import pytest
import yaml
from hosting import Host, make_twice
from support import REPO, rule_all, sha256

INTERFACE = yaml.safe_load((REPO / "INTERFACE.yaml").read_text())
VARIABLES = INTERFACE["pathvars"]["results"] | INTERFACE["pathvars"]["snakemake_defaults"]

# What the rules make: the paths of their outputs, the names of these, and their logs.
DUMP = """
import json

def made(proxy):
    return {
        "paths": [str(path) for path in proxy.output],
        "names": list(proxy.output.keys()),
        "logs": [str(path) for path in proxy.log],
    }

with open("made.json", "w") as file:
    json.dump({name: made(getattr(rules, f"bm_{name}")) for name in NAMES}, file)
"""


def made(host: Host, **options) -> dict[str, dict[str, list[str]]]:
    """Return what the rules of INTERFACE.yaml make; {id} for the one image that there is."""
    dump = DUMP.replace("NAMES", repr(list(INTERFACE["outputs"])))
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(**options), dump)
    host.succeed("--dry-run", "bm_status")
    return json.loads((host.folder / "made.json").read_text().replace("same.png", "{id}.png"))


@pytest.fixture
def host_with_image(workflow, images) -> Host:
    """Return a host whose module has an image."""
    images("same")
    host = Host(workflow)
    host.config = {}
    return host


def test_interface_is_that_of_the_rules(host_with_image):
    """Each variable stands for its name in capitals: whatever a rule writes begins with one."""
    variables = {name: name.upper() for name in VARIABLES if name != "results"}
    found = made(host_with_image, pathvars=", ".join(f"{k}={v!r}" for k, v in variables.items()))
    for rule, outputs in INTERFACE["outputs"].items():
        stated = [re.sub(r"<(\w+)>", lambda m: m[1].upper(), path) for path in outputs.values()]
        assert found[rule]["paths"] == stated
        # A single one has no name in some of the rules.
        assert found[rule]["names"] in ([], list(outputs))
        assert all(log.startswith("LOGS/") for log in found[rule]["logs"])
    used = set(re.findall(r"\{(\w+)\}", repr(found)))
    assert used == set(INTERFACE["wildcards"])


def test_every_rule_that_makes_a_file_is_in_the_interface(workflow, images):
    """But those that only answer a request for a file that there is not."""
    images("same")
    listed = set(workflow.succeed("--list-rules").split())
    rules = "\n".join(path.read_text() for path in (REPO / "workflow" / "rules").glob("*.smk"))
    without = {"all", "prefetch", "status", "qc"} | set(re.findall(r"rule (misnamed_\w+):", rules))
    defined = set(re.findall(r"^ *(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:", rules, re.MULTILINE))
    assert defined <= listed
    assert defined - without == set(INTERFACE["outputs"])


def test_defaults_are_those_of_the_interface(host_with_image):
    found = made(host_with_image)
    for rule, outputs in INTERFACE["outputs"].items():
        stated = list(outputs.values())
        for name, variable in VARIABLES.items():
            stated = [path.replace(f"<{name}>", variable["default"]) for path in stated]
        assert found[rule]["paths"] == stated


REWIRED = {
    "module": {"pathvars": "masks='templates', checks='found', qc='seen', aligned='moved'"},
    "prefix": {
        "pathvars": "masks='templates', checks='found', qc='seen', aligned='moved'",
        "prefix": "'ext'",
    },
    "results": {"pathvars": "results='out', resources='raw', logs='out/logs'"},
}
FOLDERS = {
    "module": ("templates", "found", "seen", "moved"),
    "prefix": ("ext/templates", "ext/found", "ext/seen", "ext/moved"),
    "results": ("out/masks", "out/checks", "out/qc", "out/aligned"),
}


@pytest.mark.parametrize("case", REWIRED)
def test_files_are_where_the_host_wants_them_and_are_watched_there(host_with_image, tiny, case):
    host, (masks, checks, qc, aligned) = host_with_image, FOLDERS[case]
    targets = [f"{checks}/images.tsv", f"{checks}/same.json", f"{aligned}/same.nii.gz"]
    targets += [f"{qc}/same.png", f"{masks}/A_2mm_grid-same.nii.gz"]
    host.write(rule_all(*targets), host.module(**REWIRED[case]))
    make_twice(host)
    mask = host.folder / masks / "A_2mm.nii.gz"
    assert sha256(mask) == tiny[0]["sha256"]
    assert json.loads((host.folder / checks / "same.json").read_text())["mask"] == "A_2mm"
    for ours in ("masks", "checks", "qc", "aligned"):
        assert not (host.folder / ours).exists()
    mask.write_bytes(b"damaged")
    assert f"{masks}/A_2mm.nii.gz" in host.succeed()
    assert sha256(mask) == tiny[0]["sha256"]


@pytest.mark.parametrize("by", ["config", "pathvars:"])
def test_variables_of_the_host_reach_the_module(host, tiny, by):
    """All of its configuration; of its own statement those that this workflow does not set."""
    variables = {"results": "out", "resources": "raw"}
    own = ""
    if by == "config":
        variables |= {"masks": "<results>/brains"}
        host.config = host.settings | {"pathvars": variables}
        options = {"config": "config"}
    else:
        own, options = "pathvars:\n    results='out',\n    resources='raw'", {}
    path = "out/brains/A_2mm.nii.gz" if by == "config" else "out/masks/A_2mm.nii.gz"
    host.write(own, rule_all(path), host.module(**options))
    make_twice(host)
    assert sha256(host.folder / path) == tiny[0]["sha256"]
    assert sha256(host.folder / "raw/masks/A_2mm.nii.gz") == tiny[0]["sha256"]


def test_alone_the_variables_are_set_by_the_configuration(workflow, tiny):
    workflow.config |= {"pathvars": {"masks": "brains", "logs": "brains/logs"}, "masks": ["A_2mm"]}
    workflow.succeed()
    assert sha256(workflow.folder / "brains" / "A_2mm.nii.gz") == tiny[0]["sha256"]
    assert (workflow.folder / "brains/logs/masks/A_2mm.validate.log").exists()
    assert "did you mean brains/A_2mm.nii.gz?" in workflow.fail("brains/A_2mm.nii", "-n")


def test_mask_by_a_wrong_name_is_answered_with_its_path_below_the_prefix(host):
    host.write(rule_all(), host.module(pathvars="masks='brains'", prefix="'ext'"))
    printed = host.fail("ext/brains/A_2mm.nii", "-n")
    assert "gzipped files below ext/brains: did you mean ext/brains/A_2mm.nii.gz?" in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"pathvars": "masks='{sub}/masks'"}, "stands for '{sub}/masks', which has a wildcard"),
        ({"pathvars": "masks='a/'"}, "stands for 'a/', which is no plain path of a folder"),
        ({"pathvars": "qc=''"}, "stands for '', which is no plain path of a folder"),
        (
            {"pathvars": "masks='/data'", "prefix": "'ext'"},
            "stands for '/data', which is absolute",
        ),
        ({"pathvars": "masks='qc'"}, "two folders of this workflow are 'qc'"),
        ({"pathvars": "masks='<resources>/masks'"}, "two folders of this workflow are 'resources/"),
        (
            {"replace_prefix": "{'masks/': 'templates/'}"},
            "does not reach paths that begin with a path variable",
        ),
    ],
)
def test_variable_that_cannot_be_is_one_sentence(host, options, words):
    host.write(rule_all("masks/A_2mm.nii.gz"), host.module(**options))
    assert words in host.fail("--dry-run")
