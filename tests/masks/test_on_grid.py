# SPDX-License-Identifier: MIT
"""A mask on another grid: its voxels, volume and centre, computed a second time in another way."""

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from support import REAL

from brainmasks import BRAIN_MASK_REGISTRY, BrainMaskMetadata, InvalidMaskError, UnknownMaskError
from brainmasks.fetching import Origin
from brainmasks.images import grid_of_image
from brainmasks.masks import gridded_damage, put_on_grid, read_gridded, validate
from brainmasks.masks.published import STATED
from brainmasks.registry import (
    GriddedName,
    KnownGrid,
    TargetGrid,
    grid_for,
    shipped_grids,
    split_gridded,
)
from brainmasks.storage import to_json

# The grid of Lead-DBS's templates, and one of voxels that are no cubes.
EXTRA = {
    "LeadDBS": KnownGrid("LeadDBS", (394, 466, 378), (0.5,) * 3, (-98, -134, -72), (), ""),
    "EPI": KnownGrid("EPI", (64, 72, 40), (3, 3, 4.5), (-95.25, -126.5, -73), (), ""),
}
GRIDS = shipped_grids() | EXTRA
MASKS = [
    name
    for name in BRAIN_MASK_REGISTRY
    if (REAL / "registered" / f"{name}_desc-brain_mask.nii.gz").is_file()
]


def is_allowed(mask: str, grid: str) -> bool:
    try:
        grid_for(GriddedName(mask, grid), BRAIN_MASK_REGISTRY, GRIDS, {})
    except UnknownMaskError:
        return False
    return True


ALLOWED = [(mask, grid) for mask in MASKS for grid in GRIDS if is_allowed(mask, grid)]
# It takes half a minute; its voxels halve those of either mask of 1 mm in the same way.
ALLOWED = [(mask, grid) for mask, grid in ALLOWED if grid != "LeadDBS" or "6Asym_1" in mask]


class Case:
    """A published mask, and the folder in which it is put on grids."""

    def __init__(self, folder: Path, mask: BrainMaskMetadata, data: bytes) -> None:
        self.folder = folder
        self.mask = mask
        self.path = folder / f"{mask.name}.nii.gz"
        self.sidecar = folder / f"{mask.name}.json"
        fetched, note = folder / "fetched.nii.gz", folder / "fetched.json"
        fetched.write_bytes(data)
        origin = Origin(location="https://example.org/mask", recoded=False, verified_by="sha256")
        note.write_bytes(to_json(origin.note(hashlib.sha256(data).hexdigest())))
        validate(mask.name, mask, "7", fetched, note, self.path, self.sidecar)

    def paths(self, grid: str) -> tuple[Path, Path]:
        name = f"{self.mask.name}_grid-{grid}"
        return self.folder / f"{name}.nii.gz", self.folder / f"{name}.json"

    def put(self, grid: TargetGrid | KnownGrid) -> tuple[nib.Nifti1Image, dict]:
        """Put the mask on a grid; return the image and the sidecar."""
        if isinstance(grid, KnownGrid):
            grid = TargetGrid.of_known(grid)
        path, sidecar = self.paths(grid.name)
        put_on_grid(self.mask.name, self.mask, grid, "7", self.path, self.sidecar, path, sidecar)
        return nib.load(path), json.loads(sidecar.read_text())


def case_of(folder: Path, voxels, step=2.0, origin=(-6.0, -8.0, -4.0), space="A") -> Case:
    """Register and publish a mask of these voxels."""
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = origin
    content = nib.Nifti1Image(voxels.astype(np.uint8), affine).to_bytes()
    data = gzip.compress(content, compresslevel=1, mtime=0)
    mask = BrainMaskMetadata(
        name=f"{space}_{step:g}mm",
        description="",
        space=space,
        resolution=step,
        sha256=hashlib.sha256(data).hexdigest(),
        content_sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(data),
        shape=voxels.shape,
        origin=origin,
        voxels=int(voxels.sum()),
        license="CC0",
        citation="a; b",
    )
    return Case(folder, mask, data)


def ball(size: int = 15, radius: float = 6.0) -> np.ndarray:
    """Return a ball in the middle of a cube."""
    apart = np.indices((size,) * 3) - size // 2
    return (apart**2).sum(axis=0) <= radius**2


@pytest.fixture
def case(tmp_path) -> Case:
    """Return a published ball of 2 mm, from -14 to 14 mm along each axis."""
    return case_of(tmp_path, ball(), origin=(-14.0,) * 3)


def known(name, shape, zooms, origin, spaces=()) -> KnownGrid:
    return KnownGrid(name, tuple(shape), tuple(zooms), tuple(origin), tuple(spaces), "")


def shares(mask: np.ndarray, mask_affine, shape, affine) -> np.ndarray:
    """Return which part of each voxel of a grid is brain: RAS order, axes along the world's.

    From the running sums of the mask along three axes, which are linear within each voxel: read at
    the faces of the grid's voxels, and subtracted. No overlap of two voxels is looked at.
    """
    sums = mask.astype(np.float64)
    for axis in range(3):
        sums = np.cumsum(sums, axis=axis)
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis=axis)
        faces = affine[axis, 3] + affine[axis, axis] * (np.arange(shape[axis] + 1) - 0.5)
        at = (faces - mask_affine[axis, 3]) / mask_affine[axis, axis] + 0.5
        at = np.clip(np.round(at, 9), 0, mask.shape[axis])
        low = np.minimum(at.astype(int), mask.shape[axis] - 1)
        part = (at - low).reshape([-1 if each == axis else 1 for each in range(3)])
        sums = sums.take(low, axis) * (1 - part) + sums.take(low + 1, axis) * part
        sums = np.diff(sums, axis=axis)
    # What should be one half is one half.
    return np.round(sums * abs(np.linalg.det(mask_affine)) / abs(np.linalg.det(affine)), 9)


def centre(weights: np.ndarray, affine) -> np.ndarray:
    """Return the centre of mass in mm, from the sums of planes."""
    total = weights.sum(dtype=float)
    index = [
        (weights.sum(axis=tuple({0, 1, 2} - {axis}), dtype=float) * np.arange(length)).sum()
        for axis, length in enumerate(weights.shape)
    ]
    return nib.affines.apply_affine(affine, np.array(index) / total)


# --- Every named grid from every real mask of its space -----------------------------------------


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Return a function that publishes a real mask, once."""
    cases: dict[str, Case] = {}

    def publish(name: str) -> Case:
        if name not in cases:
            data = (REAL / "registered" / f"{name}_desc-brain_mask.nii.gz").read_bytes()
            folder = tmp_path_factory.mktemp(name)
            cases[name] = Case(folder, BRAIN_MASK_REGISTRY.get(name), data)
        return cases[name]

    return publish


@pytest.mark.skipif(not MASKS, reason=f"the real masks are not here: no folder {REAL}")
@pytest.mark.parametrize(("name", "grid"), ALLOWED)
def test_real_mask_on_a_named_grid(published, name, grid):
    case, target = published(name), GRIDS[grid]
    image, note = case.put(target)
    assert image.shape == target.shape
    # As far as the single precision of a header goes.
    assert image.affine == pytest.approx(target.affine, abs=1e-5)
    source = nib.load(case.path)
    mask = np.asanyarray(source.dataobj) == 1
    share = shares(mask, source.affine, target.shape, target.affine)
    found = np.asanyarray(image.dataobj)
    assert (found.min(), found.max()) == (0, 1)
    # Exactly half is brain, too; and no share is so near to it that rounding decides.
    assert np.array_equal(found == 1, share >= 0.5)
    assert not ((share > 0.4998) & (share < 0.5)).any()

    voxel_ml, source_ml = target.affine[:3, :3].diagonal().prod() / 1000, case.mask.voxel_ml
    inside_ml = share.sum() * voxel_ml
    assert note["Voxels"] == note["VoxelsAfter"] == np.count_nonzero(found)
    assert note["VoxelsBefore"] == np.count_nonzero(mask)
    assert note["VolumeML"] == note["VolumeAfterML"]
    assert note["VolumeAfterML"] == pytest.approx(found.sum(dtype=float) * voxel_ml, abs=1e-5)
    assert note["VolumeBeforeML"] == pytest.approx(mask.sum(dtype=float) * source_ml, abs=1e-5)
    assert note["CutOffML"] == pytest.approx(note["VolumeBeforeML"] - inside_ml, abs=1e-4)
    partial = np.count_nonzero((share > 1e-9) & (share < 1 - 1e-9))
    assert note["PartialVoxels"] == partial
    assert abs(note["VolumeAfterML"] - inside_ml) <= partial * voxel_ml / 2 + 1e-4
    moved = centre(found, target.affine) - centre(mask, source.affine)
    assert note["CentreOfMassShiftMM"] == pytest.approx(moved.tolist(), abs=1e-3)
    if note["CutOffML"]:
        assert note["Checks"]["centre_of_mass"].startswith("not run: the grid cuts ")
    else:
        larger = np.maximum(target.zooms, case.mask.zooms)
        assert (np.abs(moved) <= 0.1 * larger).all()
        assert note["Checks"]["centre_of_mass"] == "passed"
    assert [
        why for why in note["Checks"].values() if why != "passed" and "not run" not in why
    ] == []


@pytest.mark.skipif(not MASKS, reason=f"the real masks are not here: no folder {REAL}")
def test_bounding_box_of_spm8_cuts_the_cerebellum(published):
    case = published("MNI152NLin6Asym_1mm")
    _, note = case.put(GRIDS["SPM8-1mm"])
    mask = np.asanyarray(nib.load(case.path).dataobj) == 1
    # From -50.5 mm upwards, voxel by voxel: below are -72 to -51 mm; the rest of the box cuts, too.
    x, y, z = (range(13, 170), range(14, 203), range(22, 158))
    inside = int(mask[np.ix_(x, y, z)].sum())
    assert note["CutOffVoxels"] == int(mask.sum()) - inside == 35140
    assert note["CutOffML"] == 35.14
    assert mask[:, :, :22].sum() > 30000
    assert note["Checks"]["centre_of_mass"] == "not run: the grid cuts 35.14 ml of the mask off"


@pytest.mark.skipif(not MASKS, reason=f"the real masks are not here: no folder {REAL}")
def test_mask_on_its_own_grid_is_the_registered_file(published):
    case = published("MNI152NLin6Asym_2mm")
    _, note = case.put(GRIDS["FSL-2mm"])
    assert note["ContentSHA256"] == case.mask.content_sha256
    assert note["CentreOfMassShiftMM"] == [0, 0, 0]


# --- What it is ---------------------------------------------------------------------------------


def test_exactly_half_is_brain(tmp_path):
    """Two voxels of 2 mm, on voxels that reach from the middle of one to that of the next."""
    voxels = np.zeros((8, 8, 8), bool)
    voxels[3:5, 3:5, 3:5] = True
    case = case_of(tmp_path, voxels, origin=(0.0, 0.0, 0.0))
    image, note = case.put(known("half", (8, 8, 8), (2, 2, 2), (1, 0, 0)))
    found = np.asanyarray(image.dataobj)
    assert sorted(set(np.nonzero(found)[0].tolist())) == [2, 3, 4]
    assert (note["VoxelsBefore"], note["VoxelsAfter"], note["PartialVoxels"]) == (8, 12, 8)
    # The one in the middle wholly, those beside it to 49.5 %.
    less = known("less", (8, 8, 8), (2.01, 2, 2), (7 - 3 * 2.01, 0, 0))
    assert case.put(less)[1]["VoxelsAfter"] == 4


def test_voxels_that_are_no_cubes(case):
    grid = known("flat", (22, 14, 9), (1.5, 2.25, 4), (-16, -15, -15))
    image, note = case.put(grid)
    share = shares(ball(), case.mask.affine, grid.shape, grid.affine)
    assert np.array_equal(np.asanyarray(image.dataobj) == 1, share >= 0.5)
    assert note["Resolution"] == "1.5x2.25x4 mm"
    assert note["Grid"]["VoxelSize"] == [1.5, 2.25, 4.0]


def test_sidecar_says_what_it_was_made_from_and_what_it_is(case):
    image, note = case.put(known("G-3mm", (13, 13, 13), (3, 3, 3), (-18, -18, -18)))
    path, _ = case.paths("G-3mm")
    data = path.read_bytes()
    assert {key: note[key] for key in ("Mask", "Method", "Sources", "SpatialReference")} == {
        "Mask": "A_2mm",
        "Method": "overlap",
        "Sources": [str(case.path)],
        "SpatialReference": "A",
    }
    assert note["SourceSHA256"] == hashlib.sha256(case.path.read_bytes()).hexdigest()
    assert note["SourceContentSHA256"] == case.mask.content_sha256
    assert note["SHA256"] == hashlib.sha256(data).hexdigest()
    assert note["ContentSHA256"] == hashlib.sha256(gzip.decompress(data)).hexdigest()
    assert note["Bytes"] == len(data)
    assert (note["License"], note["ReferencesAndLinks"]) == ("CC0", ["a", "b"])
    assert note["Grid"] == {
        "Name": "G-3mm",
        "KnownSpaces": [],
        "Space": "the grid's table names no space: it is taken as lying in the space of the mask",
        "Shape": [13, 13, 13],
        "VoxelSize": [3.0, 3.0, 3.0],
        "Origin": [-18.0, -18.0, -18.0],
        "Affine": image.affine.tolist(),
        "Orientation": "RAS",
        "Units": "mm",
    }
    assert len(note["Checks"]) == 15
    # Nothing is registered of what was computed.
    unregistered = {"voxel_count", "content_sha256"}
    assert {key for key, text in note["Checks"].items() if text != "passed"} == unregistered
    assert image.get_data_dtype() == np.uint8
    assert (image.header["qform_code"], image.header["sform_code"]) == (0, 2)


def test_spaces_of_a_grid_are_said_as_the_table_says_them(case):
    _, note = case.put(known("G", (20, 20, 20), (2, 2, 2), (-18, -18, -18), ["A", "B"]))
    assert note["Grid"]["KnownSpaces"] == ["A", "B"]
    assert "names the spaces" in note["Grid"]["Space"]


def test_same_bytes_each_time(case):
    grid = known("G", (19, 20, 21), (1.6, 1.6, 1.6), (-15.2, -16, -16))
    case.put(grid)
    before = [path.read_bytes() for path in case.paths("G")]
    for path in case.paths("G"):
        path.unlink()
    case.put(grid)
    assert [path.read_bytes() for path in case.paths("G")] == before


# --- The grid of an image -----------------------------------------------------------------------

AXES = {
    "RAS": np.diag([0.8, 0.8, 0.8, 1.0]),
    "LAS": np.diag([-0.8, 0.8, 0.8, 1.0]),
    "LPI": np.diag([-0.8, -0.8, -0.8, 1.0]),
    "PSR": np.array([[0, 0, 0.75, 0], [-0.8, 0, 0, 0], [0, 0.85, 0, 0], [0, 0, 0, 1.0]]),
}


@pytest.mark.parametrize("axes", AXES)
def test_mask_lies_on_the_grid_of_an_image_as_it_is_stored(tmp_path, axes):
    """A mask with a left half only: index for index with the image, it stays left."""
    voxels = ball()
    voxels[7:] = False
    case = case_of(tmp_path, voxels, origin=(-14.0,) * 3)
    shape, affine = (40, 43, 48), AXES[axes].copy()
    affine[:3, 3] = -(affine[:3, :3] @ ((np.array(shape) - 1) / 2)) + 0.1
    path = tmp_path / "image.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros(shape, np.int16), affine), path)
    image, note = case.put(grid_of_image("sub-01", path))
    stored = nib.load(path)
    assert image.shape == stored.shape
    assert np.array_equal(image.affine, stored.affine)
    assert note["Grid"]["Orientation"] == axes
    assert note["Grid"]["Image"] == str(path)
    assert note["Grid"]["Origin"] == pytest.approx(affine[:3, 3], abs=1e-5)
    sizes = nib.affines.voxel_sizes(affine)
    assert note["Grid"]["VoxelSize"] == pytest.approx(sizes, abs=1e-6)
    found = np.argwhere(np.asanyarray(image.dataobj))
    assert nib.affines.apply_affine(affine, found)[:, 0].max() < 1
    # Voxel by voxel, against the same grid in RAS order.
    ras = nib.as_closest_canonical(stored)
    share = shares(voxels, case.mask.affine, ras.shape, ras.affine)
    canonical = nib.as_closest_canonical(image)
    assert np.array_equal(np.asanyarray(canonical.dataobj) == 1, share >= 0.5 - 1e-4)


def test_series_gives_the_grid_of_its_volumes(case, tmp_path):
    path = tmp_path / "bold.nii.gz"
    affine = np.diag([-3.0, 3, 3, 1])
    affine[:3, 3] = (18, -18, -18)
    nib.save(nib.Nifti1Image(np.zeros((13, 13, 13, 4), np.int16), affine), path)
    assert case.put(grid_of_image("bold", path))[0].shape == (13, 13, 13)


def unusable(folder: Path, why: str) -> Path:
    """Write an image that gives no grid."""
    path = folder / "image.nii.gz"
    turned = np.diag([2.0, 2, 2, 1])
    turned[:2, :2] = 2 * np.array([[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]])
    image = nib.Nifti1Image(np.zeros((9, 9, 9), np.int16), np.diag([2.0, 2, 2, 1]))
    if why == "oblique":
        image = nib.Nifti1Image(np.zeros((9, 9, 9), np.int16), turned)
    elif why == "two dimensions":
        image = nib.Nifti1Image(np.zeros((9, 9), np.int16), np.diag([2.0, 2, 2, 1]))
    elif why == "no orientation":
        image.set_sform(image.affine, 0)
        image.set_qform(image.affine, 0)
    elif why == "contradiction":
        moved = image.affine.copy()
        moved[0, 3] = 5
        image.set_qform(moved, 1)
    nib.save(image, path)
    if why == "no image":
        path.write_text("<html>")
    return path


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("oblique", "it is oblique, its axes do not lie along the world's"),
        ("two dimensions", "it has 2 dimensions (9x9), expected 3"),
        ("no orientation", "it is not known where its voxels lie: qform and sform code are 0"),
        ("contradiction", "its header contradicts itself: qform and sform differ by up to 5 mm"),
        ("no image", "gives no grid for a mask: it is "),
    ],
)
def test_image_that_gives_no_grid_is_refused_with_a_reason(tmp_path, why, words):
    path = unusable(tmp_path, why)
    with pytest.raises(InvalidMaskError) as caught:
        grid_of_image("sub-01", path)
    assert str(caught.value).startswith(f"image sub-01 ({path}) gives no grid for a mask: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# --- What is refused, and what does not pass ----------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (known("far", (9, 9, 9), (2, 2, 2), (500, 0, 0)), "that grid does not reach the brain"),
        (known("coarse", (2, 2, 2), (90, 90, 90), (-45, -45, -45)), "at no place is half of a"),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_nothing_that_is_left_is_an_error(case, grid, words):
    with pytest.raises(InvalidMaskError) as caught:
        case.put(grid)
    assert str(caught.value).startswith(f"nothing of mask A_2mm is left on the grid {grid.name}: ")
    assert words in str(caught.value)
    assert not any(path.exists() for path in case.paths(grid.name))


def test_grid_that_moves_the_centre_of_mass_is_refused(tmp_path):
    """A quarter of a voxel apart, voxels as large can only be in one place or in the next."""
    case = case_of(tmp_path, ball(), origin=(-14.0,) * 3)
    with pytest.raises(InvalidMaskError, match=r"centre of mass is moved by \S+ voxels along x"):
        case.put(known("quarter", (20, 20, 20), (2, 2, 2), (-17.5, -18, -18)))
    assert not any(path.exists() for path in case.paths("quarter"))


def test_what_the_grid_cuts_off_is_stated_and_said(case, caplog):
    # From -1 mm upwards along x: seven planes of the ball are left, and half of none.
    image, note = case.put(known("half", (8, 15, 15), (2, 2, 2), (0, -14, -14)))
    assert note["CutOffVoxels"] == int(ball()[:7].sum())
    assert note["CutOffML"] == pytest.approx(int(ball()[:7].sum()) * 0.008)
    assert np.array_equal(np.asanyarray(image.dataobj) == 1, ball()[7:])
    assert note["VoxelsAfter"] == int(ball()[7:].sum())
    assert note["Checks"]["volume"] == "passed"
    assert "lie outside the grid, and are cut off" in caplog.text


def test_mask_that_is_not_the_registered_one_any_more_is_not_used(case):
    case.path.write_bytes(gzip.compress(b"other"))
    with pytest.raises(InvalidMaskError, match="is not the registered mask any more"):
        case.put(known("G", (20, 20, 20), (2, 2, 2), (-18, -18, -18)))


# --- Which grid is meant ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("A_2mm_grid-FSL-3mm", ("A_2mm", "FSL-3mm")),
        ("A_2mm_grid-a_grid-b", ("A_2mm", "a_grid-b")),
        ("A_2mm", None),
        ("A_2mm_grid-", None),
        ("_grid-FSL-3mm", None),
    ],
)
def test_name_is_taken_apart_at_the_first_mark(name, parts):
    assert split_gridded(name) == parts


@pytest.mark.parametrize(
    ("mask", "grid", "words"),
    [
        ("MNI152NLin6Asym_2mm", "FSL-3m", "did you mean FSL-3mm or FSL-2mm?"),
        ("MNI152NLin6Asym_2mm", "nothing at all", "there is none of that name. Grids are"),
        ("MNI152NLin6Asm_2mm", "FSL-3mm", "no mask is registered for 'MNI152NLin6Asm_2mm'; did"),
        ("MNI152NLin6Asym_2mm", "ICBM-1mm", "MNI152NLin2009aAsym (served as MNI152NLin2009cAsym)"),
        ("MNI152NLin2009cAsym_1mm", "HCP-0.7mm", "known to be one of MNI152NLin6Asym. Where"),
        ("MNI152NLin6Asym_2mm", "both", "is the name of a grid, and the id of an image"),
        ("MNI152NLin6Asym_2mm", "huge", "more than 1000000000; use one of larger voxels"),
        ("MNI152NLin6Asym_2mm", "sub-01", "with the mask MNI152NLin2009bAsym_1mm, of the space"),
    ],
)
def test_grid_that_a_mask_is_not_put_on_is_refused_with_a_reason(mask, grid, words):
    grids = GRIDS | {
        "both": EXTRA["EPI"],
        "huge": known("huge", (2000, 2000, 2000), (0.1,) * 3, (0, 0, 0)),
    }
    images = {each: {"mask": "MNI152NLin2009bAsym_1mm"} for each in ("both", "sub-01")}
    with pytest.raises(UnknownMaskError) as caught:
        grid_for(GriddedName(mask, grid), BRAIN_MASK_REGISTRY, grids, images)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_space_is_compared_through_aliases_and_without_its_cohort():
    registry = type(BRAIN_MASK_REGISTRY)(
        [replace(BRAIN_MASK_REGISTRY.get("MNI152NLin2009cAsym_1mm"))], {"Young": "Old"}
    )
    cohort = replace(
        BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_1mm"),
        name="MNIPediatricAsym_cohort-2_1mm",
        space="MNIPediatricAsym_cohort-2",
    )
    registry.register(cohort)
    assert grid_for(GriddedName(cohort.name, "ICBM-1mm"), registry, GRIDS, {})
    with pytest.raises(UnknownMaskError, match="known to be one of MNI152NLin2009aAsym"):
        grid_for(GriddedName("MNI152NLin2009cAsym_1mm", "ICBM-1mm"), registry, GRIDS, {})
    # With the shipped aliases, 2009a and 2009b are 2009c.
    name = GriddedName("MNI152NLin2009bAsym_1mm", "ICBM-1mm")
    assert grid_for(name, BRAIN_MASK_REGISTRY, GRIDS, {})
    # Two cohorts are two brains.
    images = {"child": {"mask": cohort.name}}
    assert grid_for(GriddedName(cohort.name, "child"), registry, GRIDS, images) is None
    other = replace(cohort, name="MNIPediatricAsym_cohort-1_1mm", space="MNIPediatricAsym_cohort-1")
    registry.register(other)
    with pytest.raises(UnknownMaskError, match="not put on the grid of image child"):
        grid_for(GriddedName(other.name, "child"), registry, GRIDS, images)


# --- What changed since -------------------------------------------------------------------------

G = known("G", (20, 20, 20), (2, 2, 2), (-18, -18, -18))


def damage(case: Case, mask=None, grid=G) -> str | None:
    return gridded_damage(mask or case.mask, grid, None, *case.paths("G"))


def test_published_one_is_right_until_something_changes(case):
    assert damage(case) is None  # there is none
    case.put(G)
    assert damage(case) is None
    content, note = read_gridded(case.mask, *case.paths("G"))
    assert hashlib.sha256(content).hexdigest() == note["ContentSHA256"]


@pytest.mark.parametrize(
    "key", ["SHA256", "ContentSHA256", "Bytes", "Voxels", "VoxelsAfter", "Mask", "SpaceServed"]
)
def test_edited_sidecar_is_found(case, key):
    case.put(G)
    path = case.paths("G")[1]
    note = json.loads(path.read_text())
    path.write_text(json.dumps(note | {key: 1}))
    assert damage(case)
    del note[key]
    path.write_text(json.dumps(note))
    assert damage(case)


@pytest.mark.parametrize("key", sorted(STATED))
def test_sidecar_that_lacks_what_all_of_them_state_is_found(case, key):
    case.put(G)
    path = case.paths("G")[1]
    note = json.loads(path.read_text())
    del note[key]
    path.write_text(json.dumps(note))
    assert f"{path} does not describe " in damage(case)


@pytest.mark.parametrize("how", ["a byte", "cut off", "another mask", "a folder", "no sidecar"])
def test_damaged_file_is_found(case, how):
    case.put(G)
    path, sidecar = case.paths("G")
    data = path.read_bytes()
    if how == "a folder":
        path.unlink()
        path.mkdir()
    elif how == "no sidecar":
        sidecar.unlink()
    else:
        wrong = {"a byte": data[:50] + b"x" + data[51:], "cut off": data[:-5]}
        path.write_bytes(wrong.get(how, case.path.read_bytes()))
    assert damage(case)


def test_other_mask_or_other_grid_under_the_same_name_is_found(case):
    case.put(G)
    assert "other voxels" in damage(case, mask=replace(case.mask, content_sha256="0" * 64))
    for changed in (
        replace(G, origin=(-18, -18, -17)),
        replace(G, shape=(20, 20, 21)),
        replace(G, zooms=(2, 2, 2.5)),
        replace(G, spaces=("A",)),
    ):
        assert "is not on the grid that has the name G now" in damage(case, grid=changed)
