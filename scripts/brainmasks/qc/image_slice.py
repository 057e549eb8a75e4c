# SPDX-License-Identifier: MIT
"""A slice of an image over its mask: what is in each pixel, and the colour that it gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata
from .background import Background
from .image_scene import BEYOND, BRAIN, GROUND, INSIDE, OUTSIDE, Scene

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
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
    numbers : array of int
        The highest number of a colour that there is in each pixel.
    brain : array of bool
        Whether some of a pixel lies in the brain.
    across : int
        The axis across the slice.
    mm, right, up : float, array, array
        Where the slice lies along that axis, and the middles of its pixels along the others, in mm.
    """

    numbers: "NDArray[np.integer[Any]]"
    brain: "NDArray[np.bool_]"
    across: int
    mm: float
    right: "NDArray[np.float64]"
    up: "NDArray[np.float64]"


def slice_of(
    scene: Scene,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    across: int,
    mm: float,
    axes: "Axes",
) -> Slice:
    """Return what is in a slice of a scene, with as many pixels as the axes have."""
    import numpy as np
    from nibabel.affines import voxel_sizes

    finest = min(mask.zooms)
    if scene.image:
        finest = min(finest, voxel_sizes(scene.image.grid.affine).min())
    middles, points = [], []
    right, up = (axis for axis in range(3) if axis != across)
    for axis, length in ((right, axes.bbox.width), (up, axes.bbox.height)):
        low, high = scene.edges[axis]
        # Not more than the axes have, or some would not be shown.
        pixels = max(int(length), 1)
        middles.append(_middles(low, high, pixels))
        # Not even a voxel that is smaller than a pixel may fall between two points.
        times = min(int(np.ceil(2 * (high - low) / pixels / finest)), FINEST)
        points.append(_middles(low, high, pixels * times))
    at = _nearest(mask.affine, mask.shape, across, mm, *points)
    brain: NDArray[np.bool_] = at.within & mask_voxels[at.index]
    # A byte for each point: of these there are many more than pixels.
    beyond, ground, inside = np.array([BEYOND, GROUND, BRAIN], np.uint8)
    numbers = np.where(at.within, np.where(brain, inside, ground), beyond)
    if image := scene.image:
        at = _nearest(image.grid.affine, image.colors.shape, across, mm, *points)
        numbers = np.maximum(numbers, np.where(at.within, image.colors[at.index], 0))
    wide, high = map(len, middles)
    parts = (wide, len(points[0]) // wide, high, -1)
    return Slice(
        # One after the other: at once it would take thrice as long.
        numbers.reshape(parts).max(axis=1).max(axis=2),
        brain.reshape(parts).max(axis=1).max(axis=2),
        across,
        mm,
        *middles,
    )


def over_background(
    shown: Slice, background: Background, colors: Sequence[str], outline: str
) -> "NDArray[np.float64]":
    """Return a slice in colours: the background, the brain's outline, and the image over both.

    Parameters
    ----------
    shown
        What is in the slice.
    background
        The background.
    colors
        The colour of each number.
    outline
        The colour of the brain's outline.

    Returns
    -------
    array of shape (pixels to the right, pixels upwards, 3)
        Red, green and blue from 0 to 1.
    """
    import numpy as np
    from matplotlib.colors import to_rgb
    from scipy.ndimage import binary_erosion

    points = np.empty((*shown.numbers.shape, 3))
    right, up = (axis for axis in range(3) if axis != shown.across)
    points[..., shown.across] = shown.mm
    points[..., right], points[..., up] = shown.right[:, None], shown.up[None, :]
    painted = np.repeat(background.brightness(points)[..., None], 3, axis=2)
    painted[shown.brain & ~binary_erosion(shown.brain)] = to_rgb(outline)
    for number in (INSIDE, OUTSIDE):
        there = shown.numbers == number
        painted[there] += OPACITY * (np.array(to_rgb(colors[number])) - painted[there])
    return painted


def _middles(low: float, high: float, parts: int) -> "NDArray[np.float64]":
    """Return the middles of so many equal parts of what lies between two coordinates."""
    import numpy as np

    return low + (np.arange(parts) + 0.5) * (high - low) / parts


@dataclass(frozen=True)
class _Nearest:
    """For each point of a slice its nearest voxel, and whether that is one of the volume."""

    index: tuple["NDArray[np.intp]", ...]
    within: "NDArray[np.bool_]"


def _nearest(
    affine: "NDArray[np.float64]",
    shape: tuple[int, ...],
    across: int,
    mm: float,
    points_right: "NDArray[np.float64]",
    points_up: "NDArray[np.float64]",
) -> _Nearest:
    import numpy as np

    right, up = (axis for axis in range(3) if axis != across)
    to_index = np.linalg.inv(affine)
    index = []
    within = np.ones((len(points_right), len(points_up)), dtype=bool)
    for row, length in zip(to_index, shape, strict=False):
        along = np.asarray(row[across] * mm + row[3])
        # Along a straight axis few numbers say it for all points: arrays of one row or column.
        if row[up]:
            along = row[up] * points_up[None, :] + along
        if row[right]:
            along = row[right] * points_right[:, None] + along
        along = np.rint(along)
        within &= (along >= 0) & (along < length)
        index.append(np.clip(along, 0, length - 1).astype(np.intp))
    return _Nearest(tuple(index), within)
