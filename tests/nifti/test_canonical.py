# SPDX-License-Identifier: MIT
"""A mask of which only the MD5 of the published file is registered: what that file must hold."""

import gzip
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

from brainmasks import BrainMaskMetadata, InvalidMaskError
from brainmasks.nifti import canonical_file, recodings

DATA, ROW = tiny_mask("A")
KNOWN = BrainMaskMetadata.from_row(ROW)
UNKNOWN = replace(
    KNOWN, sha256="", content_sha256="", md5="0" * 32, bytes=1, origin=None, voxels=None
)
IMAGE = nib.Nifti1Image.from_bytes(gzip.decompress(DATA))
VOXELS = np.asarray(IMAGE.dataobj)


def file_of(voxels, affine, qform=None) -> bytes:
    """Return a file that is not gzipped."""
    made = nib.Nifti1Image(voxels, affine)
    if qform is not None:
        made.set_qform(qform, 1)
    return made.to_bytes()


def test_all_that_was_not_known_is_known_then():
    las = IMAGE.as_reoriented([[0, -1], [1, 1], [2, 1]])
    for data in (DATA, las.to_bytes(), file_of(VOXELS.astype(np.float32), IMAGE.affine)):
        made, whole = canonical_file(data, UNKNOWN)
        assert made == DATA
        assert replace(whole, md5="", bytes=KNOWN.bytes) == KNOWN


def test_registered_file_is_handed_on():
    assert canonical_file(DATA, KNOWN) == (DATA, KNOWN)


@pytest.mark.parametrize(
    ("data", "stated", "words"),
    [
        pytest.param(file_of(VOXELS * 0, IMAGE.affine), {}, "it is empty", id="empty"),
        pytest.param(
            file_of(VOXELS, IMAGE.affine, IMAGE.affine @ np.diag([-1, 1, 1, 1])),
            {},
            "its header contradicts itself: .*; find out which is right, and state the origin",
            id="two orientations",
        ),
        pytest.param(
            file_of(VOXELS, IMAGE.affine @ np.diag([1.0004, 1, 1, 1])),
            {},
            "its grid is up to .* mm from the registered one: its voxels are not of 2 mm",
            id="other voxels",
        ),
        pytest.param(DATA, {"voxels": KNOWN.voxels + 1}, "voxels are 1, registered", id="voxels"),
        pytest.param(DATA, {"origin": (0, 0, 0)}, "its grid differs", id="origin"),
        pytest.param(DATA, {"resolution": (2, 2, 3)}, "its grid differs", id="resolution"),
        pytest.param(DATA, {"shape": (6, 7, 6)}, "its shape is", id="shape"),
    ],
)
def test_file_that_cannot_be_the_mask_is_refused(data, stated, words):
    with pytest.raises(InvalidMaskError, match=words):
        canonical_file(data, replace(UNKNOWN, **stated))


def test_stated_origin_says_which_orientation_is_right():
    data = file_of(VOXELS, IMAGE.affine, IMAGE.affine @ np.diag([-1, 1, 1, 1]))
    assert canonical_file(data, replace(UNKNOWN, origin=KNOWN.origin))[0] == DATA


def test_file_is_recoded_with_its_own_affine_too_if_that_differs():
    assert len(list(recodings(DATA, KNOWN))) == 1
    odd = IMAGE.affine.copy()
    odd[0, 2] = -0.0
    first, second = recodings(file_of(VOXELS, odd), KNOWN)
    assert first == DATA
    assert second != DATA
    assert np.array_equal(nib.Nifti1Image.from_bytes(gzip.decompress(second)).dataobj, VOXELS)
