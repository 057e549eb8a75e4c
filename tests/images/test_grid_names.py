# SPDX-License-Identifier: MIT
"""Grids that the world knows, and crops and pads of a mask's grid, are named; spaces are not."""

import itertools
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from image_cases import B2, FINE, MASK, REGISTRY, UNREAD, compare, moved, rotated

from brainmasks import BRAIN_MASK_REGISTRY, compare_to_mask
from brainmasks.images import Grid
from brainmasks.images.grid_names import known_grid, spaces_of_grid
from brainmasks.images.grids import lattice_offset
from brainmasks.registry import BrainMaskRegistry, lacunas_masks, shipped_grids

GRIDS = shipped_grids()
ORDERS = {
    "RAS": ((0, 1, 2), (1, 1, 1)),
    "LAS": ((0, 1, 2), (-1, 1, 1)),
    "LPI": ((0, 1, 2), (-1, -1, -1)),
    "permuted": ((2, 0, 1), (1, -1, 1)),
}
REGISTERED = (
    "FSL-1mm",
    "FSL-2mm",
    "HCP-0.7mm",
    "HCP-0.8mm",
    "TemplateFlow-1mm",
    "TemplateFlow-2mm",
)


def image_on(shape, affine, order="RAS") -> nib.Nifti1Image:
    """Return an image without any voxel above 0 on a grid, in a storage order."""
    # One value for all voxels: large images take no memory.
    image = nib.Nifti1Image(np.broadcast_to(np.uint8(0), shape), affine)
    return image.as_reoriented(np.column_stack(ORDERS[order]))


def named(name: str, order="RAS") -> nib.Nifti1Image:
    """Return an image on a known grid."""
    return image_on(GRIDS[name].shape, GRIDS[name].affine, order)


def judged(image, mask: str):
    """Compare an image's header with a shipped mask."""
    return compare_to_mask(image, mask, voxels=False)


# --- Known grids --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", GRIDS)
def test_every_known_grid_is_recognised_in_any_storage_order(name, order):
    assert known_grid(Grid.of(named(name, order))) is GRIDS[name]


@pytest.mark.parametrize("name", GRIDS)
def test_another_grid_is_not_taken_for_a_known_one(name):
    known = GRIDS[name]
    off = known.affine
    off[0, 3] += 2e-3
    wide = known.affine @ np.diag([1.001, 1, 1, 1])
    longer = (known.shape[0] + 1, *known.shape[1:])
    for shape, affine in ((known.shape, off), (known.shape, wide), (longer, known.affine)):
        assert known_grid(Grid.of(image_on(shape, affine))) is None


@pytest.mark.parametrize("mask", lacunas_masks())
@pytest.mark.parametrize("name", [name for name in GRIDS if name not in REGISTERED])
def test_image_on_a_known_grid_is_told_who_uses_it_and_no_space(name, mask):
    found = judged(named(name, "LAS"), mask)
    assert found.verdict == "unknown_grid"
    assert f" It is the grid {name}, used by {GRIDS[name].used_by}. " in found.detail
    assert "The grid does not tell the space: if the image is in MNI152NLin" in found.detail
    assert found.detail.endswith("; otherwise it needs a registration.")
    assert "transform it to" not in found.detail


def test_image_on_a_grid_that_nobody_is_known_to_use():
    found = compare(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.diag([3, 3, 3, 1])))
    assert found.detail == (
        "Its grid is that of no registered mask: shape 4x4x4, voxels of 3x3x3 mm, stored RAS, "
        "origin 0,0,0 mm. The grid does not tell the space: if the image is in A, resample it to "
        "the grid of A_2mm (config key `resample`); otherwise it needs a registration."
    )


def test_oblique_image_may_be_in_the_space_of_the_mask():
    found = compare(nib.Nifti1Image(np.ones(MASK.shape, np.uint8), rotated(2, 5)))
    assert "transform it to" not in found.detail
    assert (
        "; if it is in A, resample it to the mask's grid (config key `resample`), "
        "otherwise it needs a registration."
    ) in found.detail


def test_known_grid_of_the_masks_shape_at_another_position_is_named():
    lesymap = GRIDS["LESYMAP-1mm"]
    mask = replace(
        MASK, name="A_1mm", resolution=1.0, shape=lesymap.shape, origin=lesymap.origin, **UNREAD
    )
    registry = BrainMaskRegistry([mask], {})
    found = compare_to_mask(named("AFQ-1mm"), mask, registry=registry, voxels=False)
    assert (found.verdict, found.shift_mm) == ("shifted", (-1.0, -2.0, -2.0))
    assert found.detail.endswith(" It is the grid AFQ-1mm, used by AFQ's regions of interest.")


def test_registered_grid_that_the_masks_space_has_too_is_no_reason_for_a_registration():
    """A 1 mm image may be in 2009cSym, though its grid is registered for 2009cAsym only."""
    other = BRAIN_MASK_REGISTRY.get("MNI152NLin2009cAsym_1mm")
    mask = replace(MASK, name="MNI152NLin2009cSym_2mm", space="MNI152NLin2009cSym", **UNREAD)
    registry = BrainMaskRegistry([mask, other], {})
    found = compare_to_mask(named("TemplateFlow-1mm"), mask, registry=registry, voxels=False)
    assert (found.verdict, found.other) == ("other_space", other.name)
    assert "transform it to" not in found.detail
    assert found.detail.endswith(
        "; MNI152NLin2009cSym has this very grid, too: if the image is in MNI152NLin2009cSym, "
        "resample it to the grid of MNI152NLin2009cSym_2mm, otherwise use "
        "MNI152NLin2009cAsym_1mm for it."
    )
    found = judged(named("TemplateFlow-1mm"), "MNI152NLin6Asym_1mm")
    assert "or transform it to MNI152NLin6Asym by a registration" in found.detail


# --- The spaces that have a grid ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mask", "spaces"),
    [
        (
            "TemplateFlow-1mm",
            "MNI152NLin2009cAsym_1mm",
            ["MNI152NLin2009aAsym", "MNI152NLin2009aSym", "MNI152NLin2009cSym", "MNI152NLin6Sym"],
        ),
        ("TemplateFlow-2mm", "MNI152NLin2009cAsym_2mm", []),
        ("FSL-2mm", "MNI152NLin6Asym_2mm", []),
        ("FSL-1mm", "MNI152NLin2009cAsym_1mm", ["MNI152NLin6Asym"]),
        ("ICBM-1mm", "MNI152NLin6Asym_1mm", ["MNI152NLin2009aAsym", "MNIPediatricAsym"]),
        ("SPM12-2mm", "MNI152NLin6Asym_2mm", []),
    ],
)
def test_spaces_of_a_known_grid(name, mask, spaces):
    metadata = BRAIN_MASK_REGISTRY.get(mask)
    for order in ORDERS:
        grid = Grid.of(named(name, order))
        assert spaces_of_grid(grid, metadata, BRAIN_MASK_REGISTRY) == spaces


def test_spaces_of_registered_masks_count_too():
    twin = replace(MASK, name="C_2mm", space="C", **UNREAD)
    registry = BrainMaskRegistry([MASK, twin, replace(B2, **UNREAD)], {})
    grid = Grid.of(image_on(MASK.shape, MASK.affine, "LAS"))
    assert spaces_of_grid(grid, MASK, registry) == ["C"]
    assert spaces_of_grid(grid, twin, registry) == ["A"]
    assert spaces_of_grid(grid, MASK, REGISTRY) == []


# --- Crops and pads of the mask's grid ----------------------------------------------------------


def with_margins(margins, mask=MASK, order="RAS") -> nib.Nifti1Image:
    """Return an image on a mask's grid with so many voxels more at the six sides."""
    low, high = np.array(margins[::2]), np.array(margins[1::2])
    affine = mask.affine
    affine[:3, 3] -= mask.resolution * low
    shape = tuple(int(n) for n in np.array(mask.shape) + low + high)
    return image_on(shape, affine, order)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("axis", range(3))
def test_every_crop_and_pad_is_recognised_with_its_numbers(axis, order):
    for pair in itertools.product(range(-2, 3), repeat=2):
        margins = [0] * 6
        margins[2 * axis : 2 * axis + 2] = pair
        found = compare(with_margins(margins, order=order), voxels=False)
        if pair == (0, 0):
            assert found.verdict == ("identical" if order == "RAS" else "reoriented")
            assert found.lattice is None
            continue
        assert found.lattice == tuple(margins)
        assert found.verdict == ("shifted" if sum(pair) == 0 else "unknown_grid")
        assert "align it to A_2mm, which only crops and pads it" in found.detail
        assert "transform it to" not in found.detail


def test_crops_and_pads_at_all_sides_at_once():
    for margins in np.random.default_rng(0).integers(-2, 3, (200, 6)):
        found = compare(with_margins(margins), voxels=False)
        assert found.lattice == (tuple(margins) if margins.any() else None)


@pytest.mark.parametrize("axis", range(3))
def test_grid_off_by_half_a_voxel_or_more_than_the_tolerance_is_no_crop(axis):
    for mm in (1.0, -1.0, 3.0, 2e-3, -2e-3):
        for margins in ((-1, -1, 0, 0, 0, 0), (1, 0, 1, 0, 1, 0), (1, -1, 0, 0, 0, 0)):
            image = with_margins(margins)
            affine = moved(**{"xyz"[axis]: mm}, affine=image.affine)
            off = image_on(image.shape, affine)
            assert lattice_offset(Grid.of(off), MASK) is None
            found = compare(off, voxels=False)
            assert found.lattice is None
            assert "align it" not in found.detail


@pytest.mark.parametrize("axis", range(3))
def test_grid_within_the_tolerance_is_a_crop(axis):
    image = with_margins((-1,) * 6)
    close = image_on(image.shape, moved(**{"xyz"[axis]: 5e-4}, affine=image.affine))
    assert lattice_offset(Grid.of(close), MASK) == (-1, -1, -1)


def test_tolerance_holds_over_the_whole_volume():
    """A voxel that is too large by 1e-4 mm adds up to more along an axis."""
    wide = MASK.affine @ np.diag([1 + 5e-5, 1, 1, 1])
    assert lattice_offset(Grid.of(image_on((5, 7, 5), wide)), MASK) == (0, 0, 0)
    assert lattice_offset(Grid.of(image_on((50, 7, 5), wide)), MASK) is None


def test_voxels_of_another_size_or_oblique_are_no_crop():
    for affine in (FINE.affine, np.diag([2, 2, 3, 1]), rotated(2, 5)):
        assert lattice_offset(Grid.of(image_on((5, 7, 5), affine)), MASK) is None


@pytest.mark.parametrize("axis", range(3))
def test_grid_without_a_common_voxel_is_no_crop(axis):
    size = MASK.shape[axis]
    for far, common in ((size, False), (size - 1, True), (-size, False), (1 - size, True)):
        affine = moved(**{"xyz"[axis]: 2 * far}, affine=MASK.affine)
        assert (lattice_offset(Grid.of(image_on(MASK.shape, affine)), MASK) is not None) == common


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("margins", [(-1,) * 6, (2, 1, 0, -2, 1, 1), (-2, 2, 3, 0, 0, -1)])
def test_voxels_at_the_offset_lie_where_those_of_the_mask_lie(margins, order):
    image = with_margins(margins, order=order)
    grid = Grid.of(image)
    offset = np.array(lattice_offset(grid, MASK))
    for index in np.ndindex(MASK.shape):
        there = grid.ras_affine @ (*(index + offset), 1)
        assert there == pytest.approx(MASK.affine @ (*index, 1))
    # And by nibabel alone: the values of the image, by world coordinates, are those at the offset.
    numbers = np.arange(np.prod(image.shape)).reshape(image.shape)
    ras = nib.as_closest_canonical(nib.Nifti1Image(numbers, image.affine, dtype="int64"))
    for index in np.ndindex(MASK.shape):
        at = np.array(index) + offset
        if (at >= 0).all() and (at < ras.shape).all():
            x, y, z = np.rint(np.linalg.solve(image.affine, MASK.affine @ (*index, 1)))[:3].astype(
                int
            )
            assert ras.dataobj[tuple(at)] == numbers[x, y, z]


# --- What the user is told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("margins", "words"),
    [
        ((-1,) * 6, "1 voxel less on each side"),
        ((2,) * 6, "2 voxels more on each side"),
        ((-1, 0, 0, 0, 0, 0), "1 voxel less at the left"),
        ((0, -2, 0, 0, 0, 0), "2 voxels less at the right"),
        ((-1, 0, -1, 0, -1, 0), "1 voxel less at the left, back and bottom"),
        ((-1, 0, 0, 0, 0, 2), "1 voxel less at the left, 2 more at the top"),
        ((0, 0, 2, 2, -1, 0), "2 voxels more at the back and front, 1 less at the bottom"),
    ],
)
def test_crop_or_pad_in_words(margins, words):
    found = compare(with_margins(margins), voxels=False)
    assert (
        f" mm. It is that of A_2mm with {words}. The grid does not tell the space" in found.detail
    )


def test_shift_by_whole_voxels_in_words():
    found = compare(with_margins((-1, 1, 0, 0, 0, 0)), voxels=False)
    assert found.detail == (
        "It has the shape and voxels of A_2mm, shifted by x +2, y +0, z +0 mm, that is 1 voxel "
        "less at the left, 1 more at the right; if only its header is wrong, correct the origin "
        "there, otherwise align it to A_2mm, which only crops and pads it and changes no value."
    )
    found = compare(image_on(MASK.shape, moved(x=1)), voxels=False)
    assert found.detail.endswith(
        "shifted by x +1, y +0, z +0 mm; if only its header is wrong, correct the origin there, "
        "otherwise resample it to the grid of A_2mm (config key `resample`)."
    )


def test_lesymaps_grid_against_fsls():
    found = judged(named("LESYMAP-1mm", "LAS"), "MNI152NLin6Asym_1mm")
    assert found.lattice == (-1, 0, -1, 0, -1, 0)
    assert found.detail == (
        "Its grid is that of no registered mask: shape 181x217x181, voxels of 1x1x1 mm, stored "
        "LAS, origin -90,-125,-71 mm. It is the grid LESYMAP-1mm, used by LESYMAP's lesions and "
        "templates, AAL as MRIcroN ships it (Colin27, ch2). It is that of MNI152NLin6Asym_1mm with "
        "1 voxel less at the left, back and bottom. The grid does not tell the space: if the image "
        "is in MNI152NLin6Asym, align it to MNI152NLin6Asym_1mm, which only crops and pads it and "
        "changes no value; otherwise it needs a registration."
    )


def test_crop_of_the_same_space_at_another_resolution():
    coarse = BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm")
    found = judged(with_margins((-1,) * 6, coarse), "MNI152NLin6Asym_1mm")
    assert found.lattice is None
    assert " It is that of MNI152NLin6Asym_2mm with 1 voxel less on each side. " in found.detail
    assert "resample it to the grid of MNI152NLin6Asym_1mm (config key `resample`)" in found.detail
    # The 2 mm grid of another space is no reason to take the image for one of that space.
    found = judged(with_margins((-1,) * 6, coarse), "MNI152NLin2009cAsym_1mm")
    assert "MNI152NLin6Asym" not in found.detail
