# SPDX-License-Identifier: MIT
"""How an image's voxels lie to a brain: each limit, and what a user is told on either side."""

import hashlib
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from image_cases import COUNT, FINE, MASK, REGISTRY, UNREAD, VOXELS, compare

from brainmasks.images import Counted, Grid
from brainmasks.images.acceptance import Policy
from brainmasks.images.likeness import place_findings, same_mask
from brainmasks.nifti.canonical import canonical_image
from brainmasks.registry import BrainMaskRegistry

ON_MASK = Grid.of(nib.Nifti1Image(VOXELS, MASK.affine))
ON_FINE = Grid.of(nib.Nifti1Image(np.zeros(FINE.shape, np.uint8), FINE.affine))


def place(inside: int, outside: int, grid=ON_MASK, size=100, min_inside=0.5):
    """Return detail by code of what is found of so many voxels, against a mask of `size`."""
    facts = {"voxels_inside": inside, "voxels_outside": outside}
    findings = place_findings(facts, Counted.of(VOXELS > 0), grid, MASK, size, min_inside)
    return {each.code: each.detail for each in findings}


LIMITS = {
    (0, 0): [],
    (1, 0): [],
    (0, 1): ["mostly_outside"],
    (49, 51): ["mostly_outside"],
    (5, 5): ["partly_outside"],
    (50, 50): ["partly_outside"],
    (53, 7): ["partly_outside"],
    (54, 6): [],
    (80, 0): ["is_other_mask"],
    (81, 0): ["covers_brain", "is_other_mask"],
    (66, 0): [],
    (67, 0): ["is_other_mask"],
    (80, 19): ["partly_outside", "is_other_mask"],
    (79, 21): ["partly_outside"],
    (90, 500): ["mostly_outside", "covers_brain"],
}


@pytest.mark.parametrize("counts", LIMITS, ids=[f"{n} inside, {m} outside" for n, m in LIMITS])
def test_limits_of_what_lies_inside(counts):
    assert list(place(*counts)) == LIMITS[counts]


def test_fraction_below_which_most_lies_outside_is_a_parameter():
    assert list(place(60, 40, min_inside=0.61)) == ["mostly_outside"]
    assert list(place(60, 40, min_inside=0.6)) == ["partly_outside"]
    assert list(place(54, 6, min_inside=0.95)) == ["mostly_outside"]


def test_details_state_counts_and_fractions():
    assert "Only 25 % of its voxels lie inside the brain of A_2mm;" in place(1, 3)["mostly_outside"]
    found = place(85, 15)
    assert found["partly_outside"].startswith(
        "15 of its 100 voxels lie outside the brain of A_2mm (85 % inside);"
    )
    assert found["covers_brain"].startswith("It covers 85 % of the brain of A_2mm;")
    assert found["is_other_mask"].startswith(
        "It resembles the brain mask A_2mm, but is another one: 15 of its 100 voxels lie outside, "
        "15 of the 100 of A_2mm are missing;"
    )


def test_voxels_of_another_size_are_counted_in_those_of_the_mask():
    """Eight voxels of 1 mm are one of 2 mm."""
    assert "covers_brain" not in place(640, 0, ON_FINE)
    found = place(648, 80, ON_FINE)
    assert found["covers_brain"].startswith("It covers 81 % ")
    assert ("another one: 80 of its 728 voxels lie outside, and it covers 81 % of A_2mm;") in found[
        "is_other_mask"
    ]
    assert list(place(528, 0, ON_FINE)) == []
    assert list(place(536, 0, ON_FINE)) == ["is_other_mask"]
    # Exactly four fifths.
    assert list(place(640, 160, ON_FINE)) == ["partly_outside", "is_other_mask"]


def test_no_more_than_the_brain_is_covered():
    assert "It covers 100 % of the brain" in place(900, 0, ON_FINE)["covers_brain"]


@pytest.mark.parametrize(
    ("voxels", "codes"),
    [
        (VOXELS, ("is_a_mask",)),
        (VOXELS[::-1], ("is_flipped_mask",)),
        (VOXELS[:, ::-1, ::-1], ("is_flipped_mask",)),
    ],
    ids=["as it is", "flipped along x", "flipped along y and z"],
)
def test_registered_mask_is_known_as_it_is_or_flipped(voxels, codes):
    assert compare(nib.Nifti1Image(voxels, MASK.affine)).codes == codes


def test_other_registered_mask_of_the_grid_is_named():
    """It may stand anywhere in the registry, behind masks of other grids and other voxels."""
    voxels = (np.random.default_rng(1).random(MASK.shape) > 0.5).astype(np.uint8)
    content = canonical_image(voxels, MASK.affine).to_bytes()
    other = replace(
        MASK,
        name="Other_2mm",
        voxels=int(voxels.sum()),
        content_sha256=hashlib.sha256(content).hexdigest(),
    )
    las = Grid.of(nib.Nifti1Image(voxels, MASK.affine).as_reoriented([[0, -1], [1, 1], [2, 1]]))
    for grid, above in ((ON_MASK, voxels), (las, voxels[::-1])):
        found = same_mask(Counted.of(above == 1), grid, [FINE, MASK, other])
        assert (found.code, "brain mask Other_2mm;" in found.detail) == ("is_a_mask", True)
        found = same_mask(Counted.of(above[:, ::-1] == 1), grid, [FINE, MASK, other])
        assert found.code == "is_flipped_mask"
        assert "brain mask Other_2mm, flipped along y;" in found.detail
        assert same_mask(Counted.of(above == 1), grid, [FINE, MASK]) is None
    registry = BrainMaskRegistry([*map(REGISTRY.get, REGISTRY), other], aliases={})
    found = compare(nib.Nifti1Image(voxels, MASK.affine), registry=registry)
    assert "is_a_mask" in found.codes
    assert found.equals_mask is False


def test_mask_that_is_compared_to_need_not_be_registered():
    made = nib.Nifti1Image(VOXELS, MASK.affine)
    found = compare(made, registry=BrainMaskRegistry([FINE], aliases={}))
    assert (found.codes, found.equals_mask) == (("is_a_mask",), True)
    assert "brain mask A_2mm;" in found.findings[0].detail


def test_mask_of_other_values_is_a_mask_and_not_binary():
    found = compare(nib.Nifti1Image(VOXELS * np.uint8(255), MASK.affine))
    assert found.codes == ("not_binary", "is_a_mask")


def test_spaces_that_share_the_grid_are_told_of_an_image_that_is_no_mask():
    others = [replace(MASK, name=f"{space}_2mm", space=space, **UNREAD) for space in "DC"]
    registry = BrainMaskRegistry([MASK, *others], aliases={})
    lesion = np.zeros(MASK.shape, np.uint8)
    for index in np.argwhere(VOXELS)[:3]:
        lesion[tuple(index)] = 1
    (finding,) = compare(nib.Nifti1Image(lesion, MASK.affine), registry=registry).findings
    assert finding.code == "shared_grid"
    assert finding.detail == (
        "Its grid does not tell its space: it is also that of C and D; make sure that the image "
        "is in the space of A_2mm."
    )
    las = nib.Nifti1Image(lesion, MASK.affine).as_reoriented([[0, -1], [1, 1], [2, 1]])
    assert compare(las, registry=registry).codes == ("shared_grid",)
    assert compare(nib.Nifti1Image(VOXELS, MASK.affine), registry=registry).codes == ("is_a_mask",)
    fine = nib.Nifti1Image(np.zeros(FINE.shape, np.uint8), FINE.affine)
    assert compare(fine, registry=registry).codes == ("empty",)


def test_mask_with_a_voxel_more_equals_no_mask():
    more = VOXELS.copy()
    more[tuple(np.argwhere(VOXELS == 0)[0])] = 1
    found = compare(nib.Nifti1Image(more, MASK.affine))
    assert (found.equals_mask, found.voxels_inside, found.voxels_outside) == (False, COUNT, 1)
    less = VOXELS.copy()
    less[tuple(np.argwhere(VOXELS == 1)[0])] = 0
    found = compare(nib.Nifti1Image(less, MASK.affine))
    assert (found.equals_mask, found.voxels_inside, found.voxels_outside) == (False, COUNT - 1, 0)


# --- What a run goes on with ---------------------------------------------------------------------


def test_verdicts_are_accepted_and_findings_refused_by_name(tmp_path):
    mask = compare(nib.Nifti1Image(VOXELS, MASK.affine))
    assert Policy(["identical"], []).accepts(mask)
    assert Policy(["identical"], []).reasons(mask) == []
    assert Policy(["identical"], ["empty"]).accepts(mask)
    (finding,) = mask.findings
    assert Policy(["identical"], ["is_a_mask"]).reasons(mask) == [("is_a_mask", finding.detail)]
    assert not Policy(["identical"], ["is_a_mask"]).accepts(mask)
    assert Policy(["reoriented"], ["is_a_mask"]).reasons(mask) == [
        ("identical", mask.detail),
        ("is_a_mask", finding.detail),
    ]
    missing = compare(tmp_path / "no such file")
    assert Policy(["not_an_image"], []).reasons(missing) == [("not_an_image", missing.detail)]
