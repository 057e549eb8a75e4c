# SPDX-License-Identifier: MIT
"""Images that are brought onto a mask's grid: each voxel stays where it lies in the world."""

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_cases import CASES, FINE, MASK, REGISTRY, SIGNS, compare, moved, rotated
from scipy import ndimage
from support import save_image

from brainmasks import InvalidMaskError
from brainmasks.images import align
from brainmasks.images.opening import UnreadableImage, open_image
from brainmasks.images.slabs import slabs_of, whole_voxels
from brainmasks.registry import shipped_registry

SCRIPTS = Path(__file__).parents[2] / "scripts"
SHIPPED = shipped_registry()
SIX = "MNI152NLin6Asym"

# Each value once: a voxel that went elsewhere is found.
LABELS = np.arange(1, 211, dtype=np.int16).reshape(MASK.shape)

# Nothing at the rim of the grid: what lies between the last centre and its edge is left open.
BLOB = np.zeros_like(LABELS)
BLOB[1:-1, 1:-1, 1:-1] = LABELS[1:-1, 1:-1, 1:-1]


class Bringing:
    """A folder for what is aligned."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "aligned"
        self.image, self.sidecar = self.folder / "it.nii.gz", self.folder / "it.json"

    def __call__(self, path, resample=None) -> nib.Nifti1Image:
        align(path, MASK, REGISTRY, resample, self.image, self.sidecar)
        return nib.load(self.image)

    @property
    def note(self) -> dict:
        return json.loads(self.sidecar.read_text())


@pytest.fixture
def bring(tmp_path) -> Bringing:
    return Bringing(tmp_path)


def at(image, point) -> float | None:
    """Return the value of the voxel in which a point of the world lies; None outside."""
    index = np.rint(np.linalg.inv(image.affine) @ (*point, 1))[:3].astype(int)
    if (index < 0).any() or (index >= image.shape).any():
        return None
    return np.asanyarray(image.dataobj)[tuple(index)]


def assert_same_world(aligned, source) -> None:
    """Every voxel of the mask's grid has the value that the source has there, or 0 outside."""
    assert np.array_equal(aligned.affine, MASK.affine)
    assert aligned.shape == MASK.shape
    found = np.asanyarray(aligned.dataobj)
    for index in np.ndindex(MASK.shape):
        expected = at(source, (MASK.affine @ (*index, 1))[:3])
        assert found[index] == (expected or 0), index


def test_image_on_the_grid_is_unchanged(bring, tmp_path):
    aligned = bring(save_image(tmp_path / "image.nii.gz", LABELS))
    assert np.array_equal(aligned.dataobj, LABELS)
    assert np.array_equal(aligned.affine, MASK.affine)
    assert aligned.get_data_dtype() == np.int16
    assert aligned.header.get_xyzt_units()[0] == "mm"
    assert (bring.note["Method"], bring.note["Lossless"]) == ("unchanged", True)


def test_rounding_of_the_header_is_taken_out(bring, tmp_path):
    aligned = bring(save_image(tmp_path / "image.nii.gz", LABELS, moved(x=5e-4)))
    assert np.array_equal(aligned.affine, MASK.affine)
    assert np.array_equal(aligned.dataobj, LABELS)
    assert (bring.note["Verdict"], bring.note["Method"]) == ("within_tolerance", "unchanged")


ORDERS = {"".join("+-"[sign < 0] for sign in signs): signs for signs in SIGNS if min(signs) < 0}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)], ids=["xyz", "permuted"])
def test_other_order_of_storage_is_undone_and_no_voxel_moves(bring, tmp_path, order, axes):
    orientation = np.column_stack([axes, ORDERS[order]])
    source = nib.Nifti1Image(LABELS, MASK.affine).as_reoriented(orientation)
    nib.save(source, tmp_path / "image.nii.gz")
    assert source.get_fdata().tobytes() != LABELS.astype(float).tobytes()
    aligned = bring(tmp_path / "image.nii.gz")
    assert np.array_equal(aligned.dataobj, LABELS)
    assert_same_world(aligned, source)
    assert (bring.note["Method"], bring.note["Lossless"]) == ("axes reordered", True)


def test_image_stored_las_by_hand_is_reordered(bring, tmp_path):
    affine = MASK.affine
    affine[0] = [-2, 0, 0, 4]
    aligned = bring(save_image(tmp_path / "image.nii.gz", LABELS[::-1], affine))
    assert np.array_equal(aligned.dataobj, LABELS)
    assert bring.note["Verdict"] == "reoriented"


@pytest.mark.parametrize("resample", [None, "nearest"])
def test_scaled_values_and_floats_are_kept(bring, tmp_path, resample):
    image = nib.Nifti1Image(LABELS, MASK.affine)
    image.header.set_slope_inter(0.5, 1)
    nib.save(image, tmp_path / "image.nii.gz")
    source = nib.load(tmp_path / "image.nii.gz")
    assert np.array_equal(
        bring(tmp_path / "image.nii.gz", resample).get_fdata(), source.get_fdata()
    )


GRIDS = {
    "two voxels to the left": (LABELS, moved(x=-4)),
    "off by a third of a voxel": (BLOB, moved(x=0.6, y=-0.7, z=0.5)),
    "turned about z": (BLOB, rotated(2, 7.0)),
    "coarser": (BLOB, moved(0.3, 0.2, 0.1, np.diag([3.1, 2.9, 3.3, 1]) @ MASK.affine)),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_nearest_voxel_is_taken_in_the_world(bring, tmp_path, grid):
    path = save_image(tmp_path / "image.nii.gz", *GRIDS[grid])
    aligned = bring(path, "nearest")
    assert_same_world(aligned, nib.load(path))
    assert np.count_nonzero(aligned.dataobj) > 5
    assert aligned.get_data_dtype() == np.int16
    assert (bring.note["Method"], bring.note["Lossless"]) == ("nearest neighbour", False)


def test_image_of_another_resolution_is_resampled_in_the_world(bring, tmp_path):
    """The 1 mm grid starts elsewhere: its every second voxel is not the 2 mm grid."""
    values = np.arange(np.prod(FINE.shape), dtype=np.int32).reshape(FINE.shape)
    path = save_image(tmp_path / "image.nii.gz", values, FINE.affine)
    aligned = bring(path, "nearest")
    assert bring.note["Verdict"] == "other_resolution"
    assert not np.array_equal(aligned.dataobj, values[::2, ::2, ::2])
    assert_same_world(aligned, nib.load(path))


def test_scaled_values_are_resampled_too(bring, tmp_path):
    image = nib.Nifti1Image(LABELS, moved(x=2))
    image.header.set_slope_inter(0.5, 0)
    nib.save(image, tmp_path / "image.nii.gz")
    aligned = bring(tmp_path / "image.nii.gz", "nearest")
    assert np.array_equal(aligned.get_fdata()[1:], LABELS[:-1] / 2)
    assert not aligned.get_fdata()[0].any()


def test_sidecar_says_what_was_done_to_which_file(bring, tmp_path):
    path = Path(save_image(tmp_path / "image.nii.gz", LABELS, moved(y=2)))
    bring(path, "nearest")
    note = bring.note
    generated = note.pop("GeneratedBy")
    assert note == {
        "Sources": [str(path)],
        "SourceSHA256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "SpatialReference": "A",
        "Resolution": "2 mm isotropic",
        "Mask": "A_2mm",
        "Verdict": "shifted",
        "DisplacementMM": 2.0,
        "Method": "nearest neighbour",
        "Resampling": "the value of the voxel in which the centre of the new voxel lies; between "
        "two voxels, of the one that is further left, posterior or inferior; outside the image 0",
        "Lossless": False,
        "VoxelsBefore": 210,
        "VoxelsAfter": 180,
        "VolumeBeforeML": 1.68,
        "VolumeAfterML": 1.44,
        "CutOffVoxels": 30,
        "CutOffML": 0.24,
        "CentreOfMassShiftMM": [0.0, -1.0, 0.0],
        "Warnings": [
            "14% of its volume lost: 1.68 ml before, 1.44 ml after; 0.24 ml of it lie outside the "
            "grid, and are cut off"
        ],
    }
    assert [each["Name"] for each in generated] == ["brainmasks", "nibabel"]


def test_same_image_gives_the_same_bytes(bring, tmp_path):
    path = save_image(tmp_path / "image.nii.gz", LABELS)
    bring(path)
    before = bring.image.read_bytes(), bring.sidecar.read_bytes()
    bring(path)
    assert (bring.image.read_bytes(), bring.sidecar.read_bytes()) == before


RESAMPLABLE = ("shifted", "other_resolution", "oblique", "unknown_grid")
LOSSLESS = ("identical", "within_tolerance", "reoriented")
REFUSED = {
    name: (make, verdict)
    for name, (make, verdict, _) in CASES.items()
    # The two that have a name are a crop and a pad of the mask's grid: see below.
    if verdict not in LOSSLESS
    and name not in ("one voxel less along x", "flipped with the origin left")
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_done_that_loses_something_unless_asked_for(bring, tmp_path, case):
    make, verdict = REFUSED[case]
    path = make(tmp_path)
    # Damage behind the header is found once the voxels are read.
    header = compare(path, voxels=False).verdict
    assert header in (verdict, "not_3d", *LOSSLESS, *RESAMPLABLE)
    with pytest.raises(InvalidMaskError) as caught:
        bring(path)
    message = str(caught.value)
    assert message.startswith(f"image {path}")
    assert f": {verdict if header in LOSSLESS else header}: It" in message
    assert ("set `resample: nearest`" in message) == (header in RESAMPLABLE)
    assert not bring.folder.exists()


FOREIGN = [name for name, (_, verdict) in REFUSED.items() if verdict not in RESAMPLABLE]


@pytest.mark.parametrize("case", FOREIGN)
def test_resampling_changes_no_space_and_guesses_nothing(bring, tmp_path, case):
    make, _ = REFUSED[case]
    with pytest.raises(InvalidMaskError):
        bring(make(tmp_path), "nearest")
    assert not bring.folder.exists()


@pytest.mark.parametrize("shift", [0, 2], ids=["on the grid", "shifted"])
def test_damaged_voxels_are_found_before_anything_is_written(bring, tmp_path, shift):
    image = nib.Nifti1Image(LABELS, moved(x=shift))
    (tmp_path / "image.nii.gz").write_bytes(gzip.compress(image.to_bytes())[:-9])
    with pytest.raises(InvalidMaskError, match="not_an_image: It cannot be read as an image: "):
        bring(tmp_path / "image.nii.gz", "nearest")
    assert not bring.folder.exists()


# --- What is said of an image that was resampled ------------------------------------------------


def one_voxel(shape, index, value=1, dtype=np.uint8) -> np.ndarray:
    """Return voxels of which one is not 0."""
    voxels = np.zeros(shape, dtype)
    voxels[index] = value
    return voxels


FIELDS = ("VoxelsBefore", "VoxelsAfter", "VolumeBeforeML", "VolumeAfterML", "CutOffVoxels")


def test_overlap_takes_what_is_covered_by_half(bring, tmp_path):
    voxels = np.zeros(FINE.shape, np.int16)
    voxels[3:5, 3:7, 3:7] = 7
    aligned = bring(save_image(tmp_path / "image.nii.gz", voxels, FINE.affine), "overlap")
    assert aligned.get_data_dtype() == np.uint8
    # Each voxel of 2 mm has one of 1 mm in its middle, and half of both neighbours along each axis.
    expected = np.zeros(MASK.shape)
    for index in np.ndindex(MASK.shape):
        centre = ((MASK.affine - FINE.affine) @ (0, 0, 0, 1) + 2 * np.array([*index, 0]))[:3]
        for source in np.argwhere(voxels):
            shared = np.clip(1.5 - np.abs(source - centre), 0, 1).prod() / 8
            expected[index] += shared
    assert np.array_equal(aligned.dataobj, expected >= 0.5)
    assert np.count_nonzero(expected >= 0.5) > 0
    assert (bring.note["Method"], bring.note["Lossless"]) == ("overlap", False)


def test_one_voxel_that_a_coarser_grid_loses_is_an_error(bring, tmp_path):
    kept = one_voxel(FINE.shape, (5, 5, 5))
    assert at(nib.Nifti1Image(kept, FINE.affine), (-2, -3, 1)) == 1
    lost = save_image(tmp_path / "image.nii.gz", kept, FINE.affine)
    for how in ("nearest", "overlap"):
        with pytest.raises(InvalidMaskError, match=r"nothing of image .* is left") as caught:
            bring(lost, how)
        assert "of its 1 voxels above 0.5 (0.001 ml), 0 lie outside" in str(caught.value)
        assert "too small for voxels of 2 mm" in str(caught.value)
        assert not bring.folder.exists()


def test_lesion_outside_the_grid_is_an_error(bring, tmp_path):
    path = save_image(tmp_path / "image.nii.gz", one_voxel(MASK.shape, (0, 3, 2)), moved(x=-4))
    with pytest.raises(InvalidMaskError, match="1 lie outside; all lie outside that grid"):
        bring(path, "nearest")


@pytest.mark.parametrize("how", ["nearest", "overlap"])
def test_what_the_grid_cuts_off_is_stated_and_warned_of(bring, tmp_path, caplog, how):
    voxels = np.zeros(MASK.shape, np.uint8)
    voxels[:5, 2:4, 1:4] = 1
    aligned = bring(save_image(tmp_path / "image.nii.gz", voxels, moved(x=-6)), how)
    assert np.array_equal(np.asarray(aligned.dataobj)[:3], voxels[3:])
    note = bring.note
    assert [note[field] for field in FIELDS] == [30, 12, 0.24, 0.096, 18]
    assert note["CutOffML"] == 0.144
    # From the middle of five planes to that of the last two.
    assert note["CentreOfMassShiftMM"] == [3.0, 0.0, 0.0]
    (warning,) = note["Warnings"]
    assert warning.startswith("60% of its volume lost: 0.24 ml before, 0.096 ml after; 0.144 ml")
    assert warning in caplog.text


@pytest.mark.parametrize("how", [None, "nearest"])
def test_image_without_voxels_that_count_is_aligned_with_a_warning(bring, tmp_path, how):
    """A map of small values is no lesion, but an image all the same."""
    values = np.full(MASK.shape, 0.25, np.float32)
    values[0, 0, 0] = np.nan
    aligned = bring(save_image(tmp_path / "image.nii.gz", values, moved(x=2 if how else 0)), how)
    assert np.count_nonzero(aligned.get_fdata() == 0.25) >= 170
    assert bring.note["Warnings"] == ["it has no voxel above 0.5"]
    assert bring.note["CentreOfMassShiftMM"] is None
    assert (bring.note["VoxelsBefore"], bring.note["VoxelsAfter"]) == (0, 0)


def test_overlap_of_several_labels_is_refused(bring, tmp_path):
    with pytest.raises(InvalidMaskError, match=r"this one has 1 and 2; set `resample: nearest`"):
        bring(save_image(tmp_path / "image.nii.gz", LABELS, moved(x=2)), "overlap")
    assert not bring.folder.exists()


def test_overlap_of_an_oblique_image_is_refused(bring, tmp_path):
    with pytest.raises(InvalidMaskError, match="Overlap is for axes that lie along the world's"):
        bring(save_image(tmp_path / "image.nii.gz", BLOB, rotated(2, 7.0)), "overlap")


RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize("how", [None, "nearest", "overlap"])
@pytest.mark.parametrize("dtype", [RGB, np.complex64], ids=["RGB", "complex"])
def test_voxels_that_are_no_real_numbers_get_a_sentence(bring, tmp_path, dtype, how):
    voxels = np.zeros(MASK.shape, dtype)
    path = save_image(tmp_path / "image.nii.gz", voxels, moved(x=2 if how else 0))
    with pytest.raises(InvalidMaskError, match=r"its voxels are of .*, not real numbers") as caught:
        bring(path, how)
    assert ("fields (R, G, B)" if dtype == RGB else "complex64") in str(caught.value)


@pytest.mark.parametrize("shift", [0, 2])
def test_labels_that_no_float_can_hold_stay_exact(bring, tmp_path, shift):
    labels = 2**53 + LABELS.astype(np.int64)
    image = nib.Nifti1Image(labels, moved(x=shift), dtype="int64").as_reoriented(
        np.column_stack([[2, 0, 1], [-1, 1, -1]])
    )
    nib.save(image, tmp_path / "image.nii.gz")
    aligned = np.asanyarray(bring(tmp_path / "image.nii.gz", "nearest").dataobj)
    assert aligned.dtype == np.int64
    assert np.array_equal(aligned[1:] if shift else aligned, labels[:-1] if shift else labels)


def test_image_far_larger_than_the_mask_is_refused(bring, tmp_path):
    voxels = np.ones((24, 28, 21), np.uint8)
    path = save_image(tmp_path / "image.nii.gz", voxels, moved(x=1))
    with pytest.raises(InvalidMaskError, match="14112 voxels, more than 64 times"):
        bring(path, "nearest")


# --- Slabs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz", "image.mgz", "image.img"])
@pytest.mark.parametrize("most", [1, 200, 10**6])
def test_slabs_are_the_voxels_as_nibabel_reads_them(tmp_path, name, most):
    voxels = np.random.default_rng(3).integers(0, 30000, (9, 8, 7)).astype(np.float32)
    kinds = {"image.mgz": nib.MGHImage, "image.img": nib.Nifti1Pair}
    image = kinds.get(name, nib.Nifti1Image)(voxels, MASK.affine)
    if name != "image.mgz":
        image.set_data_dtype(np.int16)
        image.header.set_slope_inter(1.5, -3)
    nib.save(image, tmp_path / name)
    expected = np.asanyarray(nib.load(tmp_path / name).dataobj)
    slabs = list(slabs_of(open_image(tmp_path / name), most))
    assert [slab.shape[2] for slab in slabs] == {1: [1] * 7, 200: [2, 2, 2, 1]}.get(most, [7])
    assert np.array_equal(np.concatenate(slabs, axis=2), expected)
    assert {slab.dtype for slab in slabs} == {expected.dtype}


@pytest.mark.parametrize("cut", [9, 3000])
def test_damage_is_found_after_the_last_slab_at_the_latest(tmp_path, cut):
    voxels = np.random.default_rng(3).random((20, 20, 20))
    content = gzip.compress(nib.Nifti1Image(voxels, MASK.affine).to_bytes())
    (tmp_path / "image.nii.gz").write_bytes(content[:-cut])
    with pytest.raises(UnreadableImage):
        list(slabs_of(open_image(tmp_path / "image.nii.gz"), 400))


@pytest.mark.parametrize("name", ["image.nii", "image.nii.gz", "image.mgz", "image.img"])
def test_all_voxels_are_those_that_nibabel_reads(tmp_path, name):
    """More than are read at once, and the last slab is smaller; a file that is cut off is found."""
    voxels = np.zeros((128, 128, 70), np.float32)
    voxels[::7, ::5, ::3] = np.arange(19 * 26 * 24).reshape(19, 26, 24)
    kinds = {"image.mgz": nib.MGHImage, "image.img": nib.Nifti1Pair}
    image = kinds.get(name, nib.Nifti1Image)(voxels, MASK.affine)
    if name != "image.mgz":
        image.set_data_dtype(np.int16)
        image.header.set_slope_inter(1.5, -3)
    path = tmp_path / name
    nib.save(image, path)
    expected = np.asanyarray(nib.load(path).dataobj)
    found = whole_voxels(open_image(path))
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnreadableImage):
        whole_voxels(open_image(path))


LARGE = """
import re, sys
from pathlib import Path
from brainmasks.registry import shipped_registry
from brainmasks.images import align
registry = shipped_registry()
mask = registry.get("MNI152NLin6Asym_2mm")
align(sys.argv[1], mask, registry, sys.argv[2], sys.argv[3], sys.argv[4])
# Not of getrusage: that counts what the process had before it became this one.
print(int(re.search(r"VmHWM:[^0-9]*([0-9]+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux for the memory of a process")
@pytest.mark.parametrize("how", ["nearest", "overlap"])
def test_image_of_64_times_the_mask_is_never_in_memory_whole(bring, tmp_path, how):
    """462 MB of float64, in far less than the 1000 MB that the rule asks for."""
    mask = SHIPPED.get(f"{SIX}_2mm")
    shape = tuple(4 * n for n in mask.shape)
    affine = np.diag([0.5, 0.5, 0.5, 1])
    affine[:3, 3] = np.array(mask.origin) - 0.75
    header = nib.Nifti1Image(np.zeros((1, 1, 1)), affine).header
    header.set_data_shape(shape)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    path = tmp_path / "image.nii.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.binaryblock + bytes(4))
        plane = np.zeros(shape[:2])
        plane[80:120, 88:96] = 1
        for _ in range(shape[2]):
            file.write(plane.tobytes(order="F"))
    command = [sys.executable, "-c", LARGE, path, how, bring.image, bring.sidecar]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(SCRIPTS)}
    )
    assert bring.note["VoxelsBefore"] == 40 * 8 * shape[2]
    assert int(done.stdout) < 400


# --- Real files ----------------------------------------------------------------------------------

REAL_PAIRS = [
    (f"registered/{SIX}_1mm_desc-brain_mask.nii.gz", f"{SIX}_2mm"),
    (f"registered/{SIX}_2mm_desc-brain_mask.nii.gz", f"{SIX}_1mm"),
    *[
        (f"lesions/sub-0{n}_ses-01_space-{SIX}_label-acuteinfarct_mask.nii.gz", f"{SIX}_{mm}mm")
        for n in (1, 2, 3)
        for mm in (1, 2)
    ],
]


def centre_of_mass(path) -> np.ndarray:
    """Return the centre of mass in mm, as scipy finds it."""
    image = nib.load(path)
    return nib.affines.apply_affine(
        image.affine, ndimage.center_of_mass(np.asanyarray(image.dataobj) > 0.5)
    )


@pytest.mark.parametrize("how", ["nearest", "overlap"])
@pytest.mark.parametrize(("name", "target"), REAL_PAIRS)
def test_real_file_is_the_same_stored_ras_and_las(real, bring, tmp_path, name, target, how):
    found = []
    for sign in (1, -1):
        canonical = nib.as_closest_canonical(nib.load(real / name))
        path = tmp_path / "image.nii.gz"
        nib.save(canonical.as_reoriented([[0, sign], [1, 1], [2, 1]]), path)
        align(path, SHIPPED.get(target), SHIPPED, how, bring.image, bring.sidecar)
        found.append(np.asanyarray(nib.load(bring.image).dataobj))
        shift = centre_of_mass(bring.image) - centre_of_mass(path)
        assert np.abs(shift - bring.note["CentreOfMassShiftMM"]).max() < 0.001
        assert bring.note["VoxelsAfter"] == np.count_nonzero(found[-1])
        if how == "nearest" and (name, target) == REAL_PAIRS[1]:
            # Every second centre is a tie: all voxels are moved by half a voxel, and none is lost.
            assert bring.note["VolumeAfterML"] == bring.note["VolumeBeforeML"]
            assert np.abs(shift - 0.5).max() < 0.02
        elif name.startswith("registered") and target.endswith("2mm"):
            assert np.abs(shift).max() < 0.02
        else:
            assert np.abs(shift).max() < 0.12
    assert np.array_equal(*found)


@pytest.mark.parametrize("order", [None, [[0, -1], [1, 1], [2, 1]]], ids=["RAS", "LAS"])
@pytest.mark.parametrize("sides", [(-1, 0, 0), (2, 1, 3), (1, -2, 0)], ids=str)
def test_crop_or_pad_of_the_grid_is_aligned_without_loss(tmp_path, sides, order):
    """More or less voxels on each side of the mask's grid: every value keeps its place."""
    lesion = np.zeros(MASK.shape, np.int16)
    lesion[2:4, 2:5, 2] = [[3, 1, 7]]
    grown = [max(more, 0) for more in sides]
    cut = tuple(
        slice(max(-more, 0), n - max(-more, 0)) for n, more in zip(MASK.shape, sides, strict=True)
    )
    voxels = np.pad(lesion, [(more, more) for more in grown])[
        tuple(part if more < 0 else slice(None) for part, more in zip(cut, sides, strict=True))
    ]
    made = nib.Nifti1Image(voxels, moved(*(-2.0 * more for more in sides)))
    path = tmp_path / "image.nii.gz"
    nib.save(made.as_reoriented(order) if order else made, path)
    align(path, MASK, REGISTRY, None, tmp_path / "aligned.nii.gz", tmp_path / "aligned.json")
    aligned = nib.load(tmp_path / "aligned.nii.gz")
    assert np.array_equal(np.asarray(aligned.dataobj), lesion)
    assert aligned.get_data_dtype() == np.int16
    note = json.loads((tmp_path / "aligned.json").read_text())
    assert (note["Method"], note["Lossless"], note["CutOffVoxels"]) == (
        "cropped and padded",
        True,
        0,
    )


def test_crop_that_would_lose_values_is_refused_unless_resampling_is_asked_for(tmp_path):
    voxels = np.zeros([n + 2 for n in MASK.shape], np.float32)
    voxels[3, 3, 3], voxels[0, 0, 0] = 1, 0.2
    path = tmp_path / "image.nii.gz"
    nib.save(nib.Nifti1Image(voxels, moved(-2, -2, -2)), path)
    written = tmp_path / "aligned.nii.gz", tmp_path / "aligned.json"
    with pytest.raises(InvalidMaskError, match="1 of its voxels that are not 0 lie outside"):
        align(path, MASK, REGISTRY, None, *written)
    assert not written[0].exists()
    align(path, MASK, REGISTRY, "nearest", *written)
    assert np.asarray(nib.load(written[0]).dataobj).sum() == 1
