# SPDX-License-Identifier: MIT
"""Files that Snakemake keeps in a storage: a damaged one is noticed there, and regenerated."""

import os
import shutil
from pathlib import Path

import pytest
from support import Workflow, tiny_mask

pytest.importorskip("snakemake_storage_plugin_fs", reason="requirements-dev.txt is not installed")
pytestmark = pytest.mark.skipif(
    not shutil.which("rsync"), reason="the storage plugin needs rsync, which is not here"
)

GRIDDED = "masks/A_2mm_grid-same.nii.gz"
TARGETS = ("masks/A_2mm.nii.gz", "masks/B_2mm.nii.gz", GRIDDED)


class Stored(Workflow):
    """A working folder whose files are kept in a storage, which is a folder, too."""

    def __init__(self, workflow: Workflow, storage: Path) -> None:
        super().__init__(workflow.folder)
        self.config = workflow.config
        self.storage = storage
        place = ("--default-storage-provider", "fs", "--default-storage-prefix", str(storage))
        self.options = (*super().options, *place)

    def masks(self) -> dict[str, bytes]:
        """Return the masks in the storage, fetched and published ones, by their paths."""
        return {
            str(path.relative_to(self.storage)): path.read_bytes()
            for path in self.storage.rglob("*.nii.gz")
        }


@pytest.fixture
def stored(workflow, images, tmp_path) -> Stored:
    """Return a working folder of a complete run, which has left every file in the storage."""
    images("same")
    stored = Stored(workflow, tmp_path / "storage")
    stored.succeed(*TARGETS)
    assert set(stored.masks()) == {*TARGETS, *(f"resources/masks/{n}_2mm.nii.gz" for n in "AB")}
    assert not (stored.folder / "masks").exists()
    return stored


def test_damaged_file_in_a_storage_is_regenerated(stored, tiny):
    right = stored.masks()
    wrong, _ = tiny_mask("A", seed=9)
    for damaged in ([GRIDDED, "resources/masks/B_2mm.nii.gz"], ["masks/A_2mm.nii.gz"]):
        for name in damaged:
            (stored.storage / name).write_bytes(wrong)
        printed = stored.succeed(*TARGETS, "--rerun-triggers", "mtime")
        assert printed.count("it is removed, to be regenerated") == len(damaged)
        assert all(f"{stored.storage}/{name} " in printed for name in damaged)
        assert stored.masks() == right
    assert "Nothing to be done" in stored.succeed(*TARGETS)


def test_looking_removes_nothing_from_a_storage(stored):
    (stored.storage / "masks" / "A_2mm.nii.gz").write_bytes(b"garbage")
    before = stored.masks()
    assert "a run removes it, to have it regenerated" in stored.succeed(*TARGETS, "--dry-run")
    assert "`--touch` does not regenerate it" in stored.fail(*TARGETS, "--touch")
    assert stored.masks() == before


def test_what_cannot_be_retrieved_from_a_storage_is_named(stored):
    """It may be the mask, or not; here it is a pipe."""
    entry = stored.storage / "masks" / "A_2mm.nii.gz"
    entry.unlink()
    os.mkfifo(entry)
    printed = stored.fail(*TARGETS)
    assert f"{entry} cannot be looked at in its storage: " in printed
