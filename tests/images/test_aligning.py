# SPDX-License-Identifier: MIT
"""Images that are brought onto a mask's grid: each voxel stays where it lies in the world."""

import gzip
import hashlib
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_cases import CASES, FINE, MASK, REGISTRY, SIGNS, compare, moved, rotated
from support import save_image

from brainmasks import InvalidMaskError
from brainmasks.images import align

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
        "Lossless": False,
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
    name: (make, verdict) for name, (make, verdict, _) in CASES.items() if verdict not in LOSSLESS
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
