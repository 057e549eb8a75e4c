# SPDX-License-Identifier: MIT
"""What is told to help with rejected images: all of it helps, and what helps is told."""

import nibabel as nib
import numpy as np
import pytest
from image_cases import CASES, MASK, REGISTRY, VOXELS, as_saved, compare, moved, rotated

from brainmasks import InvalidMaskError
from brainmasks.images import VERDICTS, OntoGrid, Policy, align
from brainmasks.images.remedies import remedies
from brainmasks.registry import shipped_settings

DEFAULTS = shipped_settings({})
POLICY = Policy(DEFAULTS["accept"], DEFAULTS["refuse"])
# The images of the cases are whole masks, which lie otherwise to the brain on another grid.
LIES = ("covers_brain", "mostly_outside")
OF_MASKS = Policy(POLICY.accept, [code for code in POLICY.refuse if code not in LIES])
ALIGNED = "host/aligned/{id}.nii.gz"
LESION = np.zeros_like(VOXELS)
LESION[2:4, 2:4, 2:4] = 1
AFFINES = "your analysis goes by the affines of the images, set `accept: "


def told(found, policy=POLICY, resample=None) -> list[str]:
    return remedies(found, policy, OntoGrid(ALIGNED, resample))


def found_of(tmp_path, **made) -> dict:
    """Return what is found of images by id, each in a folder of its own."""
    found = {}
    for name, make in made.items():
        (tmp_path / name).mkdir()
        found[name] = compare(make(tmp_path / name))
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("resample", [None, "nearest", "overlap"])
def test_aligned_is_told_exactly_where_the_image_is_accepted_on_the_grid(tmp_path, case, resample):
    path = CASES[case][0](tmp_path)
    found = compare(path)
    if OF_MASKS.accepts(found):
        return
    lines = [line for line in told({"x": found}, OF_MASKS, resample) if "x.nii.gz" in line]
    assert all("use host/aligned/x.nii.gz: " in line for line in lines)
    assert len(lines) <= 1
    if lines and "after `resample: nearest`" in lines[0]:
        resample = "nearest"
    aligned = tmp_path / "aligned.nii.gz"
    try:
        align(path, MASK, REGISTRY, resample, aligned, tmp_path / "aligned.json")
    except InvalidMaskError as err:
        reason = str(err)
    else:
        assert OF_MASKS.accepts(compare(aligned)) == bool(lines)
        return
    assert not lines or ("; an error if" in lines[0] and "would be cut off" in reason)


@pytest.mark.parametrize("case", CASES)
def test_policy_is_widened_for_what_may_be_right_and_no_further(tmp_path, case):
    found = compare(CASES[case][0](tmp_path))
    wide = POLICY.widened([found])
    if POLICY.accepts(found):
        assert wide == POLICY
        return
    reasons = {code for code, _ in POLICY.reasons(found)}
    hopeless = reasons & {
        "other_space",
        "no_orientation",
        "qform_sform_mismatch",
        "not_3d",
        "not_an_image",
        "not_numeric",
        "is_flipped_mask",
    }
    assert wide.accepts(found) == (not hopeless)
    assert set(wide.accept) - set(POLICY.accept) == (
        {found.verdict} & reasons - hopeless if not hopeless else set()
    )
    assert set(POLICY.refuse) - set(wide.refuse) == (
        reasons - {*VERDICTS} if not hopeless else set()
    )


def lesion(signs=(1, 1, 1), voxels=LESION, affine=MASK.affine, times=1):
    """Return a case: a lesion, not a whole mask."""
    made = nib.Nifti1Image(voxels * np.uint8(times), affine)
    return as_saved(made.as_reoriented(np.column_stack([range(3), signs])))


LAS = lesion((-1, 1, 1))
MOVED = lesion(affine=moved(x=1))


@pytest.mark.parametrize(
    ("make", "resample", "way"),
    [
        (LAS, None, "use {}: on the grid of the mask, with every value kept"),
        (
            lesion(voxels=LESION[1:, :-1], affine=moved(x=2)),
            None,
            "if in the space of the mask, use {}: on the grid of the mask, with every value kept",
        ),
        (
            lesion(voxels=np.pad(LESION, 1), affine=moved(-2, -2, -2)),
            None,
            "if in the space of the mask, use {}: on the grid of the mask, with every value kept; "
            "an error if voxels that are not 0 would be cut off",
        ),
        (
            lesion(voxels=np.pad(LESION, 1), affine=moved(-2, -2, -2)),
            "nearest",
            "if in the space of the mask, use {}: on the grid of the mask, without what lies "
            "outside it",
        ),
        (
            MOVED,
            None,
            "if in the space of the mask, use {}: resampled to the grid of the mask, after "
            "`resample: nearest` or `resample: overlap` in the configuration",
        ),
        (
            MOVED,
            "overlap",
            "if in the space of the mask, use {}: resampled to the grid of the mask",
        ),
        (
            lesion(affine=rotated(2, 1)),
            "overlap",
            "if in the space of the mask, use {}: resampled to the grid of the mask, after "
            "`resample: nearest` in the configuration",
        ),
    ],
)
def test_way_onto_the_grid_in_words(tmp_path, make, resample, way):
    lines = told(found_of(tmp_path, x=make), resample=resample)
    assert lines[0] == way.format("host/aligned/x.nii.gz")
    assert AFFINES in lines[1]
    assert len(lines) == 2


def test_each_remedy_is_told_once_for_all_images(tmp_path):
    las = found_of(tmp_path, las=LAS)["las"]
    others = found_of(
        tmp_path,
        moved=MOVED,
        labels=lesion(times=3),
        both=lesion((-1, 1, 1), voxels=0 * LESION),
        lost=CASES["both codes 0"][0],
        colours=CASES["complex"][0],
    )
    assert told({f"las{n}": las for n in range(7)} | others) == [
        "use host/aligned/{id}.nii.gz (id: las0, las1, las2, las3, las4 and 2 more): on the grid "
        "of the mask, with every value kept",
        "if in the space of the mask, use host/aligned/moved.nii.gz: resampled to the grid of the "
        "mask, after `resample: nearest` or `resample: overlap` in the configuration",
        "if the images are in the spaces of their masks and "
        f"{AFFINES}[identical, within_tolerance, reoriented, shifted]` in the configuration",
        "if that is as it should be, take empty, not_binary out of `refuse:` in the configuration",
    ]
    assert told({name: others[name] for name in ("lost", "colours")}) == []


def test_on_the_grid_is_no_remedy_where_identical_is_not_accepted(tmp_path):
    las = found_of(tmp_path, las=LAS)
    assert told(las, Policy(["shifted"], [])) == [
        f"if {AFFINES}[reoriented, shifted]` in the configuration"
    ]
    identical = found_of(tmp_path, same=lesion())
    assert told(identical, Policy([], [])) == [f"if {AFFINES}[identical]` in the configuration"]
