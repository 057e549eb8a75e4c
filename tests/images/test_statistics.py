# SPDX-License-Identifier: MIT
"""Numbers of an image's voxels: where they are rounded, and what is at a limit."""

import nibabel as nib
import numpy as np
import pytest
from image_cases import MASK, compare, moved

from brainmasks.images import Counted, by_slices
from brainmasks.images.statistics import statistics
from brainmasks.nifti import bounding_box

ONE = np.ones((1, 1, 1), np.uint8)


def one_voxel(x=0.0, y=0.0, z=0.0, size=2.0):
    """Compare an image of one voxel, whose centre lies there, in mm."""
    affine = moved(x, y, z, np.diag([size, size, size, 1]))
    return compare(nib.Nifti1Image(ONE, affine))


@pytest.mark.parametrize(
    ("slope", "inter", "scaling"),
    [(None, None, None), (1, 0, None), (2, 0, (2, 0)), (1, 1, (1, 1)), (2, 1, (2, 1))],
    ids=["none", "1 and 0", "a slope", "an intercept", "both"],
)
def test_scaling_is_that_of_the_file(tmp_path, slope, inter, scaling):
    image = nib.Nifti1Image(ONE, MASK.affine)
    image.header.set_slope_inter(slope, inter)
    (tmp_path / "image.nii").write_bytes(image.to_bytes())
    assert compare(tmp_path / "image.nii").scaling == scaling


def test_image_in_memory_has_no_scaling():
    assert compare(nib.Nifti1Image(ONE, MASK.affine)).scaling is None


@pytest.mark.parametrize(
    ("x", "hemisphere", "left", "right"),
    [
        (0.0, "midline", 0, 0),
        (-1e-3, "midline", 0, 0),
        (1e-3, "midline", 0, 0),
        (-2e-3, "midline", 1, 0),
        (2e-3, "midline", 0, 1),
        (-0.5, "midline", 1, 0),
        (0.5, "midline", 0, 1),
        (-0.501, "left", 1, 0),
        (0.501, "right", 0, 1),
    ],
)
def test_side_of_a_voxel_and_of_the_image_have_their_own_limits(x, hemisphere, left, right):
    found = one_voxel(x)
    assert (found.hemisphere, found.voxels_left, found.voxels_right) == (hemisphere, left, right)


def test_volume_and_centre_are_rounded_to_the_microlitre_and_the_micrometre():
    found = one_voxel(1.23456, -7.00044, 2.0005001, size=0.75)
    assert found.volume_ml == 0.000422
    assert found.centre_of_mass_mm == (1.235, -7.0, 2.001)


def test_centre_shows_no_minus_zero():
    found = one_voxel(-1e-9, -1e-4, -0.0)
    assert [str(mm) for mm in found.centre_of_mass_mm] == ["0.0", "0.0", "0.0"]


@pytest.mark.parametrize(("inside", "fraction"), [(1, 0.3333), (2, 0.6667), (3, 1.0)])
def test_fraction_inside_is_rounded_to_four_digits(inside, fraction):
    whole = np.ones(MASK.shape, bool)
    whole[inside:] = False
    voxels = np.zeros(MASK.shape, np.uint8)
    voxels[:3, 3, 3] = 1
    found = compare(nib.Nifti1Image(voxels, MASK.affine), mask_voxels=whole)
    assert (found.voxels_inside, found.inside_fraction) == (inside, fraction)


def test_voxels_that_touch_at_a_corner_are_one_component():
    voxels = np.zeros((5, 5, 5), np.uint8)
    voxels[0, 0, 0] = voxels[1, 1, 1] = voxels[4, 4, 4] = 1
    found = compare(nib.Nifti1Image(voxels, MASK.affine))
    assert (found.components, found.largest_component) == (2, 2)


@pytest.mark.parametrize(
    ("values", "binary", "maximum", "non_finite", "voxels"),
    [
        (np.array([0, 1, 0, 1], np.uint8), True, 1, 0, 2),
        (np.array([2, 1, 0, 0], np.uint8), False, 2, 0, 2),
        (np.array([-3, -1, -7, -2], np.int16), False, -1, 0, 0),
        (np.array([1, 0.25, 0, 1]), False, 1, 0, 2),
        (np.array([np.nan, 3, -np.inf, 2]), False, 3, 2, 2),
        (np.array([np.inf, np.nan, np.nan, 0.5]), False, 0.5, 3, 0),
        (np.array([-5, np.nan, np.inf, np.inf]), False, -5, 3, 0),
        (np.array([np.nan, np.nan, np.nan, np.inf]), False, None, 4, 0),
    ],
)
@pytest.mark.parametrize("planes", [1, 2, 3, 4])
def test_what_is_said_of_values_is_the_same_in_slabs(
    values, binary, maximum, non_finite, voxels, planes
):
    image = nib.Nifti1Image(np.zeros((1, 1, 4), np.uint8), MASK.affine)
    slabs = [values[None, None, start : start + planes] for start in range(0, 4, planes)]
    counted, facts = statistics(image, slabs)
    assert counted.above.ravel().tolist() == [bool(np.isfinite(n) and n > 0.5) for n in values]
    said = [facts[key] for key in ("binary", "maximum", "non_finite", "voxels")]
    assert said == [binary, maximum, non_finite, voxels]


def test_box_of_no_voxel_is_empty_and_begins_at_0():
    assert bounding_box(np.zeros((3, 4, 5), bool)) == (slice(0, 0),) * 3
    voxels = np.zeros((3, 4, 5), bool)
    voxels[0, 1:3, 4] = True
    assert bounding_box(voxels) == (slice(0, 1), slice(1, 3), slice(4, 5))


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("flipped", [(), (0,), (1, 2), (0, 1, 2)])
def test_box_and_indices_are_those_of_every_voxel_however_it_is_stored(axes, flipped):
    rng = np.random.default_rng(3)
    for share in (0.0, 0.001, 0.01, 0.5):
        stored = np.asfortranarray(rng.random((9, 11, 70)) < share)
        stored[:2], stored[:, 8:] = False, False
        voxels = np.flip(stored.transpose(axes), flipped)
        expected = np.argwhere(voxels)
        pieces = np.concatenate([np.empty((0, 3), int), *by_slices(Counted.of(voxels))])
        assert sorted(pieces.tolist()) == expected.tolist()
        box = bounding_box(voxels)
        if not expected.size:
            assert box == (slice(0, 0),) * 3
        else:
            assert [part.start for part in box] == expected.min(axis=0).tolist()
            assert [part.stop - 1 for part in box] == expected.max(axis=0).tolist()


@pytest.mark.parametrize("planes", [1, 2, 5, 12])
@pytest.mark.parametrize("share", [0.0, 0.002, 0.01, 0.5])
def test_what_is_counted_in_slabs_is_what_is_counted_at_once(share, planes):
    voxels = np.random.default_rng(4).random((7, 9, 12)) < share
    voxels[:, :2], voxels[:, :, -3:] = False, False
    slabs = {k: Counted.of(voxels[:, :, k : k + planes]) for k in range(0, 12, planes)}
    joined, whole = Counted.joined(voxels.shape, slabs), Counted.of(voxels)
    assert (joined.shape, joined.box, joined.voxels) == (whole.shape, whole.box, whole.voxels)
    assert whole.voxels == np.count_nonzero(voxels)
    assert np.array_equal(joined.inner, whole.inner)
    assert np.array_equal(joined.above, voxels)


def test_what_is_counted_in_pieces_is_added_up(monkeypatch):
    image = nib.Nifti1Image(np.arange(60, dtype=np.uint8).reshape(3, 4, 5) % 3 // 2, MASK.affine)
    at_once = compare(image)
    monkeypatch.setattr("brainmasks.images.counted.PIECE", 1)
    assert compare(image) == at_once
    assert (at_once.voxels, at_once.voxels_inside + at_once.voxels_outside) == (20, 20)


def test_indices_come_in_pieces_that_are_bounded(monkeypatch):
    voxels = np.ones((5, 6, 7), bool)
    monkeypatch.setattr("brainmasks.images.counted.PIECE", 61)
    assert [len(piece) for piece in by_slices(Counted.of(voxels))] == [60, 60, 60, 30]
    monkeypatch.setattr("brainmasks.images.counted.PIECE", 1)
    assert [len(piece) for piece in by_slices(Counted.of(voxels))] == [30] * 7
