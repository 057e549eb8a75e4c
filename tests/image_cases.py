# SPDX-License-Identifier: MIT
"""Images of every verdict, made on the grids of tiny masks."""

import gzip
import itertools
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support import tiny_mask

from brainmasks import (
    BrainMaskMetadata,
    compare_to_mask,
)
from brainmasks.registry import BrainMaskRegistry

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
        "qform_sform_mismatch",
        {"displacement_mm": None, "axes": "RAS", "hemisphere": None, "voxels": COUNT},
    ),
    "qform 2e-3 mm off": (
        as_saved(with_forms(moved(y=2e-3), MASK.affine)),
        "qform_sform_mismatch",
        {},
    ),
    "qform LAS, sform RAS": (
        as_saved(with_forms(MASK.affine @ np.diag([-1, 1, 1, 1]), MASK.affine)),
        "qform_sform_mismatch",
        {},
    ),
    "qform is no rotation": (
        raw(patched(qform_code=1, quatern_b=2.0)),
        "qform_sform_mismatch",
        {},
    ),
    "qform is no rotation, and alone": (
        raw(patched(qform_code=1, sform_code=0, quatern_b=2.0)),
        "not_an_image",
        {},
    ),
    "zooms against sform": (
        raw(patched(pixdim=[1, 1, 1, 1, 1, 1, 1, 1])),
        "qform_sform_mismatch",
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
