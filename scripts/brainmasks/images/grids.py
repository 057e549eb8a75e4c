# SPDX-License-Identifier: MIT
"""The grid of an image: where its voxels lie in the world."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..nifti import TOLERANCE
from ..registry import BrainMaskMetadata

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import ArrayLike, NDArray

# No image lies so far away (mm): the numbers of its affine are no coordinates.
FARTHEST = 1e9


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
            "".join(nib.aff2axcodes(affine)),
            ras_affine,
            tuple(image.shape[axis] for axis in stored_axis),
        )

    def displacement(self, mask: BrainMaskMetadata) -> float | None:
        """Return the largest distance in mm from the mask's grid, None if the shape is another."""
        if self.ras_shape != mask.shape:
            return None
        return displacement(self.ras_affine, mask.affine, mask.shape)

    def matches(self, mask: BrainMaskMetadata) -> bool:
        """Return whether it is the mask's grid, in any storage order."""
        mm = self.displacement(mask)
        return mm is not None and mm <= TOLERANCE

    def in_ras_order(self, voxels: "NDArray[Any]") -> "NDArray[Any]":
        """Return the voxels of the image with their axes in RAS order: a view."""
        import nibabel as nib

        orientation = nib.io_orientation(self.affine)
        ordered: NDArray[Any] = nib.orientations.apply_orientation(voxels, orientation)
        return ordered

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        import numpy as np

        return abs(float(np.linalg.det(self.affine[:3, :3]))) / 1000

    @property
    def stored(self) -> str:
        """A clause on the storage order, if it is not the mask's."""
        return "" if self.axes == "RAS" else f", and stored {self.axes} instead of RAS"


def is_usable(affine: "NDArray[Any] | None") -> bool:
    """Return whether an affine (4 x 4, mm) gives each voxel a position, and none too far away."""
    import numpy as np

    if affine is None or not np.all(np.abs(affine) < FARTHEST):  # nor is NaN
        return False
    return bool(np.linalg.matrix_rank(affine[:3, :3]) == 3)


def displacement(affine: "ArrayLike", other: "ArrayLike", shape: tuple[int, ...]) -> float:
    """Return the largest distance in mm between the two positions of a voxel, over a volume."""
    import numpy as np

    # The distance is convex in the index, and so largest at a corner.
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(shape) - 1)
    difference = np.asarray(affine, dtype=float) - np.asarray(other, dtype=float)
    apart = corners @ difference[:3, :3].T + difference[:3, 3]
    return float(np.linalg.norm(apart, axis=1).max())
