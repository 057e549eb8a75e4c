# SPDX-License-Identifier: MIT
"""One registry row becomes a verified mask: whole runs of the command."""

import subprocess

import pytest
from support import served_registry, sha256, shipped_rows

NAMES = [f"{row['space']}_{row['resolution']}mm" for row in shipped_rows()]


def test_all_four_registered_masks_byte_for_byte(workflow, server, real, tmp_path):
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    workflow.config = {"registry": str(registry), "mirrors": False}
    printed = workflow.succeed()
    for row, name in zip(shipped_rows(), NAMES, strict=True):
        kilobytes = round(int(row["bytes"]) / 1000)
        assert f"\n{name}: verified, from 127.0.0.1, {kilobytes} kB\n" in printed
        assert sha256(workflow.mask(name)) == row["sha256"]
        assert workflow.sidecar(name)["SHA256"] == row["sha256"]
    assert len(server.asked) == 4
    assert "Nothing to be done" in workflow.succeed()


def test_checksum_file_satisfies_sha256sum(workflow, tiny):
    workflow.succeed("masks/A_2mm.nii.gz")
    subprocess.run(
        ["sha256sum", "--check", "--strict", "resources/masks/A_2mm.nii.gz.sha256"],
        cwd=workflow.folder,
        check=True,
    )


def test_second_working_folder_is_served_by_the_cache(workflow, tiny, server, tmp_path):
    workflow.succeed()
    first = workflow.mask("A_2mm").with_suffix("").with_suffix(".json").read_bytes()
    asked = len(server.asked)
    workflow.folder = tmp_path / "second"
    workflow.folder.mkdir()
    printed = workflow.succeed()
    assert len(server.asked) == asked
    size = tiny[0]["bytes"]
    line = f"\nA_2mm: verified, from the cache (first from 127.0.0.1), {size} bytes\n"
    assert printed.count(line) == printed.count("A_2mm: ") == 1
    # The same mask from the same origin: the sidecar is the same to the byte.
    assert (workflow.folder / "masks" / "A_2mm.json").read_bytes() == first


@pytest.mark.parametrize("alias", ["MNI152NLin2009aAsym", "MNI152NLin2009bAsym"])
def test_alias_is_served_under_the_name_asked_for(workflow, server, real, tmp_path, alias):
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    workflow.config = {"registry": str(registry), "mirrors": False}
    printed = workflow.succeed(f"masks/{alias}_2mm.nii.gz")
    assert f"\n{alias}_2mm (served as MNI152NLin2009cAsym_2mm): verified, from " in printed
    assert sha256(workflow.mask(f"{alias}_2mm")) == shipped_rows()[3]["sha256"]
    sidecar = workflow.sidecar(f"{alias}_2mm")
    assert (sidecar["SpaceRequested"], sidecar["SpaceServed"]) == (alias, "MNI152NLin2009cAsym")
    log = (workflow.folder / f"logs/masks/{alias}_2mm.validate.log").read_text()
    assert f"space asked for: {alias}; space served: MNI152NLin2009cAsym" in log
