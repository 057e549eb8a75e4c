# SPDX-License-Identifier: MIT
"""What there is to see of an image over its mask, by world coordinates: on whatever grids."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..images import OBLIQUE, Counted, Examined, Grid, by_slices, lie_inside
from ..registry import BrainMaskMetadata
from .montage import number_text, spread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Numbers of colours; where several meet in one pixel, the highest is shown.
BEYOND, GROUND, BRAIN, INSIDE, OUTSIDE = range(5)
# How far beyond the mask's grid, in mm, a picture follows an image.
MARGIN = 50.0


@dataclass(frozen=True)
class Volume:
    """What is shown: voxel indices to mm (RAS+), and the number of a colour for each voxel."""

    affine: "NDArray[np.float64]"
    colors: "NDArray[np.uint8]"


@dataclass(frozen=True)
class Scene:
    """What there is to see, and from where to where, in mm."""

    # The mask on its grid.
    ground: Volume
    # None if the image cannot be shown.
    image: "Volume | None"
    edges: list[tuple[float, float]]
    slices: dict[int, list[float]]
    # What there would be to see if the picture were larger.
    hidden: str | None = None


def scene_of(
    examined: Examined, mask: BrainMaskMetadata, mask_voxels: "NDArray[np.bool_]"
) -> Scene:
    """Return what there is to see.

    Parameters
    ----------
    examined
        What was found about the image.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    """
    import numpy as np

    step_mm, near = np.array(mask.zooms), mask.affine[:3, 3]
    far = near + step_mm * np.array(mask.shape)
    edges = list(zip(near - step_mm / 2, far - step_mm / 2, strict=True))
    # `BRAIN` is the next number.
    ground = Volume(mask.affine, mask_voxels + np.uint8(GROUND))

    def only_brain(hidden: str | None = None) -> Scene:
        taken = (mask_voxels.any(axis=tuple({0, 1, 2} - {axis})) for axis in range(3))
        slices = {
            axis: [near[axis] + step_mm[axis] * n for n in spread(np.flatnonzero(some))]
            for axis, some in enumerate(taken)
        }
        return Scene(ground, None, edges, slices, hidden)

    grid, counted = examined.grid, examined.counted
    if counted is None or grid is None:
        return only_brain()
    if not examined.comparison.voxels:
        return only_brain("No voxel of it is above 0.5.")
    volume = Volume(grid.affine, np.zeros(counted.shape, np.uint8))
    oblique = examined.comparison.verdict == OBLIQUE
    centres, step = _color(volume, grid, counted, mask, mask_voxels, oblique)
    reach = [
        (
            max(low - MARGIN, min(low, at[0] - mm / 2)),
            min(high + MARGIN, max(high, at[-1] + mm / 2)),
        )
        for (low, high), at, mm in zip(edges, centres, step, strict=True)
    ]
    within = [
        at[(at >= low) & (at <= high)] for at, (low, high) in zip(centres, reach, strict=True)
    ]
    hidden = None
    if any(len(some) < len(at) for some, at in zip(within, centres, strict=True)):
        span = ", ".join(
            f"{axis} {number_text(at[0])} to {number_text(at[-1])}"
            for axis, at in zip("xyz", centres, strict=True)
        )
        hidden = (
            f"The picture ends {MARGIN:g} mm beyond the mask's grid, the image does not: {span} mm."
        )
    if not all(len(some) for some in within):
        return only_brain(hidden)
    slices = {
        axis: [float(within[axis][n]) for n in spread(range(len(within[axis])))]
        for axis in range(3)
    }
    return Scene(ground, volume, reach, slices, hidden)


def _color(
    volume: Volume,
    grid: Grid,
    counted: Counted,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    oblique: bool,
) -> tuple[list["NDArray[np.float64]"], "NDArray[np.float64]"]:
    """Color an image's voxels by where they lie, and return the planes that they meet.

    Parameters
    ----------
    volume, grid
        The image: its colors are filled in.
    counted
        Which voxels there are to color.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    oblique
        Whether the image's axes are rotated or sheared against the world's.

    Returns
    -------
    list of arrays, array of shape (3,)
        Coordinates in mm of the planes across x, y and z, ascending, and their thickness in mm.
    """
    import numpy as np
    from nibabel.affines import apply_affine, voxel_sizes

    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(counted.shape) - 1)
    lowest = apply_affine(grid.affine, corners).min(axis=0)
    smallest = voxel_sizes(grid.affine).min()
    step = np.diag(grid.ras_affine)[:3]
    if oblique:
        # Its voxels lie in no common planes; so thin that each of these goes through some.
        step = np.full(3, smallest / 4)
    planes: list[set[int]] = [set(), set(), set()]
    for indices in by_slices(counted):
        inside = lie_inside(indices, grid, mask, mask_voxels)
        volume.colors[tuple(indices.T)] = np.where(inside, INSIDE, OUTSIDE)
        numbers = np.rint((apply_affine(grid.affine, indices) - lowest) / step).astype(int)
        for met, along in zip(planes, numbers.T, strict=True):
            met.update(np.unique(along).tolist())
    # In short numbers, unless that would lead out of a voxel.
    decimals = 1 if smallest >= 0.2 else 3
    centres = [
        np.unique((first + mm * np.array(sorted(met))).round(decimals))
        for first, mm, met in zip(lowest, step, planes, strict=True)
    ]
    return centres, step
