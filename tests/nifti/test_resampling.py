# SPDX-License-Identifier: MIT
"""Voxels onto another grid: each value is where it was in the world, however it was stored."""

import itertools
import math

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_cases import rotated

from brainmasks.nifti.covering import covered
from brainmasks.nifti.resampling import at_least_half, count_outside, nearest, overlap

ORDERS = [
    np.column_stack([axes, signs])
    for axes in itertools.permutations(range(3))
    for signs in itertools.product([1, -1], repeat=3)
]
REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def grid(step, origin) -> np.ndarray:
    """Return the affine of a straight grid in RAS order."""
    affine = np.diag([*np.broadcast_to(step, 3), 1.0])
    affine[:3, 3] = origin
    return affine


def stored(voxels, affine, order) -> tuple[np.ndarray, np.ndarray]:
    """Return voxels and affine of the same image in another order of storage.

    The affine is rounded as a header rounds it.
    """
    image = nib.Nifti1Image(voxels, affine, dtype=voxels.dtype).as_reoriented(order)
    return np.asanyarray(image.dataobj), image.affine.astype(np.float32).astype(float)


def in_slabs(voxels, planes):
    """Return an array cut into slabs of so many planes."""
    return [voxels[:, :, start : start + planes] for start in range(0, voxels.shape[2], planes)]


def values_at_centres(voxels, affine, shape, target) -> np.ndarray:
    """Look the value of every voxel up, one by one: the closest centre, the lower at a tie.

    The source is in RAS order.
    """
    found = np.zeros(shape, voxels.dtype)
    for index in np.ndindex(shape):
        at = np.linalg.inv(affine) @ target @ (*index, 1)
        source = []
        for position, length in zip(at[:3], voxels.shape, strict=True):
            if -0.5001 <= position <= length - 0.4999:
                apart = [abs(position - n) for n in range(length)]
                source.append(next(n for n in range(length) if apart[n] < min(apart) + 2e-4))
        if len(source) == 3:
            found[index] = voxels[tuple(source)]
    return found


def volume_shared(voxels, affine, shape, target) -> np.ndarray:
    """Return the fraction that is covered, box by box, from the boxes' corners in the world."""
    fraction = np.zeros(shape)
    for index in np.ndindex(shape):
        corners = np.array([target @ (*(np.array(index) + by), 1) for by in (-0.5, 0.5)])[:, :3]
        for source in np.argwhere(voxels):
            others = np.array([affine @ (*(source + by), 1) for by in (-0.5, 0.5)])[:, :3]
            low = np.maximum(corners.min(axis=0), others.min(axis=0))
            high = np.minimum(corners.max(axis=0), others.max(axis=0))
            fraction[index] += np.clip(high - low, 0, None).prod()
    return fraction / abs(np.linalg.det(target))


SHAPES = st.tuples(*[st.integers(1, 4)] * 3)
STEPS = st.tuples(*[st.sampled_from([0.5, 0.7, 1.0, 1.5, 2.0, 3.0])] * 3)
ORIGINS = st.tuples(*[st.sampled_from([-90.0, -90.5, -89.0, -91.3, -92.125])] * 3)
GRIDS = st.tuples(SHAPES, STEPS, ORIGINS)


@given(GRIDS, GRIDS, st.sampled_from(ORDERS), st.integers(1, 4))
@REPEATABLE
def test_nearest_is_as_looked_up_one_by_one(source, target, order, planes):
    shape, affine = source[0], grid(*source[1:])
    voxels = np.arange(1, math.prod(shape) + 1).reshape(shape)
    expected = values_at_centres(voxels, affine, target[0], grid(*target[1:]))
    values, stored_affine = stored(voxels, affine, order)
    found = nearest(
        in_slabs(values, planes), values.shape, stored_affine, target[0], grid(*target[1:])
    )
    assert np.array_equal(found, expected)
    assert found.dtype == voxels.dtype


@given(GRIDS, GRIDS, st.sampled_from(ORDERS), st.integers(1, 4), st.integers(0, 2**32))
@REPEATABLE
def test_overlap_is_the_volume_that_boxes_share(source, target, order, planes, seed):
    shape, affine = source[0], grid(*source[1:])
    voxels = np.random.default_rng(seed).random(shape) < 0.6
    expected = volume_shared(voxels, affine, target[0], grid(*target[1:]))
    values, stored_affine = stored(voxels.astype(np.uint8), affine, order)
    fraction = overlap(
        in_slabs(values == 1, planes), values.shape, stored_affine, target[0], grid(*target[1:])
    )
    assert np.abs(fraction - expected).max() < 5e-5  # what the header rounds
    assert np.array_equal(at_least_half(fraction), expected > 0.49995)


@given(GRIDS, GRIDS, st.integers(0, 2**32))
@REPEATABLE
def test_what_a_mask_covers_is_found_in_its_box(source, target, seed):
    """Wherever the mask lies on its grid, and however little of the other grid it reaches."""
    shape, affine = source[0], grid(*source[1:])
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, bool, order="F")
    start = [int(rng.integers(length)) for length in shape]
    mask[tuple(map(slice, start, shape))] = rng.random([*np.subtract(shape, start)]) < 0.6
    mask[tuple(start)] = True
    expected = volume_shared(mask, affine, target[0], grid(*target[1:]))
    found = covered(mask, affine, target[0], grid(*target[1:]))
    assert np.array_equal(found.voxels, expected > 0.49995)
    assert abs(found.fractions - expected.sum()) < 1e-4 * (1 + expected.size)
    ml, target_ml = (abs(np.linalg.det(grid(*each[1:]))) for each in (source, target))
    assert abs(found.inside * ml - expected.sum() * target_ml) < 1e-3 * mask.sum() * ml


# From each to the other: ties (2 to 1 mm), centres on centres (1 to 2 mm), nothing in common.
PAIRS = {
    "2 mm to 1 mm": (grid(2, -90), grid(1, -91)),
    "1 mm to 2 mm": (grid(1, -91), grid(2, -90)),
    "0.7 mm to 2 mm": (grid(0.7, -90.3), grid(2, -90)),
    "oblique": (rotated(2, 7.0) @ grid(0.5, (1, -1, 2)), grid(1, (-3, -11, -1))),
    "oblique, about x": (rotated(0, -30.0) @ grid(0.6, (1, -1, 2)), grid(1, (-4, -5, -3))),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_order_of_storage_changes_no_voxel(pair):
    affine, target = PAIRS[pair]
    voxels = np.random.default_rng(1).integers(0, 9, (9, 8, 7))
    shape = (10, 9, 11)
    expected = nearest([voxels], voxels.shape, affine, shape, target)
    assert np.count_nonzero(expected) > 20
    for order in ORDERS:
        values, stored_affine = stored(voxels, affine, order)
        found = nearest(in_slabs(values, 3), values.shape, stored_affine, shape, target)
        assert np.array_equal(found, expected), order
        assert np.array_equal(found, values_at_centres(voxels, affine, shape, target)), order


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if "oblique" not in pair])
def test_order_of_storage_changes_no_overlap(pair):
    affine, target = PAIRS[pair]
    voxels = np.random.default_rng(1).random((9, 8, 7)) < 0.6
    shape = (10, 9, 11)
    expected = at_least_half(overlap([voxels], voxels.shape, affine, shape, target))
    assert expected.any()
    for order in ORDERS:
        values, stored_affine = stored(voxels.astype(np.uint8), affine, order)
        found = overlap(in_slabs(values > 0, 3), values.shape, stored_affine, shape, target)
        assert np.array_equal(at_least_half(found), expected), order


def test_tie_takes_the_left_posterior_inferior_voxel():
    """A voxel of 2 mm becomes the eight of 1 mm up to its right, front and top faces."""
    voxels = np.zeros((3, 3, 3), np.uint8)
    voxels[1, 1, 1] = 1
    found = nearest([voxels], voxels.shape, grid(2, 0), (7, 7, 7), grid(1, -1))
    # Centres at 2 and 3 mm: the voxel reaches from 1 to 3 mm.
    assert (np.argwhere(found) - 1).tolist() == list(map(list, itertools.product([2, 3], repeat=3)))


def test_rim_of_the_source_reaches_to_its_outer_faces():
    voxels = np.ones((2, 2, 2), np.uint8)
    # The source reaches from -1 to 3 mm, faces included.
    found = nearest([voxels], voxels.shape, grid(2, 0), (41, 1, 1), grid((0.2, 1, 1), (-3, 0, 0)))
    centres = np.linspace(-3, 5, 41)[found[:, 0, 0] > 0]
    assert (centres.min(), centres.max()) == (pytest.approx(-1), pytest.approx(3))
    assert len(centres) == 21


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int8, np.int16, np.uint64, np.float32, np.longdouble, ">i2", bool]
)
def test_values_keep_their_type_and_every_bit(dtype):
    voxels = np.array([[[0, 1], [2, 3]], [[4, 5], [6, 7]]]).astype(dtype)
    for affine in (grid(2, 0), rotated(2, 10.0)):
        found = nearest([voxels], (2, 2, 2), affine, (4, 4, 4), grid(1, -1))
        assert found.dtype == voxels.dtype
        assert set(found.ravel().tolist()) <= {0, *voxels.ravel().tolist()}


@pytest.mark.parametrize("turned", [False, True])
def test_large_labels_stay_exact(turned):
    voxels = 2**53 + np.arange(1, 28, dtype=np.int64).reshape(3, 3, 3)
    affine = rotated(2, 3.0) if turned else grid(2, (-6, -8, -4))
    found = nearest([voxels], (3, 3, 3), affine, (9, 9, 9), grid(1, (-7, -9, -5)))
    assert set(found.ravel().tolist()) - {0} == set(voxels.ravel().tolist())


def test_nan_stays_where_it_is():
    voxels = np.zeros((2, 2, 2), np.float32)
    voxels[1, 0, 0] = np.nan
    found = nearest([voxels], (2, 2, 2), grid(2, 0), (4, 4, 4), grid(1, -0.5))
    assert np.isnan(found[2:, :2, :2]).all()
    assert np.count_nonzero(np.isnan(found)) == 8


def test_one_half_counts_and_less_does_not():
    voxel = np.ones((1, 1, 1), bool)
    for size, expected in ((1.0, True), (0.999, False), (1.001, True)):
        fraction = overlap([voxel], (1, 1, 1), grid((size, 2, 2), 0), (1, 1, 1), grid(2, 0))
        assert at_least_half(fraction).all() == expected, size


def test_three_tenths_and_two_tenths_are_one_half():
    """0.3 + 0.2 of a voxel, in steps that floating point cannot hold."""
    voxels = np.ones((5, 1, 1), bool)
    affine = grid((0.1, 1, 1), (0.05 - 0.5, 0, 0))
    values, stored_affine = stored(voxels.astype(np.uint8), affine, ORDERS[-1])
    fraction = overlap([values > 0], values.shape, stored_affine, (1, 1, 1), grid(1, 0))
    assert fraction.item() == pytest.approx(0.5, abs=1e-5)
    assert at_least_half(fraction).all()


def test_overlap_is_for_straight_axes_only():
    with pytest.raises(ValueError, match="do not lie along"):
        overlap([np.ones((9, 9, 9), bool)], (9, 9, 9), rotated(1, 1.0), (4, 4, 4), grid(1, 0))


@pytest.mark.parametrize("degrees", [0, 20])
def test_voxels_outside_are_counted_by_their_centres(degrees):
    voxels = np.random.default_rng(2).random((9, 8, 7)) < 0.3
    affine = rotated(2, degrees)
    target, shape = grid(2, (-3, -6, -3)), (5, 6, 4)
    expected = 0
    for index in np.argwhere(voxels):
        at = (np.linalg.inv(target) @ affine @ (*index, 1))[:3]
        expected += bool((at < -0.5001).any() or (at > np.array(shape) - 0.4999).any())
    assert 0 < expected < voxels.sum()
    found = sum(
        count_outside(slab, start, affine, shape, target)
        for start, slab in zip(range(0, 7, 2), in_slabs(voxels, 2), strict=True)
    )
    assert found == expected
    assert count_outside(voxels, 0, affine, (99, 99, 99), grid(2, -80)) == 0
    assert count_outside(voxels & False, 0, affine, shape, target) == 0
