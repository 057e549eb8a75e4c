# SPDX-License-Identifier: MIT
"""A mirrored mask is named with the axes that are flipped, and nothing else is called one."""

import gzip
import hashlib
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

import brainmasks
from brainmasks.nifti import (
    as_nii_gz,
    flipped_along,
    is_registered,
    read_image,
    scaled_voxels,
)
from brainmasks.registry import BrainMaskMetadata

DATA, ROW = tiny_mask()
MASK = BrainMaskMetadata.from_row(ROW)
VOXELS = np.asanyarray(nib.Nifti1Image.from_bytes(gzip.decompress(DATA)).dataobj)
AXES = {
    (0,): "x",
    (1,): "y",
    (2,): "z",
    (0, 1): "x and y",
    (0, 2): "x and z",
    (1, 2): "y and z",
    (0, 1, 2): "x, y and z",
}


@pytest.mark.parametrize(("axes", "words"), AXES.items(), ids=AXES.values())
@pytest.mark.parametrize("dtype", [bool, np.uint8])
def test_mirrored_mask_is_found_with_its_axes(axes, words, dtype):
    assert flipped_along(np.flip(VOXELS, axes).astype(dtype), MASK) == words


def with_another(voxels: np.ndarray) -> np.ndarray:
    """Return voxels of which one that was 0 is 1, and one that was 1 is 0."""
    changed = voxels.copy()
    changed[tuple(np.argwhere(voxels == 0)[0])] = 1
    changed[tuple(np.argwhere(voxels == 1)[0])] = 0
    return changed


@pytest.mark.parametrize(
    "voxels",
    [
        pytest.param(VOXELS, id="the mask itself"),
        pytest.param(with_another(VOXELS[::-1]), id="mirrored, and one voxel moved"),
        pytest.param(np.zeros_like(VOXELS), id="empty"),
        pytest.param(VOXELS[:-1], id="another shape"),
        pytest.param(VOXELS.transpose(1, 0, 2), id="axes swapped"),
        pytest.param(np.roll(VOXELS, 1, axis=0), id="shifted by a voxel"),
    ],
)
def test_nothing_else_is_called_a_mirrored_mask(voxels):
    assert flipped_along(voxels, MASK) is None


def test_mask_is_registered_by_its_voxels_alone():
    assert is_registered(VOXELS, MASK)
    assert is_registered(VOXELS == 1, MASK)
    for other in (with_another(VOXELS), VOXELS[::-1], VOXELS[:-1], np.zeros_like(VOXELS)):
        assert not is_registered(other, MASK)
    assert not is_registered(VOXELS, replace(MASK, voxels=MASK.voxels + 1))


def test_mask_that_is_its_own_mirror_image_is_flipped_along_as_few_axes_as_possible():
    symmetric = VOXELS | VOXELS[:, :, ::-1]
    content = gzip.decompress(as_nii_gz(nib.Nifti1Image(symmetric, MASK.affine)))
    mask = replace(
        MASK, voxels=int(symmetric.sum()), content_sha256=hashlib.sha256(content).hexdigest()
    )
    assert flipped_along(symmetric[::-1, :, ::-1], mask) == "x"


def test_real_mirrored_mask_is_found(real):
    data = (real / "more" / "pynets_MNI152_T1_brain_mask_2mm.nii.gz").read_bytes()
    voxels = scaled_voxels(read_image(gzip.decompress(data))) == 1
    mask = brainmasks.BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm")
    assert flipped_along(voxels, mask) == "x"
    assert flipped_along(voxels[::-1], mask) is None
