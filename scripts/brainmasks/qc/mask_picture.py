# SPDX-License-Identifier: MIT
"""A picture of a mask: slices along three planes, placed by their coordinates in mm."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidMaskError
from ..masks import completed, read_gridded, read_published, read_sidecar
from ..nifti import read_image, scaled_voxels
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import publish
from .slice_figure import (
    CONVENTION,
    GRID,
    INSIDE,
    Extent,
    Line,
    as_png,
    draw_slice,
    number_text,
    slice_figure,
    spread,
    title,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

LEGEND = f"{CONVENTION}: centres of the slices' voxels."
# Largest part of a voxel's edge that may run along another axis.
OBLIQUE = 1e-3


def draw_mask(
    mask: BrainMaskMetadata, mask_path: StrPath, sidecar_path: StrPath, picture_path: StrPath
) -> None:
    """Draw a published mask.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, sidecar_path
        The mask and its sidecar.
    picture_path
        Where to put the picture, a PNG.

    Raises
    ------
    InvalidMaskError
        If the mask or its sidecar is not what is registered, or cannot be drawn.
    MaskError
        If matplotlib is not installed.
    """
    mask = completed(mask, sidecar_path)
    requested = read_sidecar(sidecar_path, mask).get("SpaceRequested")
    image = read_image(read_published(mask_path, mask))
    name = Path(mask_path).name.removesuffix(".nii.gz")
    publish(picture(image, name, mask.space if mask.space != requested else None), picture_path)


def draw_gridded(
    mask: BrainMaskMetadata, mask_path: StrPath, sidecar_path: StrPath, picture_path: StrPath
) -> None:
    """Draw a published mask on another grid.

    Parameters
    ----------
    mask
        What is registered of the mask that it was made from.
    mask_path, sidecar_path
        The mask on the grid, and its sidecar.
    picture_path
        Where to put the picture, a PNG.

    Raises
    ------
    InvalidMaskError
        If it is not what its sidecar describes, or cannot be drawn.
    MaskError
        If matplotlib is not installed.
    """
    content, described = read_gridded(mask, mask_path, sidecar_path)
    served = mask.space if mask.space != described.get("SpaceRequested") else None
    name = Path(mask_path).name.removesuffix(".nii.gz")
    publish(picture(read_image(content), name, served), picture_path)


def picture(image: "SpatialImage", name: str, served: str | None = None) -> bytes:
    """Return the picture of a mask, a PNG.

    Parameters
    ----------
    image
        The mask, a nibabel image that is stored in any orientation.
    name
        What to call it.
    served
        Space that was served for the one in the name, if it was another one.

    Raises
    ------
    InvalidMaskError
        If the image is empty, has not three dimensions, or is oblique.
    MaskError
        If matplotlib is not installed.
    """
    return as_png(lambda: figure(image, name, served))


def figure(image: "SpatialImage", name: str, served: str | None = None) -> "Figure":
    """Return the matplotlib figure that `picture` saves; the parameters are the same."""
    import numpy as np

    inside, first, step = _in_space(image)
    last = first + step * (np.array(inside.shape) - 1)
    edges = [(a - h / 2, b + h / 2) for a, b, h in zip(first, last, step, strict=True)]
    indices = {across: _slices(inside, across) for across in range(3)}

    def paint(axes: "Axes", across: int, number: int, extent: Extent) -> None:
        number_in_volume = indices[across][number]
        values = np.take(inside, number_in_volume, axis=across)
        draw_slice(axes, values, extent, (GRID, INSIDE))

    return slice_figure(
        [title(name), Line(_facts(inside, step, served))],
        edges,
        {axis: [first[axis] + step[axis] * n for n in indices[axis]] for axis in range(3)},
        paint,
        LEGEND,
    )


def _inside(image: "SpatialImage") -> "NDArray[np.bool_]":
    """Return an array that is true where the mask is."""
    inside: NDArray[np.bool_] = scaled_voxels(image) > 0.5
    return inside


def _in_space(
    image: "SpatialImage",
) -> tuple["NDArray[np.bool_]", "NDArray[np.float64]", "NDArray[np.float64]"]:
    """Return a mask in RAS order, the mm of its first voxel, and the edges of a voxel in mm."""
    import nibabel as nib
    import numpy as np

    if image.ndim != 3:
        raise InvalidMaskError(f"it has {image.ndim} dimensions, expected 3")
    image = nib.as_closest_canonical(image)
    edges = image.affine[:3, :3]
    step = np.diag(edges)
    if np.abs(edges - np.diag(step)).max() > OBLIQUE * step.min():
        raise InvalidMaskError(f"its grid is oblique: {image.affine.tolist()}")
    inside = _inside(image)
    if not inside.any():
        raise InvalidMaskError("it is empty")
    return inside, image.affine[:3, 3], step


def _slices(inside: "NDArray[np.bool_]", across: int) -> list[int]:
    """Return indices of slices, spread evenly over the part of an axis that a mask takes up."""
    import numpy as np

    others = tuple(axis for axis in range(3) if axis != across)
    return spread(np.flatnonzero(inside.any(axis=others)))


def _facts(inside: "NDArray[np.bool_]", step: "NDArray[np.float64]", served: str | None) -> str:
    voxels = int(inside.sum())
    edges = sorted({number_text(mm) for mm in step})
    size = edges[0] if len(edges) == 1 else " x ".join(number_text(mm) for mm in step)
    facts = [
        f"{voxels:,} voxels of {size} mm",
        f"{voxels * float(step.prod()) / 1000:,.1f} ml",
        f"grid {' x '.join(str(n) for n in inside.shape)}",
    ]
    if served:
        facts.insert(0, f"served: {served}")
    return "   ·   ".join(facts)
