# SPDX-License-Identifier: MIT
"""How much of each voxel of a large grid a mask covers, plane by plane."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .axis_shares import shares_of_axis, weighted
from .boxes import bounding_box, extent
from .resampling import ROUNDING, at_least_half, count_outside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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

    # Beyond the box that holds the mask nothing is covered.
    box = bounding_box(mask)
    mask, mask_affine = mask[box], mask_affine.copy()
    mask_affine[:3, 3] += np.diag(mask_affine)[:3] * [part.start for part in box]
    shares = [
        shares_of_axis(mask_affine, mask.shape[axis], axis, shape[axis], affine, axis)
        for axis in range(3)
    ]
    reached = [extent(parts.any(axis=1)) for _, parts in shares]
    along_x, along_y, along_z = (
        (indices[here], parts[here]) for (indices, parts), here in zip(shares, reached, strict=True)
    )
    voxels = np.zeros(shape, bool, order="F")
    total, partial = 0.0, 0
    for plane, indices, parts in zip(voxels[tuple(reached)].T, *along_z, strict=True):
        # In the order in which it is stored: y, then x.
        met = [part * mask[:, :, n].T for n, part in zip(indices, parts, strict=True) if part]
        fraction = weighted(weighted(sum(met), *along_y).T, *along_x).T
        plane[:] = at_least_half(fraction)
        total += float(fraction.sum())
        partial += int(np.count_nonzero((fraction > _NOTHING) & (fraction < 1 - _NOTHING)))
    inside = _volume_inside(mask, mask_affine, shape, affine)
    cut_off = count_outside(mask, 0, mask_affine, shape, affine)
    return Covered(voxels, total, partial, inside, cut_off)


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
