# SPDX-License-Identifier: MIT
"""A slice of an image over its mask: what is in each pixel, and the colour that it gets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .background import Background
from .image_scene import BRAIN, INSIDE, OUTSIDE, Scene, Volume

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Along each edge of a pixel, at most so many points are looked at.
FINEST = 8
# How much of an image's colour is seen over a background: anatomy shows through the rest.
OPACITY = 0.65


@dataclass(frozen=True)
class Slice:
    """What is in the pixels of a slice; the first index runs to the right, the second upwards.

    Attributes
    ----------
    numbers : array of uint8
        The highest number of a colour that there is in each pixel.
    brain : array of bool
        Whether some of a pixel lies in the brain.
    across : int
        The axis across the slice.
    mm, right, up : float, array, array
        Where the slice lies along that axis, and the middles of its pixels along the others, in mm.
    """

    numbers: "NDArray[np.uint8]"
    brain: "NDArray[np.bool_]"
    across: int
    mm: float
    right: "NDArray[np.float64]"
    up: "NDArray[np.float64]"


def slice_of(scene: Scene, across: int, mm: float, shape: tuple[int, int]) -> Slice:
    """Return what is in a slice of a scene, with so many pixels to the right and upwards."""
    import numpy as np
    from nibabel.affines import voxel_sizes

    volumes = [scene.ground, scene.image] if scene.image else [scene.ground]
    finest = min(voxel_sizes(volume.affine).min() for volume in volumes)
    middles, points = [], []
    for axis, pixels in zip(_others(across), shape, strict=True):
        low, high = scene.edges[axis]
        middles.append(_middles(low, high, pixels))
        # Not even a voxel that is smaller than a pixel may fall between two points.
        times = min(int(np.ceil(2 * (high - low) / pixels / finest)), FINEST)
        points.append(_middles(low, high, pixels * times))
    ground, *above = (_highest(volume, across, mm, points, shape) for volume in volumes)
    numbers = np.maximum(ground, above[0]) if above else ground
    return Slice(numbers, ground == BRAIN, across, mm, *middles)


def over_background(
    shown: Slice,
    background: Background,
    colors: "NDArray[np.uint8]",
    outline: "NDArray[np.uint8]",
) -> "NDArray[np.uint8]":
    """Return a slice in colours: the background, the brain's outline, and the image over both.

    Parameters
    ----------
    shown
        What is in the slice.
    background
        The background.
    colors
        Red, green and blue of each number.
    outline
        Those of the brain's outline.

    Returns
    -------
    array of shape (pixels to the right, pixels upwards, 3)
        Red, green and blue.
    """
    import numpy as np
    from scipy.ndimage import binary_erosion

    points = np.empty((*shown.numbers.shape, 3))
    right, up = _others(shown.across)
    points[..., shown.across] = shown.mm
    points[..., right], points[..., up] = shown.right[:, None], shown.up[None, :]
    painted = np.repeat(255 * background.brightness(points)[..., None], 3, axis=2)
    painted[shown.brain & ~binary_erosion(shown.brain)] = outline
    for number in (INSIDE, OUTSIDE):
        there = shown.numbers == number
        painted[there] += OPACITY * (colors[number] - painted[there])
    return painted.round().astype(np.uint8)


def _others(across: int) -> tuple[int, int]:
    """Return the axes to the right and upwards."""
    right, up = (axis for axis in range(3) if axis != across)
    return right, up


def _middles(low: float, high: float, parts: int) -> "NDArray[np.float64]":
    """Return the middles of so many equal parts of what lies between two coordinates."""
    import numpy as np

    return low + (np.arange(parts) + 0.5) * (high - low) / parts


def _highest(
    volume: Volume,
    across: int,
    mm: float,
    points: "list[NDArray[np.float64]]",
    shape: tuple[int, int],
) -> "NDArray[np.uint8]":
    """Return the highest number of a volume at the points of each pixel of a slice; 0 beyond it.

    Parameters
    ----------
    volume
        What is looked up.
    across, mm
        The axis across the slice, and where it lies along that axis.
    points
        Coordinates in mm to the right and upwards: as many for each pixel.
    shape
        How many pixels there are to the right and upwards.
    """
    import numpy as np

    to_index: NDArray[Any] = np.linalg.inv(volume.affine)
    right, up = _others(across)
    if np.count_nonzero(to_index[:3, :3]) > 3:
        return _highest_oblique(volume, to_index, across, mm, points, shape)
    # Each axis of the world is one of the volume: the highest along one, then along the next.
    own = [int(np.flatnonzero(to_index[:3, axis])[0]) for axis in (across, right, up)]
    found = volume.colors.transpose(own)
    along = zip((across, right, up), own, ([mm], *points), (1, *shape), strict=True)
    for axis, n, at, pixels in along:
        place = to_index[n, axis] * np.asarray(at) + to_index[n, 3]
        index, within = _nearest(place, volume.colors.shape[n])
        found = found[index]
        found[~within] = 0
        found = found.reshape(pixels, -1, *found.shape[1:]).max(axis=1)
        found = np.moveaxis(found, 0, -1)
    highest: NDArray[np.uint8] = found[0]
    return highest


def _highest_oblique(
    volume: Volume,
    to_index: "NDArray[np.float64]",
    across: int,
    mm: float,
    points: "list[NDArray[np.float64]]",
    shape: tuple[int, int],
) -> "NDArray[np.uint8]":
    """Return what `_highest` does, looked up point by point."""
    import numpy as np

    right, up = _others(across)
    indices: list[NDArray[np.intp]] = []
    inside: Any = True
    for row, length in zip(to_index, volume.colors.shape, strict=False):
        at = row[up] * points[1][None, :] + (row[across] * mm + row[3])
        index, within = _nearest(row[right] * points[0][:, None] + at, length)
        indices.append(index)
        inside = inside & within
    numbers = np.where(inside, volume.colors[tuple(indices)], 0)
    wide, high = shape
    parts = (wide, len(points[0]) // wide, high, -1)
    # One after the other: at once it would take thrice as long.
    highest: NDArray[np.uint8] = numbers.reshape(parts).max(axis=1).max(axis=2)
    return highest


def _nearest(
    at: "NDArray[np.float64]", length: int
) -> "tuple[NDArray[np.intp], NDArray[np.bool_]]":
    """Return the nearest voxel to each position along an axis, and whether it lies in that."""
    import numpy as np

    at = np.rint(at)
    return np.clip(at, 0, length - 1).astype(np.intp), (at >= 0) & (at < length)
