# SPDX-License-Identifier: MIT
"""Images of one table that have the same voxels, as they are or mirrored from left to right."""

import hashlib

import nibabel as nib
import numpy as np
import pytest

from brainmasks.images import Counted, Grid
from brainmasks.images.twins import Fingerprint, fingerprint, twin_findings


def prints(*volumes: tuple[np.ndarray, np.ndarray]) -> dict[str, list[str]]:
    """Return the codes and the images named, by the number of the image."""
    made = {}
    for number, (voxels, matrix) in enumerate(volumes):
        image = nib.Nifti1Image(voxels, matrix)
        made[str(number)] = fingerprint(Counted.of(np.asarray(image.dataobj) > 0.5), Grid.of(image))
    found = twin_findings(made)
    return {
        name: [f"{each.code} {each.detail.partition(' as ')[2].partition(';')[0]}" for each in of]
        for name, of in found.items()
    }


BLOB = np.zeros((20, 20, 20), np.uint8)
BLOB[3:6, 4:9, 5:7] = 1
BLOB[3, 9, 5] = 1
STRAIGHT = np.diag([2.0, 2, 2, 1])
STRAIGHT[:3, 3] = (-19, -20, -20)


def test_same_voxels_are_duplicates_whatever_the_storage_and_the_field_of_view():
    las = nib.Nifti1Image(BLOB, STRAIGHT).as_reoriented([[0, -1], [1, 1], [2, 1]])
    cropped = STRAIGHT.copy()
    cropped[:3, 3] += 4
    assert prints(
        (BLOB, STRAIGHT), (np.asarray(las.dataobj), las.affine), (BLOB[2:, 2:, 2:], cropped)
    ) == {
        "0": ["duplicate 1 and 2"],
        "1": ["duplicate 0 and 2"],
        "2": ["duplicate 0 and 1"],
    }


def test_voxels_elsewhere_or_of_another_size_are_no_duplicates():
    moved, larger = STRAIGHT.copy(), STRAIGHT.copy()
    moved[2, 3] += 2
    larger[:3, :3] *= 2
    other = BLOB.copy()
    other[3, 4, 5] = 0
    assert prints((BLOB, STRAIGHT), (BLOB, moved), (BLOB, larger), (other, STRAIGHT)) == {}


def test_mirrored_voxels_are_twins():
    """The same array under a header that runs the other way, or the array reversed."""
    header = np.diag([-1, 1, 1, 1]) @ STRAIGHT
    for twin in ((BLOB, header), (BLOB[::-1], STRAIGHT)):
        assert prints((BLOB, STRAIGHT), twin) == {"0": ["mirror_twin 1"], "1": ["mirror_twin 0"]}


def test_mirrored_on_a_grid_without_a_plane_at_0_is_a_twin():
    beside = STRAIGHT.copy()
    beside[0, 3] = -20
    assert prints((BLOB, beside), (BLOB[::-1], beside)) == {
        "0": ["mirror_twin 1"],
        "1": ["mirror_twin 0"],
    }


def test_what_has_moved_by_a_voxel_over_the_midline_is_no_twin():
    box = np.zeros((20, 4, 4), np.uint8)
    box[9:12, 1:3, 1:3] = 1
    moved = STRAIGHT.copy()
    moved[0, 3] += 2
    assert prints((box, STRAIGHT), (box, moved)) == {}


@pytest.mark.parametrize("zoom", [1.875, 0.9375, 2.1])
def test_duplicates_of_any_size_are_found_in_every_order(zoom):
    """As files hold them: rounded to single precision."""
    matrix = np.diag([zoom, zoom, zoom, 1])
    matrix[:3, 3] = (-90.1, -126.3, -72.7)
    made = nib.Nifti1Image(BLOB, matrix)
    for axes in ("LAS", "LPI", "PIR", "SRA"):
        order = nib.orientations.ornt_transform(
            nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axes)
        )
        other = nib.Nifti1Image.from_bytes(made.as_reoriented(order).to_bytes())
        assert prints((BLOB, matrix), (np.asarray(other.dataobj), other.affine)) == {
            "0": ["duplicate 1"],
            "1": ["duplicate 0"],
        }


def test_mirrored_but_elsewhere_is_no_twin():
    moved = STRAIGHT.copy()
    moved[0, 3] += 10
    assert prints((BLOB, STRAIGHT), (BLOB[::-1], moved)) == {}


def test_on_rotated_axes_nothing_is_a_mirror_image():
    """To mirror the indices mirrors nothing in the world."""
    angle = np.deg2rad(3)
    turned = STRAIGHT.copy()
    turned[:2, :2] = 2 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    made = fingerprint(Counted.of(BLOB > 0), Grid.of(nib.Nifti1Image(BLOB, turned)))
    assert (len(made.shape), made.mirrored) == (64, "")
    assert prints((BLOB, turned), (BLOB, turned)) == {"0": ["duplicate 1"], "1": ["duplicate 0"]}
    assert prints((BLOB, turned), (BLOB[::-1], turned)) == {}


def test_image_that_is_its_own_mirror_image_is_a_duplicate_only():
    middle = np.zeros((20, 20, 20), np.uint8)
    middle[9:11, 4, 5] = 1
    assert prints((middle, STRAIGHT), (middle, STRAIGHT)) == {
        "0": ["duplicate 1"],
        "1": ["duplicate 0"],
    }


def test_duplicates_and_twins_are_told_apart_of_one_image():
    assert prints((BLOB, STRAIGHT), (BLOB, STRAIGHT), (BLOB[::-1], STRAIGHT)) == {
        "0": ["duplicate 1", "mirror_twin 2"],
        "1": ["duplicate 0", "mirror_twin 2"],
        "2": ["mirror_twin 0 and 1"],
    }


def test_empty_images_are_no_duplicates():
    assert prints((0 * BLOB, STRAIGHT), (0 * BLOB, STRAIGHT)) == {}
    assert prints((0 * BLOB, STRAIGHT), (BLOB, STRAIGHT), (BLOB, STRAIGHT)) == {
        "1": ["duplicate 2"],
        "2": ["duplicate 1"],
    }


def test_fingerprint_states_the_box_around_the_voxels():
    """Voxels of 2 mm from -13 to -9, -12 to -2 and -10 to -8 mm."""
    box = BLOB[3:6, 4:10, 5:7] > 0
    shape, mirrored = (
        hashlib.sha256(b"3x6x2" + np.packbits(part.T).tobytes()).hexdigest()
        for part in (box, box[::-1])
    )
    grid = Grid.of(nib.Nifti1Image(BLOB, STRAIGHT))
    assert fingerprint(Counted.of(BLOB > 0), grid) == Fingerprint(
        (-12.0, -10.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0), -13.0, -9.0, shape, mirrored
    )


@pytest.mark.parametrize(
    ("mm", "same"), [(0.004, True), (-0.004, True), (0.02, False), (-0.02, False)]
)
@pytest.mark.parametrize("axis", [0, 1, 2], ids="xyz")
def test_what_is_nearer_than_a_hundredth_of_a_mm_is_at_the_same_place(axis, mm, same):
    moved = STRAIGHT.copy()
    moved[axis, 3] += mm
    assert bool(prints((BLOB, STRAIGHT), (BLOB, moved))) == same


def made_by_hand(low: float, high: float, shape="a", mirrored="b") -> Fingerprint:
    """Return a fingerprint of voxels of 2 mm along x."""
    return Fingerprint((0.0, 0.0, 2.0, 0.0), low, high, shape, mirrored)


@pytest.mark.parametrize(
    ("beside", "is_twin"),
    [
        (0.0, True),
        (2.0, True),
        (-2.0, True),
        (2 + 10**-2, True),
        (2.02, False),
        (-2.02, False),
        (4.0, False),
    ],
)
def test_mirror_image_may_lie_beside_its_place_by_a_voxel(beside, is_twin):
    images = {"0": made_by_hand(-9, 0.0), "1": made_by_hand(beside, 9, "b", "a")}
    codes = [each.code for each in twin_findings(images).get("0", [])]
    assert codes == ["mirror_twin"] * is_twin
