# SPDX-License-Identifier: MIT
"""What a header states before nibabel corrects it, and how its two positions are compared."""

import gzip
import math

import nibabel as nib
import numpy as np
import pytest
from support import TINY_AFFINE

from brainmasks import InvalidMaskError
from brainmasks.nifti import contradiction, displacement
from brainmasks.nifti import outline as module
from brainmasks.nifti.headers import nifti_version, offset_problem, voxel_size_problem
from brainmasks.nifti.outline import count_ones, stated_grid
from brainmasks.nifti.reading import HEADER_ROOM

VOXELS = np.zeros((6, 7, 5), np.uint8)
KINDS = {"NIfTI-1": nib.Nifti1Image, "NIfTI-2": nib.Nifti2Image}
ORDERS = {"little-endian": "<", "big-endian": ">"}


def header(kind=nib.Nifti1Image, order="<", **fields) -> bytes:
    """Return a header with other values in some fields."""
    made = kind(VOXELS, TINY_AFFINE, kind.header_class(endianness=order)).to_bytes()
    layout = kind.header_class.template_dtype.newbyteorder(order)
    stored = np.frombuffer(made[: layout.itemsize], layout).copy()
    for name, value in fields.items():
        stored[name] = value
    return stored.tobytes() + bytes(4)


# --- Header --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_version_is_told_by_the_size_of_the_header(order):
    for number, kind in enumerate(KINDS.values(), start=1):
        made = header(kind, order)
        assert nifti_version(made) == nifti_version(made[:4]) == number
    assert nifti_version(b"") is None
    assert nifti_version((349).to_bytes(4, "little")) is None
    assert nifti_version((348).to_bytes(8, "big")) is None


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_voxels_begin_behind_header_and_flag(kind, order):
    least = kind.header_class.template_dtype.itemsize + 4
    for offset in (least, least + 16, 1e6):
        assert offset_problem(header(kind, order, vox_offset=offset), single=True) is None
    for offset in (0, -16, least - 1):
        made = header(kind, order, vox_offset=offset)
        assert offset_problem(made, single=True) == (
            f"its header puts the voxels at byte {offset} (vox_offset), which must be a whole "
            f"number, {least} or more"
        )


@pytest.mark.parametrize("offset", [352.5, math.nan, math.inf])
def test_offset_that_is_no_whole_number_is_a_problem(offset):
    for single in (True, False):
        said = offset_problem(header(vox_offset=offset), single=single)
        assert said.startswith(f"its header puts the voxels at byte {offset:g} (vox_offset)")


def test_voxels_of_a_pair_begin_anywhere_in_their_file():
    for offset in (0, 1, 352):
        assert offset_problem(header(vox_offset=offset), single=False) is None
    said = offset_problem(header(vox_offset=-1), single=False)
    assert said.endswith("at byte -1 (vox_offset), which must be a whole number, 0 or more")


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_voxel_size_of_0_is_a_problem(kind, order):
    assert voxel_size_problem(header(kind, order)) is None
    for axis in (1, 2, 3):
        sizes = [1.0, 2, 2.5, 3, 0, 0, 0, 0]
        sizes[axis] = 0
        said = "x".join(f"{size:g}" for size in sizes[1:4])
        assert voxel_size_problem(header(kind, order, pixdim=sizes)) == (
            f"its header states voxels of {said} mm (pixdim)"
        )


@pytest.mark.parametrize(
    ("number", "said"),
    [(-1, None), (0, None), (1, None), (2, "2x0"), (3, "2x0x3"), (4, "2x0x3")],
)
def test_voxel_sizes_of_no_axis_do_not_matter(number, said):
    first = 2 if number > 0 else 0
    made = header(dim=[number, 6, 7, 5, 1, 1, 1, 1], pixdim=[1, first, 0, 3, 0, 0, 0, 0])
    problem = voxel_size_problem(made)
    assert problem == (said and f"its header states voxels of {said} mm (pixdim)")


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_of_what_is_no_header_or_no_whole_one_nothing_is_said(kind):
    size = kind.header_class.template_dtype.itemsize
    wrong = {"vox_offset": 1, "pixdim": [0] * 8}
    whole = header(kind, **wrong)[:size]
    for look in (lambda data: offset_problem(data, single=True), voxel_size_problem):
        assert look(whole) is not None
        assert look(whole[:-1]) is None
        assert look(b"") is None
        assert look(bytes(size)) is None
        assert look(header(kind, magic=b"no", **wrong)) is None


# --- Two positions -------------------------------------------------------------------------------


def with_forms(qform, sform, shape=(6, 7, 5), kind=nib.Nifti1Image):
    """Return an image with both affines."""
    made = kind(np.zeros(shape, np.uint8), None)
    made.header.set_zooms((2.0,) * len(shape))
    made.set_qform(qform, 1)
    made.set_sform(sform, 1)
    return made


def moved(mm: float) -> np.ndarray:
    """Return the affine, moved along z."""
    affine = TINY_AFFINE.copy()
    affine[2, 3] += mm
    return affine


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("shape", [(6, 7, 5), (6, 7), (6, 7, 5, 3)], ids=["3D", "2D", "4D"])
def test_forms_that_agree_and_forms_that_do_not(shape, kind):
    assert contradiction(with_forms(TINY_AFFINE, TINY_AFFINE, shape, kind)) is None
    assert contradiction(with_forms(moved(0.0009), TINY_AFFINE, shape, kind)) is None
    assert contradiction(with_forms(moved(0.25), TINY_AFFINE, shape, kind)) == (
        "qform and sform differ by up to 0.25 mm over the volume"
    )


@pytest.mark.parametrize("missing", ["qform", "sform", "both"])
def test_form_that_is_not_set_contradicts_nothing(missing):
    made = with_forms(moved(9), TINY_AFFINE)
    if missing != "sform":
        made.header["qform_code"] = 0
    if missing != "qform":
        made.header["sform_code"] = 0
    assert contradiction(made) is None


def test_sizes_of_voxels_are_compared_with_the_sform():
    made = with_forms(TINY_AFFINE, TINY_AFFINE)
    made.header["qform_code"] = 0
    made.header["pixdim"][1:4] = (2, 2.0005, 2)
    assert contradiction(made) is None
    made.header["pixdim"][1:4] = (2, 2.5, 2)
    said = "voxels of 2x2.5x2 mm by its pixdim, of 2x2x2 mm by its sform"
    assert contradiction(made) == said
    made.header["qform_code"] = 1
    made.header["pixdim"][1:4] = (2, 2, 2)
    made.header["quatern_b"] = 3
    said = contradiction(made)
    assert said.startswith("its qform is no rotation (")
    assert "None" not in said


@pytest.mark.parametrize(("shape", "axis"), [((6, 7), 2), ((6,), 2), ((6,), 1)])
def test_axes_that_an_image_has_not_contradict_nothing(shape, axis):
    wider = TINY_AFFINE.copy()
    wider[axis, axis] += 1
    assert contradiction(with_forms(wider, TINY_AFFINE, shape)) is None


def test_other_formats_have_nothing_to_contradict():
    assert contradiction(nib.MGHImage(VOXELS, TINY_AFFINE)) is None
    assert contradiction(nib.AnalyzeImage(VOXELS, TINY_AFFINE)) is None


def test_displacement_is_the_largest_of_all_voxels():
    rng = np.random.default_rng(3)
    for shape in ((6, 7, 5), (1, 4, 2), (1, 1, 1)):
        one, other = (TINY_AFFINE + np.vstack([rng.random((3, 4)), [0] * 4]) for _ in range(2))
        apart = [np.linalg.norm(((one - other) @ (*n, 1))[:3]) for n in np.ndindex(shape)]
        found = displacement(one.tolist(), other, shape)
        assert found == pytest.approx(max(apart))
        assert type(found) is float


# --- Grid and voxels of an image of any size -----------------------------------------------------


def test_grid_is_stated_whatever_the_size():
    image = nib.Nifti1Image(np.ones((6, 7, 5), np.uint8), np.diag([2, 2.5, 3, 1]))
    for data in (image.to_bytes(), gzip.compress(image.to_bytes())):
        assert stated_grid(data) == "6x7x5 voxels of 2x2.5x3 mm"
        assert stated_grid(data[:400]) == "6x7x5 voxels of 2x2.5x3 mm"
    four = nib.Nifti1Image(np.ones((6, 7, 5, 2), np.uint8), np.eye(4))
    assert stated_grid(four.to_bytes()) == "6x7x5x2 voxels of 1x1x1 mm"
    with pytest.raises(InvalidMaskError, match="it is not NIfTI"):
        stated_grid(b"something else")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", ">i2", "f4", "f8"])
def test_ones_of_more_voxels_than_are_read_at_once_are_counted(dtype, packed):
    voxels = (np.random.default_rng(1).random((50, 60, 50)) > 0.7).astype(dtype)
    assert voxels.size > 2 * module._PIECE
    content = nib.Nifti1Image(voxels, np.eye(4)).to_bytes()
    data = gzip.compress(content, 1) if packed else content
    assert count_ones(data) == int(voxels.sum())


def test_of_ones_is_counted_what_is_one_but_for_rounding_and_scaling():
    voxels = np.array([[[0, 0.9985, 0.9995, 1, 1.0005, 1.0015, np.nan, np.inf, 2, -1]]])
    content = nib.Nifti1Image(voxels, np.eye(4)).to_bytes()
    assert count_ones(content) == 3
    scaled = nib.Nifti1Image(np.array([[[0, 1, 3, 3, 5]]], np.uint8), np.eye(4))
    scaled.header.set_slope_inter(0.5, -0.5)
    assert count_ones(scaled.to_bytes()) == 2
    infinite = nib.Nifti1Image(np.array([[[1e308, 0.1]]]), np.eye(4))
    infinite.header.set_slope_inter(10, 0)
    assert count_ones(infinite.to_bytes()) == 1


@pytest.mark.parametrize("packed", [False, True])
def test_image_of_another_length_than_its_header_says_is_not_counted(packed):
    """Behind the voxels little may follow."""
    content = nib.Nifti1Image(VOXELS + 1.0, np.eye(4)).to_bytes()
    form = gzip.compress if packed else bytes
    assert count_ones(form(content + bytes(HEADER_ROOM))) == VOXELS.size
    with pytest.raises(InvalidMaskError, match="it is longer than its header says"):
        count_ones(form(content + bytes(HEADER_ROOM + 1)))
    with pytest.raises(InvalidMaskError, match="it is shorter than its header says"):
        count_ones(form(content[:-1]))


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-20], lambda data: data[:-8] + bytes(8)],
    ids=["cut off", "wrong checksum"],
)
def test_damaged_stream_is_not_counted(damage):
    voxels = np.random.default_rng(1).integers(0, 2, (120, 110, 110), np.uint8)
    data = gzip.compress(nib.Nifti1Image(voxels, np.eye(4)).to_bytes(), 1)
    assert count_ones(data) == int(voxels.sum())
    with pytest.raises(InvalidMaskError, match=r"Compressed file ended|CRC check failed"):
        count_ones(damage(data))


def test_image_of_more_bytes_than_are_worth_it_is_not_counted(monkeypatch):
    content = nib.Nifti1Image(VOXELS + 1.0, np.eye(4)).to_bytes()
    monkeypatch.setattr(module, "LARGEST", len(content))
    assert count_ones(content) == VOXELS.size
    monkeypatch.setattr(module, "LARGEST", len(content) - 1)
    assert count_ones(content) is None
