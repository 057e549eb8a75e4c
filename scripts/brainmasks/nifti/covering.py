# SPDX-License-Identifier: MIT
"""How much of each voxel of a large grid a mask covers, a few planes at a time."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .resampling import ROUNDING, at_least_half, count_outside, overlap, taken_up

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A part of a grid, from one index to another along each axis.
Box = tuple[slice, slice, slice]

# Voxels of the grid that are worked on at a time: 4 MB as float64, and some copies of that.
_AT_A_TIME = 1 << 19
# What is left of a sum of products that should be 0 or 1.
_NOTHING = 1e-9


@dataclass(frozen=True)
class Covered:
    """A mask on another grid, and what the way there did to it.

    Attributes
    ----------
    voxels : array of bool
        Which of the grid's voxels are at least half covered; axes in RAS order.
    fractions : float
        Sum of the fractions of all voxels: the volume of the mask on the grid, in its voxels.
    partial : int
        How many voxels are covered in part.
    inside : float
        The volume of the mask within the grid, in voxels of the mask: found without the fractions.
    cut_off : int
        How many of the mask's voxels have their centre outside the grid.
    """

    voxels: "NDArray[np.bool_]"
    fractions: float
    partial: int
    inside: float
    cut_off: int

    @property
    def allowed(self) -> float:
        """By how many voxels of the grid the mask's volume there may differ from `fractions`.

        A voxel that is covered wholly or not at all differs by nothing. One that is covered in part
        is 1 from one half on, and else 0: it gains or loses half of itself at most.
        """
        return self.partial * (0.5 + ROUNDING) + self.voxels.size * _NOTHING


def covered(
    mask: "NDArray[np.bool_]",
    mask_affine: "NDArray[np.float64]",
    shape: tuple[int, int, int],
    affine: "NDArray[np.float64]",
) -> Covered:
    """Bring a mask onto another grid: a voxel is 1 if at least half of it is covered.

    Parameters
    ----------
    mask, mask_affine
        The mask, and its voxel indices to mm (RAS+).
    shape, affine
        The grid's. Axes of both lie along the world's, in RAS order.
    """
    import numpy as np

    # Beyond the mask's own box nothing is covered.
    box = _box(mask)
    mask, mask_affine = mask[box], _moved(mask_affine, box)
    voxels = np.zeros(shape, bool, order="F")
    total, partial = 0.0, 0
    right, up, along = _reached(mask.shape, mask_affine, shape, affine)
    planes = max(1, _AT_A_TIME // max(1, voxels[right, up, 0].size))
    for start in range(along.start, along.stop, planes):
        here = (right, up, slice(start, min(start + planes, along.stop)))
        fraction = overlap(
            [mask], mask.shape, mask_affine, voxels[here].shape, _moved(affine, here)
        )
        voxels[here] = at_least_half(fraction)
        total += float(fraction.sum())
        partial += int(np.count_nonzero((fraction > _NOTHING) & (fraction < 1 - _NOTHING)))
    inside = _volume_inside(mask, mask_affine, shape, affine)
    cut_off = count_outside(mask, 0, mask_affine, shape, affine)
    return Covered(voxels, total, partial, inside, cut_off)


def _box(mask: "NDArray[np.bool_]") -> Box:
    """Return the smallest box that holds a mask."""
    x, y, z = (slice(taken[0], taken[-1] + 1) for taken in taken_up(mask))
    return x, y, z


def _moved(affine: "NDArray[np.float64]", box: Box) -> "NDArray[np.float64]":
    """Return the affine of a box of a grid."""
    import numpy as np

    moved = affine.copy()
    moved[:3, 3] += np.diag(affine)[:3] * [part.start for part in box]
    return moved


def _reached(
    source_shape: tuple[int, ...],
    source_affine: "NDArray[np.float64]",
    shape: tuple[int, int, int],
    affine: "NDArray[np.float64]",
) -> Box:
    """Return the box of a grid outside of which nothing of a source lies."""
    box = []
    for axis in range(3):
        faces = (
            source_affine[axis, 3] + source_affine[axis, axis] * (edge - 0.5)
            for edge in (0, source_shape[axis])
        )
        low, high = ((mm - affine[axis, 3]) / affine[axis, axis] for mm in faces)
        # A voxel more at either end: what only touches covers nothing.
        first, last = max(0, math.floor(low) - 1), min(shape[axis], math.ceil(high) + 2)
        box.append(slice(first, max(first, last)))
    return box[0], box[1], box[2]


def _volume_inside(
    mask: "NDArray[np.bool_]",
    mask_affine: "NDArray[np.float64]",
    shape: tuple[int, int, int],
    affine: "NDArray[np.float64]",
) -> float:
    """Return how much of a mask lies within the outermost faces of a grid, in its own voxels."""
    import numpy as np

    within = []
    for axis in range(3):
        edges = np.array([-0.5, shape[axis] - 0.5]) * affine[axis, axis] + affine[axis, 3]
        low, high = (edges - mask_affine[axis, 3]) / mask_affine[axis, axis] + 0.5
        index = np.arange(mask.shape[axis])
        part = np.clip(np.minimum(index + 1, high) - np.maximum(index, low), 0, 1)
        # What a header rounds is no cut.
        part[part > 1 - ROUNDING] = 1
        part[part < ROUNDING] = 0
        within.append(part)
    return float(
        sum(
            weight * (within[0] @ mask[:, :, k].astype(np.float64) @ within[1])
            for k, weight in enumerate(within[2])
            if weight
        )
    )
