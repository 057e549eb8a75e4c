# SPDX-License-Identifier: MIT
"""Pictures of images over their masks: what is red, what is yellow, and where."""

import gzip
import hashlib
import re
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from image_cases import CASES, INSIDE, MASK, REGISTRY, moved, rotated

from brainmasks import BRAIN_MASK_REGISTRY, MaskError
from brainmasks.images import Policy, PublishedMask, check_images
from brainmasks.images.compare import examine
from brainmasks.qc.image_picture import COLORS, draw_images, montage_over
from brainmasks.qc.image_scene import BRAIN, GROUND, MARGIN, OUTSIDE
from brainmasks.qc.image_scene import INSIDE as WITHIN
from brainmasks.qc.montage import PLANES, SLICES
from brainmasks.qc.montage_png import as_png
from brainmasks.registry import BrainMaskRegistry

matplotlib = pytest.importorskip("matplotlib", reason="requirements-qc.txt is not installed")

LAS = [[0, -1], [1, 1], [2, 1]]
# Superior, then anterior, then left: nothing is where it was.
TURNED = [[2, -1], [1, 1], [0, 1]]
# A brain with two hemispheres that differ, on a grid of 2 mm.
BRAIN_MASK = replace(MASK, shape=(30, 36, 26), origin=(-29.0, -40.0, -22.0))
BRAIN_VOXELS = np.zeros(BRAIN_MASK.shape, bool)
BRAIN_VOXELS[3:27, 4:32, 2:24] = True
BRAIN_VOXELS[15:, :8, :6] = False


def over(image, mask=BRAIN_MASK, mask_voxels=BRAIN_VOXELS, registry=REGISTRY, accepted=True):
    """Return what is found about an image, and the picture of it."""
    found = examine(image, mask, registry, lambda: mask_voxels)
    return found.comparison, montage_over(found, mask, mask_voxels, "sub-01", mask.name, accepted)


def panels(picture):
    """Yield each slice: axis across, its mm, numbers of colours (right, up), what it covers."""
    labels = [
        re.fullmatch(r"([xyz]) = (\S+) mm", text.text.replace("\N{MINUS SIGN}", "-"))
        for text in picture.texts
    ]
    labels = [match for match in labels if match]
    assert len(labels) == len(picture.panels)
    planes = {name: across for name, across, *_ in PLANES}
    for match, panel in zip(labels, picture.panels, strict=True):
        across = "xyz".index(match[1])
        assert across == panel.across == planes[panel.plane]
        yield across, float(match[2]), panel.pixels, panel.extent


def texts(picture) -> str:
    return "\n".join(text.text for text in picture.texts)


def left_lesion(side: int = -1):
    """Return a lesion on the left, or on the right, that sticks out of the brain's back."""
    x = BRAIN_MASK.origin[0] + 2 * np.arange(30)
    voxels = np.zeros(BRAIN_MASK.shape, np.uint8)
    voxels[np.ix_((x * side > 6) & (x * side < 18), range(2, 12), range(8, 14))] = 1
    return nib.Nifti1Image(voxels, BRAIN_MASK.affine)


@pytest.mark.parametrize("order", [None, LAS, TURNED], ids=["RAS", "LAS", "turned"])
@pytest.mark.parametrize("side", [-1, 1], ids=["left", "right"])
def test_lesion_is_on_its_side_however_it_is_stored(side, order):
    image = left_lesion(side)
    stored = image.as_reoriented(order) if order else image
    found, picture = over(stored)
    assert found.verdict == ("reoriented" if order else "identical")
    assert found.hemisphere == ("left" if side < 0 else "right")
    for across, _, colors, extent in panels(picture):
        if across == 0:
            continue
        columns = np.flatnonzero((colors >= WITHIN).any(axis=1))
        width = extent[1] - extent[0]
        mm = extent[0] + (columns + 0.5) * width / len(colors)
        assert np.all(mm * side > 0)
        # The pixels of the PNG run the same way as the array: left is left.
        assert np.all(columns < len(colors) / 2) == (side < 0)
    # In whatever order it is stored: the same slices, below the same text.
    straight = examine(image, BRAIN_MASK, REGISTRY, lambda: BRAIN_VOXELS)
    turned = replace(
        examine(stored, BRAIN_MASK, REGISTRY, lambda: BRAIN_VOXELS),
        comparison=straight.comparison,
    )
    drawn = [
        panels(montage_over(each, BRAIN_MASK, BRAIN_VOXELS, "a", "b", True))
        for each in (straight, turned)
    ]
    for one, other in zip(*drawn, strict=True):
        assert one[:2] == other[:2]
        assert np.array_equal(one[2], other[2])


@pytest.mark.parametrize("order", [None, LAS], ids=["RAS", "LAS"])
def test_left_lesion_is_in_the_left_half_of_the_png(order):
    """In the file itself: its colours are left of the middle between the letters L and R."""
    from io import BytesIO

    from PIL import Image

    image = left_lesion().as_reoriented(order) if order else left_lesion()
    found = examine(image, BRAIN_MASK, REGISTRY, lambda: BRAIN_VOXELS)
    picture = montage_over(found, BRAIN_MASK, BRAIN_VOXELS, "a", "b", True)
    pixels = np.asarray(Image.open(BytesIO(as_png(picture))).convert("RGB")).astype(int)
    drawn = np.zeros(pixels.shape[:2], bool)
    for color in (COLORS[WITHIN], COLORS[OUTSIDE]):
        drawn |= np.all(pixels == [int(color[n : n + 2], 16) for n in (1, 3, 5)], axis=2)
    checked = 0
    for panel in picture.panels:
        if panel.plane == "Sagittal":
            continue
        width, height = panel.pixels.shape
        rows = drawn[panel.top : panel.top + height, panel.left : panel.left + width]
        columns = np.flatnonzero(rows.any(axis=0))
        assert columns.size
        assert columns.max() < width / 2
        checked += 1
    assert checked > SLICES


GRIDS = {
    "the same": BRAIN_MASK.affine,
    "LAS": np.diag([-1, 1, 1, 1]) @ BRAIN_MASK.affine,
    "shifted": moved(-36, -45, -20, np.diag([2.0, 2, 2, 1])),
    "finer": moved(-20.3, -30, 1, np.diag([1.3, 0.9, 1.1, 1])),
    "coarser": moved(40, -50, -30, np.diag([-3.1, 3, 3.3, 1])),
    "rotated": rotated(2, 31.0) @ np.linalg.inv(MASK.affine) @ BRAIN_MASK.affine,
}


@pytest.mark.parametrize("affine", GRIDS.values(), ids=GRIDS)
def test_every_pixel_shows_what_lies_there_in_the_world(affine):
    """Each pixel has the highest of the colours that its area has, looked up one by one."""
    voxels = np.zeros((30, 36, 26), np.uint8)
    voxels[2:14, 3:20, 5:16] = np.random.default_rng(1).random((12, 17, 11)) > 0.3
    _, picture = over(nib.Nifti1Image(voxels, affine))
    to_image, to_mask = np.linalg.inv(affine), np.linalg.inv(BRAIN_MASK.affine)

    def nearest(inverse, at, shape):
        index = np.rint(at @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
        within = np.all((index >= 0) & (index < shape), axis=-1)
        return np.where(within[..., None], index, 0), within

    seen = set()
    # Some of the slices, of each plane.
    for across, mm, colors, (left, right, bottom, top) in list(panels(picture))[::4]:
        us = left + (np.arange(len(colors)) + 0.5) * (right - left) / len(colors)
        vs = bottom + (np.arange(colors.shape[1]) + 0.5) * (top - bottom) / colors.shape[1]
        pixel = np.array([us[1] - us[0], vs[1] - vs[0]])
        highest, lowest = np.zeros(colors.shape, int), np.full(colors.shape, OUTSIDE)
        for du in np.linspace(-0.499, 0.499, 7):
            for dv in np.linspace(-0.499, 0.499, 7):
                at = np.empty((*colors.shape, 3))
                at[..., across] = mm
                first, second = (n for n in range(3) if n != across)
                at[..., first] = (us + du * pixel[0])[:, None]
                at[..., second] = (vs + dv * pixel[1])[None, :]
                index, within = nearest(to_mask, at, BRAIN_MASK.shape)
                here = np.where(
                    within,
                    np.where(BRAIN_VOXELS[tuple(np.moveaxis(index, -1, 0))], BRAIN, GROUND),
                    0,
                )
                index, within = nearest(to_image, at, voxels.shape)
                hit = within & (voxels[tuple(np.moveaxis(index, -1, 0))] == 1)
                centre = index @ affine[:3, :3].T + affine[:3, 3]
                in_mask, inside = nearest(to_mask, centre, BRAIN_MASK.shape)
                inside &= BRAIN_VOXELS[tuple(np.moveaxis(in_mask, -1, 0))]
                here = np.where(hit, np.where(inside, WITHIN, OUTSIDE), here)
                highest, lowest = np.maximum(highest, here), np.minimum(lowest, here)
        sure = highest == lowest
        assert sure.mean() > 0.5
        # Exactly half way between two voxels, either is right.
        assert (colors[sure] == highest[sure]).mean() > 0.995
        assert (colors <= highest).mean() > 0.995
        seen |= set(np.unique(colors))
    assert {WITHIN, BRAIN, GROUND} <= seen


def test_colours_tell_inside_from_outside():
    found, picture = over(left_lesion())
    assert found.voxels_inside > 0
    assert found.voxels_outside > 0
    for across, mm, colors, _ in panels(picture):
        if across == 1:  # each coronal slice is either in front of the brain's edge or behind it
            edge = BRAIN_MASK.origin[1] + 2 * 4
            assert (colors == OUTSIDE).any() == (mm < edge)
            assert (colors == WITHIN).any() == (mm >= edge)
    assert f"{found.voxels_inside:,} inside the brain, {found.voxels_outside:,} outside" in texts(
        picture
    )


@pytest.mark.parametrize("degrees", [0, 7, 31, 45])
@pytest.mark.parametrize("axis", range(3))
def test_even_one_voxel_is_met_by_every_slice(axis, degrees):
    voxels = np.zeros(BRAIN_MASK.shape, np.uint8)
    voxels[20, 11, 17] = 1
    turn = rotated(axis, degrees) @ np.linalg.inv(MASK.affine)
    _, picture = over(
        nib.Nifti1Image(voxels, turn @ BRAIN_MASK.affine @ np.diag([0.2, 0.2, 0.2, 1]))
    )
    shown = list(panels(picture))
    assert {across for across, *_ in shown} == {0, 1, 2}
    for _, _, colors, _ in shown:
        assert (colors >= WITHIN).any()


def test_distant_parts_are_all_met():
    voxels = np.zeros(BRAIN_MASK.shape, np.uint8)
    voxels[[4, 5, 25], [6, 6, 30], [3, 3, 20]] = 1
    _, picture = over(nib.Nifti1Image(voxels, BRAIN_MASK.affine))
    found = {}
    for across, mm, colors, _ in panels(picture):
        assert (colors >= WITHIN).any()
        found.setdefault(across, []).append(mm)
    assert found == {0: [-21, -19, 21], 1: [-28, 20], 2: [-16, 18]}


def test_header_says_what_was_found():
    found, picture = over(left_lesion().as_reoriented(LAS))
    for words in (
        f"sub-01 over {BRAIN_MASK.name}",
        "accepted: reoriented",
        f"{found.voxels:,} voxels",
        f"{found.volume_ml:,.2f} ml",
        f"left hemisphere ({found.voxels_left:,} left, 0 right)",
        "stored LAS instead of RAS",
        "red inside the brain, yellow outside",
    ):
        assert words in texts(picture)


# One for each verdict, and those whose voxels are not, or not all, to be had.
ODD = {verdict: (make, verdict) for make, verdict, _ in CASES.values()} | {
    name: CASES[name][:2]
    for name in ("no voxel above 0", "all ones", "complex", "NaN", "4D", "cut-off gzip")
}


@pytest.mark.parametrize(("make", "verdict"), ODD.values(), ids=ODD)
def test_whatever_the_image_is_there_is_a_picture(make, verdict, tmp_path):
    """One that has no place in the world is not drawn: its verdict is, in large letters."""
    found = examine(make(tmp_path), MASK, REGISTRY, lambda: INSIDE)
    picture = montage_over(found, MASK, INSIDE, "sub-01", MASK.name, False)
    outcome = "rejected: " + ", ".join((verdict, *found.comparison.codes))
    (written,) = (text for text in picture.texts if text.text == outcome)
    lesion = [(colors >= WITHIN).any() for *_, colors, _ in panels(picture)]
    assert lesion
    placed = found.grid is not None and bool(found.comparison.voxels)
    assert all(lesion) if placed else not any(lesion)
    assert written.size == (13 if placed else 24)
    joined = " ".join(texts(picture).split())
    assert found.comparison.detail.split(":")[0] in joined
    assert ("Only the brain is drawn" in joined) == (not placed)


def test_image_beyond_the_picture_is_said_to_be_there():
    image = left_lesion()
    for mm, part in ((MARGIN + 10, True), (1000, False)):
        affine = image.affine.copy()
        affine[0, 3] -= mm
        _, picture = over(nib.Nifti1Image(np.asarray(image.dataobj), affine))
        assert any((colors >= WITHIN).any() for *_, colors, _ in panels(picture)) == part
        text = " ".join(texts(picture).split())
        assert ("The picture ends 50 mm beyond the mask's grid, the image does not" in text) == (
            not part
        )
        # The picture follows it, but not to the ends of the world.
        assert min(extent[0] for across, *_, extent in panels(picture) if across) >= -80


def test_dollars_in_a_message_are_no_formula(tmp_path):
    path = tmp_path / "a$b$\\frac.nii"
    path.write_bytes(b"no image at $b$ all")
    found = examine(path, MASK, REGISTRY, lambda: INSIDE)
    assert "$b$" in found.comparison.detail
    assert as_png(montage_over(found, MASK, INSIDE, "a", "b", False)).startswith(b"\x89PNG")


def test_several_processes_draw_the_same_as_one(tmp_path):
    from brainmasks.nifti import as_nii_gz

    mask_path = tmp_path / "A_2mm.nii.gz"
    data = as_nii_gz(nib.Nifti1Image(BRAIN_VOXELS.astype(np.uint8), BRAIN_MASK.affine))
    mask_path.write_bytes(data)
    content = hashlib.sha256(gzip.decompress(data)).hexdigest()
    mask = replace(BRAIN_MASK, content_sha256=content)
    images = {}
    for name, side in (("a", -1), ("b", 1), ("c", -1)):
        nib.save(left_lesion(side), tmp_path / f"{name}.nii.gz")
        images[name] = {"image": str(tmp_path / f"{name}.nii.gz"), "mask": "A_2mm"}
    masks = {"A_2mm": PublishedMask(mask_path, mask)}
    registry = BrainMaskRegistry([BRAIN_MASK], {})
    check_images(images, masks, registry, 0.5, tmp_path / "found.json")
    policy = Policy(["identical"], [])
    made = []
    for workers in (1, 2):
        paths = {name: tmp_path / f"{name}{workers}.png" for name in images}
        draw_images(tmp_path / "found.json", masks, policy, paths, {}, workers)
        made.append([path.read_bytes() for path in paths.values()])
    assert made[0] == made[1]
    assert made[0][0] != made[0][1]


def test_matplotlib_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MaskError, match=r"need matplotlib: install .* requirements-qc\.txt"):
        draw_images("found.json", {}, Policy((), ()), {}, {})


@pytest.mark.parametrize(("subject", "side"), [("01", 1), ("02", -1), ("03", 1)])
def test_real_lesion_is_drawn_in_its_hemisphere(real, subject, side):
    mask = BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_1mm")
    voxels = (
        np.asarray(nib.load(real / "registered" / f"{mask.name}_desc-brain_mask.nii.gz").dataobj)
        == 1
    )
    path = next((real / "lesions").glob(f"sub-{subject}_*"))
    found, picture = over(path, mask, voxels, BRAIN_MASK_REGISTRY)
    assert found.hemisphere == ("left" if side < 0 else "right")
    assert "reoriented" in texts(picture)
    for across, _, colors, _ in panels(picture):
        assert not (colors == OUTSIDE).any()
        columns = np.flatnonzero((colors == WITHIN).any(axis=1))
        if across:
            assert (columns.mean() - len(colors) / 2) * side > 0


def test_real_lesion_without_orientation_is_not_drawn(real):
    mask = BRAIN_MASK_REGISTRY.get("MNI152NLin6Asym_2mm")
    voxels = (
        np.asarray(nib.load(real / "registered" / f"{mask.name}_desc-brain_mask.nii.gz").dataobj)
        == 1
    )
    path = real / "lesions" / "503_T2_lesions_MNI_bin.nii.gz"
    _, picture = over(path, mask, voxels, BRAIN_MASK_REGISTRY)
    assert not any((colors >= WITHIN).any() for *_, colors, _ in panels(picture))
    assert "no_orientation" in texts(picture)
