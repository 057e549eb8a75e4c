# SPDX-License-Identifier: MIT
"""What an image's name and its row say of it, against its mask and where its voxels lie."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from image_cases import INSIDE, MASK, REGISTRY, compare

from brainmasks import compare_to_mask
from brainmasks.images.claims import Claims, claim_findings
from brainmasks.images.compare import examine

TEMPLATE = replace(MASK, name="MNI152NLin6Asym_2mm", space="MNI152NLin6Asym")
ALIASES = {"MNI152NLin6Sym": "MNI152NLin6Asym", "Elsewhere": "MNI152NLin2009cAsym"}
LEFT = {"voxels_left": 5, "voxels_right": 3}


def wrong(*names: str, mask=TEMPLATE, facts=LEFT) -> str | None:
    """Return what is said of contradictions of names, None if nothing is."""
    findings = claim_findings(Claims(names), mask, ALIASES, facts)
    assert len(findings) <= 1
    assert all(each.code == "name_contradicts" for each in findings)
    return findings[0].detail if findings else None


@pytest.mark.parametrize(
    "name",
    [
        "lesion",
        "hyperspace-T1w",
        "space-MNI152NLin6Asym_mask",
        "sub-01_space-mni152nlin6asym",
        "sub-01_space-MNI.nii.gz",
        "sub-01_space-MNI152NLin6Sym_mask",
        "tpl-MNI152NLin6Asym_res-02_mask",
        "sub-01_res-2",
        "sub-01_res-2mm",
        "sub-01_res-2p0mm",
        "sub-01_res-native",
        "sub-01_hemi-L",
        "sub-01_hemi-l",
        "sub-01_hemi-both",
    ],
)
def test_name_that_may_be_right_is_no_contradiction(name):
    assert wrong(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sub-01_space-T1w_mask", "space-T1w, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_space-Elsewhere", "space-Elsewhere, its mask is MNI152NLin6Asym_2mm"),
        ("tpl-MNI152NLin2009cAsym", "tpl-MNI152NLin2009cAsym, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_res-1", "res-1, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_res-03", "res-03, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_res-1mm", "res-1mm, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_res-1p5", "res-1p5, its mask is MNI152NLin6Asym_2mm"),
        ("sub-01_hemi-R", "hemi-R, 5 of its voxels lie left and 3 right"),
    ],
)
def test_contradiction_is_told_with_the_name_and_what_is_so(name, said):
    assert wrong(name) == (
        f"'{name}' says {said}; check which is right, and name the image or its mask accordingly."
    )


def test_all_contradictions_are_told_and_each_once():
    name = "sub-01_space-T1w_res-1_hemi-R"
    assert wrong(name, "lesion", name, "space-T2w").split("; ")[:-1] == [
        f"'{name}' says space-T1w, its mask is MNI152NLin6Asym_2mm",
        f"'{name}' says res-1, its mask is MNI152NLin6Asym_2mm",
        f"'{name}' says hemi-R, 5 of its voxels lie left and 3 right",
        "'space-T2w' says space-T2w, its mask is MNI152NLin6Asym_2mm",
    ]


@pytest.mark.parametrize(
    ("label", "resolution", "contradicts"),
    [
        ("1", 1.0, False),
        ("02", 1.0, True),
        ("04", 0.7, False),
        ("1", 3.0, False),
        ("0.7", 0.7, False),
        ("0p7mm", 0.7, False),
        ("0p8", 0.7, True),
        ("1mm", 3.0, True),
        ("3mm", 3.0, False),
        ("2p000002", 2.0, True),
        ("2p0000005", 2.0, False),
    ],
)
def test_label_of_a_resolution_is_a_size_or_an_index(label, resolution, contradicts):
    """An index and a size in mm are the same at 1 and 2 mm only."""
    mask = replace(TEMPLATE, resolution=resolution)
    assert (wrong(f"sub-01_res-{label}_mask", mask=mask) is not None) == contradicts


@pytest.mark.parametrize(
    ("side", "left", "right", "contradicts"),
    [
        ("left", 5, 3, False),
        ("left", 3, 5, True),
        ("left", 4, 4, False),
        ("right", 3, 5, False),
        ("right", 5, 3, True),
        ("right", 4, 4, False),
        ("both", 1, 9, False),
        ("both", 9, 1, False),
        ("both", 0, 1, True),
        ("both", 1, 0, True),
        ("both", 0, 0, False),
        ("both", 4, 4, False),
        (None, 0, 5, False),
    ],
)
def test_side_is_that_of_most_voxels(side, left, right, contradicts):
    facts = {"voxels_left": left, "voxels_right": right}
    findings = claim_findings(Claims(side=side), TEMPLATE, ALIASES, facts)
    assert [each.code for each in findings] == ["side_contradicts"] * contradicts
    for each in findings:
        assert (
            f"given as {side}, but {left} of its voxels lie left and {right} right;" in each.detail
        )


@pytest.mark.parametrize(
    "facts", [{}, {"voxels_left": None, "voxels_right": None}], ids=["no fact", "none counted"]
)
def test_of_voxels_that_were_not_read_nothing_is_said(facts):
    assert claim_findings(Claims(("hemi-R",), "right"), TEMPLATE, ALIASES, facts) == []


def test_name_and_side_are_told_one_after_the_other():
    found = claim_findings(Claims(("hemi-R",), "right"), TEMPLATE, ALIASES, LEFT)
    assert [each.code for each in found] == ["name_contradicts", "side_contradicts"]


# --- Of an image as it is compared ---------------------------------------------------------------


def lesion() -> nib.Nifti1Image:
    """Return an image of three voxels of the mask on the left, and one outside."""
    voxels = np.zeros(MASK.shape, np.uint8)
    for index in np.argwhere(INSIDE)[:3]:
        voxels[tuple(index)] = 1
    voxels[tuple(np.argwhere(~INSIDE)[0])] = 1
    return nib.Nifti1Image(voxels, MASK.affine)


def test_name_of_the_file_and_side_are_claims(tmp_path):
    path = tmp_path / "sub-01_space-T1w_mask.nii"
    nib.save(lesion(), path)
    for form in (path, str(path)):
        assert compare(form).codes == ("partly_outside", "name_contradicts")
    assert compare(path, side="right").codes == (
        "partly_outside",
        "name_contradicts",
        "side_contradicts",
    )
    assert compare(path, side="left", min_inside=0.76).codes == (
        "mostly_outside",
        "name_contradicts",
    )
    assert compare(lesion()).codes == ("partly_outside",)


def test_alias_of_the_space_is_no_contradiction(tmp_path):
    for space, codes in (("Alias", ()), ("A", ()), ("B", ("name_contradicts",))):
        path = tmp_path / f"sub-01_space-{space}.nii"
        nib.save(nib.Nifti1Image(np.zeros(MASK.shape, np.uint8), MASK.affine), path)
        assert compare(path).codes == ("empty", *codes)
        assert compare(path, voxels=False).codes == codes


def test_voxels_are_read_unless_it_is_said_otherwise():
    found = examine(lesion(), MASK, REGISTRY, lambda: INSIDE)
    assert found.comparison.voxels == int(found.counted.above.sum()) == 4
    assert found.grid.axes == "RAS"
    found = examine(lesion(), MASK, REGISTRY, lambda: INSIDE, voxels=False)
    assert (found.comparison.voxels, found.counted, found.grid.axes) == (None, None, "RAS")


def test_without_a_registry_the_shipped_masks_are_known():
    found = compare_to_mask(lesion(), "MNI152NLin6Asym_2mm", voxels=False)
    assert found.verdict == "unknown_grid"
    found = compare_to_mask(lesion(), MASK, mask_voxels=INSIDE)
    assert (found.verdict, found.voxels) == ("identical", 4)
