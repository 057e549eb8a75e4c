# SPDX-License-Identifier: MIT
"""Before a machine loses its network: `prefetch`, `status`, and work offline."""

import pytest
from support import (
    entry_of,
    sha256,
    write_table,
)


def table(printed: str) -> dict[str, list[str]]:
    """Return the cells of the first line of each mask in what `status` prints."""
    lines = [line.split(maxsplit=4) for line in printed.splitlines() if "_2mm " in line]
    return {cells[0]: cells for cells in reversed(lines)}


def test_prefetch_fills_the_cache_and_nothing_else(workflow, tiny, cache, server):
    printed = workflow.succeed("prefetch")
    for row in tiny:
        assert sha256(entry_of(row, cache)) == row["sha256"]
        line = f"\n{row['space']}_2mm: verified, in the cache, {entry_of(row, cache)}\n"
        assert line in printed
    assert not (workflow.folder / "masks").exists()
    assert not (workflow.folder / "resources").exists()
    assert len(server.asked) == 2
    server.files.clear()
    workflow.config["offline"] = True
    workflow.succeed()
    assert sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]
    assert len(server.asked) == 2


def test_prefetch_fails_if_one_mask_is_missing_and_brings_the_others(workflow, tiny, cache, server):
    server.files["/A.nii.gz"] = b"<html><title>Sign in</title>"
    printed = workflow.fail("prefetch")
    assert "1 of 2 masks are not in the cache: A_2mm" in printed
    assert 'an HTML page titled "Sign in"' in printed
    assert sha256(entry_of(tiny[1], cache)) == tiny[1]["sha256"]


def test_prefetch_fails_if_the_cache_cannot_be_written(workflow, tiny, tmp_path):
    (tmp_path / "file").touch()
    # One mask: without a lock, a server is asked only after a delay.
    workflow.config |= {"cache_dir": str(tmp_path / "file" / "cache"), "masks": ["A_2mm"]}
    assert "1 of 1 masks are not in the cache" in workflow.fail("prefetch")


def test_status_tells_where_each_mask_is_and_touches_nothing(
    workflow, tiny, cache, server, tmp_path
):
    site = tmp_path / "site"
    site.mkdir()
    (site / "B_2mm.nii.gz").write_bytes(server.files["/B.nii.gz"])
    workflow.config["site_caches"] = [str(site)]
    found = table(workflow.succeed("status"))
    assert found["A_2mm"][1:4] == ["nowhere", "-", tiny[0]["bytes"]]
    assert found["A_2mm"][4] == f"would come from {tiny[0]['url']}"
    assert found["B_2mm"][1:3] == ["site", "cache"]
    assert server.asked == []
    assert not cache.exists()

    workflow.succeed("masks/A_2mm.nii.gz")
    entry = entry_of(tiny[0], cache)
    assert table(workflow.succeed("status"))["A_2mm"][1:] == [
        "cache",
        "yes",
        tiny[0]["bytes"],
        str(entry),
    ]
    entry.write_bytes(b"rotten")
    cells = table(workflow.succeed("status"))["A_2mm"]
    assert cells[1:4] == ["cache", "no", "6"]
    assert "has SHA-256" in cells[4]
    assert entry.read_bytes() == b"rotten"


def test_status_names_the_local_copy(workflow, tiny, server, tmp_path):
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(server.files["/A.nii.gz"])
    rows = [{"mask": "A_2mm", "location": str(copy)}]
    workflow.config["mirrors"] = str(write_table(tmp_path / "m.tsv", rows, ["mask", "location"]))
    assert table(workflow.succeed("status"))["A_2mm"][1:3] == ["local", "copy"]
    copy.write_bytes(server.files["/B.nii.gz"])
    printed = workflow.succeed("status")
    assert f"{copy}: expected SHA-256 {tiny[0]['sha256']}" in printed
    assert "another registered mask, B_2mm" in printed


@pytest.mark.parametrize("how", ["config", "environment"])
def test_offline_miss_asks_nobody(workflow, tiny, server, how):
    environment = {}
    if how == "config":
        workflow.config["offline"] = True
    else:
        environment = {"BRAINMASKS_OFFLINE": "1"}
    printed = workflow.fail("masks/A_2mm.nii.gz", **environment)
    assert "not asked: offline" in printed
    assert "snakemake prefetch" in printed
    assert server.asked == []


def test_going_offline_triggers_no_rerun(workflow, tiny):
    workflow.succeed()
    workflow.config |= {"offline": True, "site_caches": ["/somewhere"]}
    assert workflow.jobs() == set()


@pytest.mark.parametrize("rule", ["download", "checksum", "validate"])
def test_snakemakes_own_cache_is_refused(workflow, tiny, tmp_path, rule):
    """It verifies nothing; a damaged entry there would be published."""
    store = tmp_path / "store"
    store.mkdir()
    printed = workflow.fail(
        "masks/A_2mm.nii.gz", "--forceall", "--cache", rule, SNAKEMAKE_OUTPUT_CACHE=store
    )
    assert f"Rule {rule} cannot be cached" in printed
    assert list(store.iterdir()) == []
