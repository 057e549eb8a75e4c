# SPDX-License-Identifier: MIT
"""The mask that an image is compared to: what is known of one that only a file has."""

import gzip
import hashlib

import nibabel as nib
import numpy as np
import pytest
from image_cases import CONTENT, COUNT, DATA, INSIDE, MASK, REGISTRY, VOXELS, rotated

from brainmasks import BRAIN_MASK_REGISTRY, FetchError, InvalidMaskError
from brainmasks.images.reference import find_mask, on_registered_grid, read_mask_voxels
from brainmasks.registry import BrainMaskMetadata


def test_registered_mask_is_found_with_all_the_others():
    assert find_mask(MASK, REGISTRY) == (MASK, None, REGISTRY)
    assert find_mask("Alias_2mm", REGISTRY) == (MASK, None, REGISTRY)


@pytest.mark.parametrize(
    "content",
    [DATA, gzip.compress(CONTENT, 9, mtime=1), CONTENT],
    ids=["the very file", "compressed by another library", "not compressed"],
)
def test_file_of_a_registered_mask_is_that_mask(tmp_path, content):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(content)
    for form in (path, str(path)):
        found, data, known = find_mask(form, REGISTRY)
        assert (found, data) == (MASK, content)
        assert known is REGISTRY


def test_file_of_no_registered_mask_is_described_by_what_it_holds(tmp_path):
    """Stored LAS as float64: what counts is the mask in RAS order, of 0 and 1."""
    path = tmp_path / "mask.nii"
    other = (np.random.default_rng(7).random((4, 5, 6)) > 0.5).astype(np.uint8)
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = (-4, 5, -6)
    image = nib.Nifti1Image(other.astype(np.float64), affine)
    nib.save(image.as_reoriented([[0, -1], [1, 1], [2, 1]]), path)
    found, data, known = find_mask(path, REGISTRY)
    assert data == path.read_bytes()
    content = nib.Nifti1Image(other, affine).to_bytes()
    assert found == BrainMaskMetadata(
        name=str(path),
        description="",
        space="",
        resolution=3.0,
        url="",
        sha256="",
        source="",
        content_sha256=hashlib.sha256(content).hexdigest(),
        bytes=0,
        shape=(4, 5, 6),
        origin=(-4.0, 5.0, -6.0),
        voxels=int(other.sum()),
        license="",
        citation="",
    )
    assert list(known) == [str(path)]
    assert np.array_equal(read_mask_voxels(found, data), other == 1)


def test_file_of_a_mask_is_read_in_ras_order(tmp_path):
    flipped = nib.Nifti1Image(VOXELS, MASK.affine).as_reoriented([[0, -1], [1, 1], [2, 1]])
    assert np.array_equal(read_mask_voxels(MASK, flipped.to_bytes()), INSIDE)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
def test_voxels_that_are_passed_become_truth_values(dtype):
    found = on_registered_grid((2 * INSIDE).astype(dtype).tolist(), MASK)
    assert found.dtype == bool
    assert np.array_equal(found, INSIDE)


def test_voxels_that_are_passed_are_not_empty_and_have_the_registered_shape():
    with pytest.raises(InvalidMaskError, match="`mask_voxels` of A_2mm are empty: none is true"):
        on_registered_grid(np.zeros(MASK.shape), MASK)
    with pytest.raises(
        InvalidMaskError, match=r"has the shape \(5, 7, 5\), mask A_2mm \(6, 7, 5\)"
    ):
        on_registered_grid(INSIDE[1:], MASK)


@pytest.mark.parametrize("size", [[2, 2, 2.5], [2, 2.25, 2], [1.75, 2, 2]], ids=["z", "y", "x"])
def test_file_whose_voxels_are_no_cubes_is_a_mask(tmp_path, size):
    path = tmp_path / "mask.nii"
    nib.save(nib.Nifti1Image(VOXELS, np.diag([*size, 1])), path)
    found, _, _ = find_mask(path, REGISTRY)
    assert found.zooms == tuple(size)
    assert found.voxels == COUNT


def test_file_whose_axes_are_oblique_is_no_mask(tmp_path):
    path = tmp_path / "mask.nii"
    nib.save(nib.Nifti1Image(VOXELS, rotated(2, 5)), path)
    with pytest.raises(InvalidMaskError, match=r"its axes are oblique \(rotated or sheared\)"):
        find_mask(path, REGISTRY)


def test_shipped_mask_is_fetched(monkeypatch):
    """There is no network here, and so it cannot be: every source is told."""
    monkeypatch.setenv("BRAINMASKS_OFFLINE", "1")
    with pytest.raises(FetchError, match="mask MNI152NLin2009cAsym_2mm is not available from any"):
        read_mask_voxels(BRAIN_MASK_REGISTRY.get("MNI152NLin2009cAsym_2mm"), None)
