# SPDX-License-Identifier: MIT
"""Statistics of an image's voxels: in the image, and where they lie in the world."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata
from .grids import Grid
from .opening import stored_type

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

# How far from x = 0, in mm, a centre of mass lies in neither hemisphere.
MIDLINE = 0.5


def is_above(values: "NDArray[Any]") -> "NDArray[np.bool_]":
    """Return which values are finite and above 0.5."""
    import numpy as np

    above: NDArray[np.bool_] = (values > 0.5) & np.isfinite(values)
    return above


def statistics(image: "SpatialImage", values: "NDArray[Any]") -> dict[str, Any]:
    """Return what can be said of the voxels wherever they lie."""
    import numpy as np
    from scipy import ndimage

    above = is_above(values)
    labels, components = ndimage.label(above, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels[above])
    zeros_and_ones = np.count_nonzero(values == 0) + np.count_nonzero(values == 1)
    return {
        "binary": bool(zeros_and_ones == values.size),
        "stored_type": stored_type(image).name,
        "scaling": _scaling(image),
        "voxels": int(np.count_nonzero(above)),
        "non_finite": int(values.size - np.count_nonzero(np.isfinite(values))),
        "components": int(components),
        "largest_component": int(sizes.max()) if components else 0,
    }


def _scaling(image: "SpatialImage") -> tuple[float, float] | None:
    slope = float(getattr(image.dataobj, "slope", 1))
    inter = float(getattr(image.dataobj, "inter", 0))
    return None if (slope, inter) == (1, 0) else (slope, inter)


def world_statistics(
    above: "NDArray[np.bool_]",
    grid: Grid,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
) -> dict[str, Any]:
    """Return what can be said of the voxels where they lie."""
    import numpy as np

    voxels = int(np.count_nonzero(above))
    inside = sum(
        int(np.count_nonzero(lie_inside(indices, grid, mask, mask_voxels)))
        for indices in by_slices(above)
    )
    facts: dict[str, Any] = {
        "volume_ml": voxels * abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000,
        "voxels_inside": inside,
        "voxels_outside": voxels - inside,
    }
    if voxels:
        centre = _centre_of_mass(above, grid)
        facts |= {"centre_of_mass_mm": centre, "hemisphere": _hemisphere(centre[0])}
    return facts


def by_slices(above: "NDArray[np.bool_]") -> "Iterator[NDArray[np.intp]]":
    """Yield the indices of the voxels that are true: those of all at once take much memory."""
    import numpy as np

    for k in range(above.shape[2]):
        i, j = np.nonzero(above[:, :, k])
        yield np.column_stack([i, j, np.full(len(i), k)])


def lie_inside(
    indices: "NDArray[np.intp]",
    grid: Grid,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
) -> "NDArray[np.bool_]":
    """Return which voxels have their centre in a voxel of the mask, an array of bool.

    Parameters
    ----------
    indices
        Of voxels of the image, an array of shape (n, 3).
    grid
        The image's.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    """
    import numpy as np
    from nibabel.affines import apply_affine

    nearest = np.rint(apply_affine(np.linalg.inv(mask.affine) @ grid.affine, indices))
    inside: NDArray[np.bool_] = np.all((nearest >= 0) & (nearest < mask.shape), axis=1)
    inside[inside] = mask_voxels[tuple(nearest[inside].astype(int).T)]
    return inside


def _centre_of_mass(above: "NDArray[np.bool_]", grid: Grid) -> tuple[float, float, float]:
    """Return the mean of the voxels' centres in mm (RAS+)."""
    import numpy as np
    from nibabel.affines import apply_affine

    mean = []
    for axis, length in enumerate(above.shape):
        counts = np.count_nonzero(above, axis=tuple({0, 1, 2} - {axis}))
        mean.append(np.average(np.arange(length), weights=counts))
    x, y, z = apply_affine(grid.affine, mean).tolist()
    return x, y, z


def _hemisphere(x: float) -> str:
    if abs(x) <= MIDLINE:
        return "midline"
    return "left" if x < 0 else "right"
