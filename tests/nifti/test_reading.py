# SPDX-License-Identifier: MIT
"""Voxels and files: read as they are stored, each in its place, and written nowhere else."""

import io

import nibabel as nib
import numpy as np
import pytest
from support import TINY_AFFINE

from brainmasks.nifti import as_nii_gz, read_image, scaled_voxels, stored_voxels

# Another number at each place.
VOXELS = np.arange(6 * 7 * 5, dtype=np.int16).reshape(6, 7, 5)
IMAGE = nib.Nifti1Image(VOXELS, TINY_AFFINE)


def with_slope(image, slope: float) -> bytes:
    """Return an image with a slope in its header, and the intercept 0."""
    content = image.to_bytes()
    return content[:112] + np.array([slope, 0], np.float32).tobytes() + content[120:]


def test_stored_voxels_keep_their_places_and_are_not_scaled():
    image = read_image(with_slope(IMAGE, 2))
    assert (stored_voxels(image) == VOXELS).all()
    assert (scaled_voxels(image) == 2 * VOXELS).all()


def test_voxel_that_its_slope_makes_infinite_is_infinite_and_no_warning():
    image = nib.Nifti1Image(np.full((1, 1, 1), 1e308), TINY_AFFINE)
    assert scaled_voxels(read_image(with_slope(image, 10))) == np.inf


def test_stored_voxels_are_those_of_a_file_in_memory():
    with pytest.raises(TypeError, match="ndarray"):
        stored_voxels(IMAGE)
    with (
        io.BufferedReader(io.BytesIO(IMAGE.to_bytes())) as file,
        pytest.raises(TypeError, match="BufferedReader"),
    ):
        stored_voxels(nib.Nifti1Image.from_stream(file))


def test_file_is_written_in_no_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert as_nii_gz(IMAGE)[:2] == b"\x1f\x8b"
    assert list(tmp_path.iterdir()) == []
