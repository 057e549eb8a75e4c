# SPDX-License-Identifier: MIT
"""Where a header says that the voxels lie: nowhere, at one place, or at two."""

from typing import TYPE_CHECKING, Any

from .words import reason, times

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import ArrayLike, NDArray

# No image lies so far away (mm): the numbers of its affine are no coordinates.
FARTHEST = 1e9
# How far an affine (mm) and a voxel's value may lie from the registered grid and from 0 or 1.
TOLERANCE = 1e-3


def contradiction(image: "SpatialImage") -> str | None:
    """Return how qform, sform and voxel sizes of a NIfTI image disagree, None if they agree.

    Parameters
    ----------
    image
        Of any format, in the others there is nothing that could disagree; of any number of
        dimensions.
    """
    import nibabel as nib
    import numpy as np

    if not isinstance(image, nib.Nifti1Pair) or image.header["sform_code"] <= 0:
        return None  # qform and zooms are one
    sform = image.header.get_sform()
    if image.header["qform_code"] > 0:
        try:
            qform = image.header.get_qform()
        except (nib.spatialimages.HeaderDataError, ValueError) as err:
            return f"its qform is no rotation ({reason(err)})"
        mm = displacement(qform, sform, (*image.shape, 1, 1)[:3])
        if not mm <= TOLERANCE:
            return f"qform and sform differ by up to {mm:.4g} mm over the volume"
    zooms = np.array(image.header.get_zooms()[:3], dtype=np.float64)
    sizes = nib.affines.voxel_sizes(sform)[: len(zooms)]
    if not np.abs(zooms - sizes).max() <= TOLERANCE:
        return f"voxels of {times(zooms)} mm by its pixdim, of {times(sizes)} mm by its sform"
    return None


def displacement(affine: "ArrayLike", other: "ArrayLike", shape: tuple[int, ...]) -> float:
    """Return the largest distance in mm between the two positions of a voxel, over a volume.

    Parameters
    ----------
    affine, other
        Voxel indices to mm, arrays of shape (4, 4).
    shape
        Of the volume, three numbers.
    """
    import numpy as np

    # The distance is convex in the index, and so largest at a corner.
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(shape) - 1)
    difference = np.asarray(affine, dtype=float) - np.asarray(other, dtype=float)
    apart = corners @ difference[:3, :3].T + difference[:3, 3]
    return float(np.linalg.norm(apart, axis=1).max())


def is_usable(affine: "NDArray[Any] | None") -> bool:
    """Return whether an affine (4 x 4, mm) gives each voxel a position, and none too far away."""
    import numpy as np

    if affine is None or not np.all(np.abs(affine) < FARTHEST):  # nor is NaN
        return False
    return bool(np.linalg.matrix_rank(affine[:3, :3]) == 3)
