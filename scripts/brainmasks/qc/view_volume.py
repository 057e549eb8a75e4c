# SPDX-License-Identifier: MIT
"""What an interactive view moves through: an image and what lies under it, on one grid of cubes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..images import Counted, by_slices
from ..nifti import TOLERANCE, nearest
from ..registry import BrainMaskMetadata
from .background import Background
from .image_scene import INSIDE, Scene, Volume

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How far beyond the brain it is shown, in mm.
AROUND = 15.0
# Smallest edge of a cube in mm: smaller ones make pages of many megabytes.
FINEST = 1.0
# How bright the brain is without a background, and the rest of the mask's grid.
BRAIN_LIGHT, GRID_LIGHT = 1.0, 0.3
# Numbers of colours in `over`; 0 is nothing.
EDGE, IN_BRAIN, OUT_OF_BRAIN = 1, 2, 3


@dataclass(frozen=True)
class ViewVolume:
    """Two volumes on one grid, in RAS order.

    Attributes
    ----------
    affine : array of shape (4, 4)
        Voxel indices to mm (RAS+).
    under : array of float
        How bright the background is, from 0 to 1.
    over : array of int
        `EDGE` at the brain's outline, `IN_BRAIN` and `OUT_OF_BRAIN` where the image is, else 0.
    start : tuple of float
        Where the view begins, in mm: in the voxel of the image that is closest to its centre.
    """

    affine: "NDArray[np.float64]"
    under: "NDArray[np.float32]"
    over: "NDArray[np.uint8]"
    start: tuple[float, float, float]


def view_volume(
    scene: Scene,
    image: Volume,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    background: Background | None,
) -> ViewVolume:
    """Return what there is to see of an image that is shown.

    Parameters
    ----------
    scene, image
        What `scene_of` returned, and the image in it.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    background
        What lies under the image.
    """
    import numpy as np
    from nibabel.affines import voxel_sizes
    from scipy.ndimage import binary_erosion

    # Upon the mask's own voxels, if these are cubes of this size.
    edge = max(min(mask.zooms), FINEST)
    origin = mask.affine[:3, 3]
    cubes, numbers = _cubes(scene, image, origin, edge)
    shape, affine = _grid(cubes, mask, mask_voxels, edge)
    brain = nearest([mask_voxels], mask.shape, mask.affine, shape, affine)
    shown = nearest([image.colors], image.colors.shape, image.affine, shape, affine)
    if voxel_sizes(image.affine).min() < edge - TOLERANCE:
        # Voxels that are smaller than a cube may lie between the centres of two.
        first = np.rint((affine[:3, 3] - origin) / edge).astype(int)
        np.maximum.at(shown, tuple((cubes - first).T), numbers)
    over = np.where(shown, shown - INSIDE + IN_BRAIN, 0).astype(np.uint8)
    over[brain & ~binary_erosion(brain) & (over == 0)] = EDGE
    if background:
        under = _brightness(background, shape, affine)
    else:
        grid = nearest([np.ones(mask.shape, bool)], mask.shape, mask.affine, shape, affine)
        under = np.where(brain, BRAIN_LIGHT, grid * GRID_LIGHT).astype(np.float32)
    return ViewVolume(affine, under, over, _start(shown > 0, affine))


def _cubes(
    scene: Scene, image: Volume, origin: "NDArray[np.float64]", edge: float
) -> tuple["NDArray[np.intp]", "NDArray[np.uint8]"]:
    """Return the cubes in which an image's voxels have their centres, and their numbers of colours.

    Cubes are counted from that at the mask's first voxel.
    """
    import numpy as np
    from nibabel.affines import apply_affine

    low, high = np.array(scene.edges).T
    cubes, numbers = [], []
    for indices in by_slices(Counted.of(image.colors > 0)):
        centres = apply_affine(image.affine, indices)
        within = np.all((centres >= low) & (centres <= high), axis=1)
        cubes.append(np.rint((centres[within] - origin) / edge).astype(np.intp))
        numbers.append(image.colors[tuple(indices[within].T)])
    return np.concatenate(cubes), np.concatenate(numbers)


def _grid(
    cubes: "NDArray[np.intp]",
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    edge: float,
) -> tuple[tuple[int, int, int], "NDArray[np.float64]"]:
    """Return shape and affine of a grid around the brain and all cubes of an image."""
    import numpy as np

    low, high = [], []
    for axis in range(3):
        taken = np.flatnonzero(mask_voxels.any(axis=tuple({0, 1, 2} - {axis})))
        mm = mask.zooms[axis] * taken[[0, -1]]
        low.append(np.floor((mm[0] - AROUND) / edge))
        high.append(np.ceil((mm[1] + AROUND) / edge))
    first = np.minimum(low, cubes.min(axis=0) - 1)
    last = np.maximum(high, cubes.max(axis=0) + 1)
    affine = np.diag([edge, edge, edge, 1.0])
    affine[:3, 3] = mask.affine[:3, 3] + edge * first
    x, y, z = (last - first + 1).astype(int).tolist()
    return (x, y, z), affine


def _brightness(
    background: Background, shape: tuple[int, int, int], affine: "NDArray[np.float64]"
) -> "NDArray[np.float32]":
    """Return how bright a background is in each voxel of a grid; by planes, to need less memory."""
    import numpy as np
    from nibabel.affines import apply_affine

    bright = np.empty(shape, np.float32)
    plane = np.stack(np.meshgrid(0, *map(np.arange, shape[1:]), indexing="ij"), axis=-1)[0]
    for number in range(shape[0]):
        plane[..., 0] = number
        bright[number] = background.brightness(apply_affine(affine, plane))
    return bright


def _start(shown: "NDArray[np.bool_]", affine: "NDArray[np.float64]") -> tuple[float, float, float]:
    """Return the centre in mm of that voxel of an image which is closest to the centre of mass."""
    import numpy as np
    from nibabel.affines import apply_affine

    indices = np.argwhere(shown)
    distances = np.linalg.norm(indices - indices.mean(axis=0), axis=1)
    x, y, z = apply_affine(affine, indices[distances.argmin()]).tolist()
    return x, y, z
