# SPDX-License-Identifier: MIT
"""The grid of an image: where its voxels lie in the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..nifti import TOLERANCE, displacement
from ..registry import BrainMaskMetadata, KnownGrid

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """The grid of an image, as stored and with its axes in RAS order.

    Attributes
    ----------
    affine : array of shape (4, 4)
        Voxel indices to mm (RAS+), as stored.
    axes : str
        Where the stored axes lead, for example ``"LAS"``.
    ras_affine : array of shape (4, 4)
        The affine with the axes in RAS order.
    ras_shape : tuple of int
        The shape with the axes in RAS order.
    """

    affine: "NDArray[np.float64]"
    axes: str
    ras_affine: "NDArray[np.float64]"
    ras_shape: tuple[int, ...]

    @classmethod
    def of(cls, image: "SpatialImage") -> "Grid":
        """Return the grid of a nibabel image of three dimensions."""
        import nibabel as nib
        import numpy as np

        affine = np.asarray(image.affine, dtype=float)
        orientation = nib.io_orientation(affine)
        ras_affine = affine @ nib.orientations.inv_ornt_aff(orientation, image.shape)
        stored_axis = np.argsort(orientation[:, 0])
        return cls(
            affine,
            "".join(nib.orientations.ornt2axcodes(orientation)),
            ras_affine,
            tuple(image.shape[axis] for axis in stored_axis),
        )

    def displacement(self, other: BrainMaskMetadata | KnownGrid) -> float | None:
        """Return the largest distance in mm from another grid, None if that has another shape."""
        if self.ras_shape != other.shape:
            return None
        return displacement(self.ras_affine, other.affine, other.shape)

    def matches(self, other: BrainMaskMetadata | KnownGrid) -> bool:
        """Return whether it is the grid of a mask, or a known one, in any storage order."""
        mm = self.displacement(other)
        return mm is not None and mm <= TOLERANCE

    def in_ras_order(self, voxels: "NDArray[Any]") -> "NDArray[Any]":
        """Return the voxels of the image with their axes in RAS order: a view."""
        import nibabel as nib

        if self.axes == "RAS":
            return voxels
        orientation = nib.io_orientation(self.affine)
        ordered: NDArray[Any] = nib.orientations.apply_orientation(voxels, orientation)
        return ordered

    def lowest_corner(self, box: Sequence[slice]) -> "NDArray[np.intp]":
        """Return the index of the voxel of a box that comes first in RAS order, as stored."""
        import numpy as np

        sides = zip(self.axes, box, strict=True)
        return np.array([side.stop - 1 if to in "LPI" else side.start for to, side in sides])

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        import numpy as np

        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000

    @property
    def stored(self) -> str:
        """A clause on the storage order, if it is not the mask's."""
        return "" if self.axes == "RAS" else f", and stored {self.axes} instead of RAS"


def lattice_offset(grid: Grid, mask: BrainMaskMetadata) -> tuple[int, int, int] | None:
    """Return where a mask's grid begins in that of an image, if one is a crop or pad of the other.

    Parameters
    ----------
    grid
        The grid of the image.
    mask
        The mask.

    Returns
    -------
    tuple of int
        The index that voxel 0, 0, 0 of the mask has in the image in RAS order: negative where the
        image begins inside the mask's grid. None if a voxel of the image is farther than
        `TOLERANCE` from a voxel of the mask's grid, thought to go on to all sides, or if they have
        no voxel in common.
    """
    import numpy as np

    start = np.rint(np.linalg.solve(mask.affine, grid.ras_affine[:, 3])[:3])
    lattice = mask.affine
    lattice[:3, 3] += lattice[:3, :3] @ start
    if displacement(grid.ras_affine, lattice, grid.ras_shape) > TOLERANCE:
        return None
    x, y, z = (-int(n) for n in start)
    for at, size, all_voxels in zip((x, y, z), mask.shape, grid.ras_shape, strict=True):
        if at >= all_voxels or at + size <= 0:
            return None
    return x, y, z
