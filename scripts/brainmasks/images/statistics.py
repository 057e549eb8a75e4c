# SPDX-License-Identifier: MIT
"""Statistics of an image's voxels: in the image, and where they lie in the world."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata
from .counted import Counted, by_slices
from .grids import Grid
from .opening import stored_type
from .values import is_above, largest_finite

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

# How far from x = 0, in mm, a centre of mass lies in neither hemisphere.
MIDLINE = 0.5
# And how far a voxel's centre does: rounding.
PLANE = 1e-3


def statistics(
    image: "SpatialImage", slabs: "Iterable[NDArray[Any]]"
) -> tuple[Counted, dict[str, Any]]:
    """Return which voxels count, and what can be said of all voxels wherever they lie.

    Parameters
    ----------
    image
        The image, for its shape, and for how its values are stored.
    slabs
        Its voxels, with slope and intercept applied, in slabs along the last axis. None is kept.

    Returns
    -------
    counted : Counted
        Those that are finite and above 0.5.
    facts : dict
        Fields of `Comparison`.
    """
    import numpy as np

    parts: dict[int, Counted] = {}
    maximum: float | None = None
    binary, start, non_finite = True, 0, 0
    for slab in slabs:
        largest = largest_finite(slab)
        # In most slabs there is nothing.
        if largest is not None and largest > 0:
            parts[start] = Counted.of(is_above(slab))
        start += slab.shape[2]
        binary = binary and _is_binary(slab, largest)
        if largest is not None:
            maximum = largest if maximum is None else max(maximum, largest)
        if slab.dtype.kind == "f":
            non_finite += int(slab.size - np.count_nonzero(np.isfinite(slab)))
    counted = Counted.joined(image.shape, parts)
    components, largest_component = _components(counted.inner)
    return counted, {
        "binary": binary,
        "stored_type": stored_type(image).name,
        "scaling": _scaling(image),
        "voxels": counted.voxels,
        "maximum": maximum,
        "non_finite": non_finite,
        "components": components,
        "largest_component": largest_component,
    }


def _is_binary(values: "NDArray[Any]", maximum: float | None) -> bool:
    """Return whether all values are 0 or 1."""
    import numpy as np

    if values.dtype.kind in "ub":
        return maximum is not None and maximum <= 1
    zeros_and_ones = np.count_nonzero(values == 0) + np.count_nonzero(values == 1)
    return bool(zeros_and_ones == values.size)


def _components(voxels: "NDArray[np.bool_]") -> tuple[int, int]:
    """Return how many parts there are that touch nowhere, and the size of the largest."""
    import numpy as np
    from scipy import ndimage

    # scipy goes along the last axis: that along which voxels are stored one after the other.
    stored = voxels.T
    labels, components = ndimage.label(stored, structure=np.ones((3, 3, 3)))
    return int(components), int(np.bincount(labels[stored]).max()) if components else 0


def _scaling(image: "SpatialImage") -> tuple[float, float] | None:
    slope = float(getattr(image.dataobj, "slope", 1))
    inter = float(getattr(image.dataobj, "inter", 0))
    return None if (slope, inter) == (1, 0) else (slope, inter)


def world_statistics(
    counted: Counted,
    grid: Grid,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
) -> dict[str, Any]:
    """Return what can be said of the voxels where they lie.

    Parameters
    ----------
    counted
        The voxels.
    grid
        The image's.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.

    Returns
    -------
    dict
        Fields of `Comparison`.
    """
    import numpy as np

    voxels = counted.voxels
    inside = left = right = 0
    summed = np.zeros(3, np.int64)
    for indices in by_slices(counted):
        summed += indices.sum(axis=0)
        inside += int(np.count_nonzero(lie_inside(indices, grid, mask, mask_voxels)))
        x = indices @ grid.affine[0, :3] + grid.affine[0, 3]
        left += int(np.count_nonzero(x < -PLANE))
        right += int(np.count_nonzero(x > PLANE))
    facts: dict[str, Any] = {
        "volume_ml": round(voxels * grid.voxel_ml, 6),
        "voxels_inside": inside,
        "voxels_outside": voxels - inside,
        "voxels_left": left,
        "voxels_right": right,
    }
    if voxels:
        centre = _in_mm(summed / voxels, grid)
        facts |= {
            "inside_fraction": round(inside / voxels, 4),
            "centre_of_mass_mm": centre,
            "hemisphere": _hemisphere(centre[0]),
        }
    return facts


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


def _in_mm(indices: "NDArray[np.float64]", grid: Grid) -> tuple[float, float, float]:
    """Return a place in an image in mm (RAS+), to the micrometre."""
    from nibabel.affines import apply_affine

    # Adding 0 turns -0 into 0.
    x, y, z = (round(mm, 3) + 0.0 for mm in apply_affine(grid.affine, indices).tolist())
    return x, y, z


def _hemisphere(x: float) -> str:
    if abs(x) <= MIDLINE:
        return "midline"
    return "left" if x < 0 else "right"
