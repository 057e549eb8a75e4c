# SPDX-License-Identifier: MIT
"""What cannot be read as an image is said in one plain sentence, with what it is instead."""

import gzip
import os

import nibabel as nib
import numpy as np
import pytest
from image_cases import CONTENT, MASK, VOXELS, compare, patched

from brainmasks.images.opening import UnreadableImage, open_image


def refusal(image) -> str:
    """Return why an image is refused, as the detail of its verdict says it, too."""
    with pytest.raises(UnreadableImage) as problem:
        open_image(image)
    found = compare(image)
    assert found.verdict == "not_an_image"
    assert found.detail.startswith(f"It cannot be read as an image: {problem.value}; ")
    return str(problem.value)


# --- Headers that nibabel corrects, or takes as they are ------------------------------------------

OFFSETS = (0, 100, 348, -16, 352.5, np.nan, np.inf)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
def test_voxels_that_begin_in_the_header_or_nowhere_are_refused(tmp_path, name, offset):
    content = patched(vox_offset=offset)
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert refusal(path) == (
        f"its header puts the voxels at byte {offset:g} (vox_offset), which must be a whole "
        "number, 352 or more"
    )


@pytest.mark.parametrize("magic", [b"n+1", b"ni1"])
def test_image_that_was_loaded_before_is_refused_for_it_too(tmp_path, magic):
    path = tmp_path / "image.nii"
    path.write_bytes(patched(magic=magic, vox_offset=0))
    assert "at byte 0 (vox_offset)" in refusal(nib.load(path))


def test_nifti_2_has_its_voxels_at_byte_544_or_later(tmp_path):
    content = bytearray(nib.Nifti2Image(VOXELS, MASK.affine).to_bytes())
    content[168:176] = (352).to_bytes(8, "little")
    path = tmp_path / "image.nii"
    path.write_bytes(content)
    assert "at byte 352 (vox_offset), which must be a whole number, 544 or more" in refusal(path)


@pytest.mark.parametrize("named", ["image.hdr", "image.img"])
def test_pair_has_its_voxels_at_byte_0_or_later(tmp_path, named):
    nib.save(nib.Nifti1Pair(VOXELS, MASK.affine), tmp_path / "image.img")
    assert compare(tmp_path / named).verdict == "identical"
    assert compare(nib.load(tmp_path / named)).verdict == "identical"
    header = tmp_path / "image.hdr"
    header.write_bytes(patched(header.read_bytes(), vox_offset=np.nan))
    assert "at byte nan (vox_offset), which must be a whole number, 0" in refusal(tmp_path / named)


@pytest.mark.parametrize("code", ["qform_code", "sform_code"])
def test_voxel_size_of_0_is_refused(tmp_path, code):
    codes = {"qform_code": 0, "sform_code": 0} | {code: 1}
    path = tmp_path / "image.nii"
    path.write_bytes(patched(pixdim=[1, 2, 0, 2, 0, 0, 0, 0], **codes))
    assert refusal(path) == "its header states voxels of 2x0x2 mm (pixdim)"


def test_size_of_an_axis_that_is_not_there_does_not_count(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(patched(dim=[2, 6, 7, 1, 1, 1, 1, 1], pixdim=[1, 2, 2, 0, 0, 0, 0, 0]))
    assert compare(path).verdict == "not_3d"


def test_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "image.nii")
    assert refusal(tmp_path / "image.nii")


def test_image_that_is_sound_is_opened(tmp_path):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(CONTENT))
    assert open_image(path).shape == MASK.shape
