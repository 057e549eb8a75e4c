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


# --- Files that are no images --------------------------------------------------------------------

HTML = b"<!DOCTYPE html><html><title>Sign in &amp; go</title></html>"
GZ = gzip.compress(CONTENT)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 28476\n"
ANNEX = b"/annex/objects/MD5E-s2--0bb0.nii.gz"
ZSTD = b"\x28\xb5\x2f\xfd" + bytes(50)
TEXT = b"subject\tlesion\nsub-01\t1\n"
NO_IMAGES = {
    "HTML": (HTML, 'it is an HTML page titled "Sign in & go" (59 bytes)'),
    "git-LFS pointer": (
        LFS,
        "it is a git-LFS pointer, not the file: run `git lfs pull` in its repository (68 bytes)",
    ),
    "git-annex pointer": (
        ANNEX + b"\n",
        "it is a git-annex pointer to MD5E-s2--0bb0.nii.gz, not the file: run `git annex get` in "
        "its repository",
    ),
    "zstd": (ZSTD, "it is a file compressed with zstd: unpack it first, with `zstd -d` (54 bytes)"),
    "text": (TEXT, 'it is a text file that begins "subject lesion sub-01 1" (24 bytes)'),
    "text beyond ASCII": (
        "läsion ü".encode(),
        'it is a text file that begins "läsion ü" (10 bytes)',
    ),
    "empty": (b"", "it is an empty file"),
    "something else": (
        bytes(range(200)),
        "it has no known format: it begins with 00 01 02 03 04 05 06 07",
    ),
}


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz"])
@pytest.mark.parametrize(("data", "text"), NO_IMAGES.values(), ids=NO_IMAGES)
def test_file_that_is_no_image_is_named(tmp_path, name, data, text):
    path = tmp_path / name
    path.write_bytes(data)
    assert refusal(path) == text


GZIPPED = {
    "HTML": (gzip.compress(HTML, mtime=0), 'it is a gzip file with an HTML page titled "Sign in'),
    "text": (gzip.compress(TEXT, mtime=0), 'it is a gzip file with a text file that begins "sub'),
    "nothing": (gzip.compress(b"", mtime=0), "it is a gzip file with nothing in it (20 bytes)"),
    "gzip": (gzip.compress(GZ), "it is a gzip file with another gzip file in it: unpack it once"),
    "cut off": (GZ[:-20], "its compressed stream is cut off: the file is not whole"),
    "cut off at once": (GZ[:10], "its compressed stream is cut off: the file is not whole"),
    "not gzipped": (CONTENT, "it is not gzipped, though its name ends in .gz: rename it"),
}


@pytest.mark.parametrize("name", ["image.img", "image.nii.zst", "image.mgz"])
def test_html_page_is_named_whatever_it_is_called(tmp_path, name):
    (tmp_path / name).write_bytes(HTML)
    assert refusal(tmp_path / name) == NO_IMAGES["HTML"][1]


@pytest.mark.parametrize(("data", "text"), GZIPPED.values(), ids=GZIPPED)
def test_gzip_file_of_something_else_is_named(tmp_path, data, text):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(data)
    assert text in refusal(path)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(GZ, "it is gzipped, though its name ends in .nii: rename it", id="gzipped"),
        pytest.param(CONTENT[:200], "its header is cut off: it has 200 bytes", id="cut off"),
        pytest.param(
            patched(datatype=9999),
            "its header is not usable (data code 9999 not recognized)",
            id="unknown type",
        ),
    ],
)
def test_nifti_file_that_cannot_be_loaded_says_why(tmp_path, data, text):
    path = tmp_path / "image.nii"
    path.write_bytes(data)
    assert refusal(path) == text


def test_what_is_no_file_is_named(tmp_path):
    (tmp_path / "nowhere.nii").symlink_to("gone.nii")
    (tmp_path / "annexed.nii").symlink_to("../.git" + ANNEX.decode())
    assert refusal(tmp_path) == "it is a folder"
    assert refusal(tmp_path / "missing.nii") == "there is no such file"
    assert refusal(tmp_path / "nowhere.nii") == "it is a link to nowhere"
    assert refusal(tmp_path / "annexed.nii").startswith("it is a git-annex pointer to MD5E-s2--0bb")


def test_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "image.nii")
    assert refusal(tmp_path / "image.nii") == "it is no regular file"


def test_image_that_is_sound_is_opened(tmp_path):
    path = tmp_path / "image.nii.gz"
    path.write_bytes(gzip.compress(CONTENT))
    assert open_image(path).shape == MASK.shape
