"""Many images in several processes, against published masks."""

import os

import pytest
from support import tiny_mask

from brainmasks import InvalidMaskError, MaskError
from brainmasks.images import PublishedMask, in_processes
from brainmasks.registry import BrainMaskMetadata


def test_killed_process_is_told_with_what_to_do():
    with pytest.raises(MaskError, match=r"one of 2 processes .* was killed.*mem_mb"):
        in_processes(os._exit, [1, 1], workers=2)


def test_mask_that_is_damaged_after_it_was_published_is_named(tmp_path):
    data, row = tiny_mask("A")
    path = tmp_path / "A_2mm.nii.gz"
    path.write_bytes(data[:-4])
    metadata = BrainMaskMetadata.from_row(row | {"url": "https://example.org/A"})
    published = PublishedMask(path, metadata)
    with pytest.raises(
        InvalidMaskError,
        match=f"A_2mm: {path} is not the registered .*regenerated",
    ):
        published.voxels()
