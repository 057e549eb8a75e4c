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
from .montage import (
    CONVENTION,
    GRID,
    INSIDE,
    Line,
    Montage,
    montage,
    number_text,
    shades,
    spread,
    title,
)
from .montage_png import as_png

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

LEGEND = f"{CONVENTION}: centres of the slices' voxels."
# Largest part of a voxel's edge that may run along another axis.
OBLIQUE = 1e-3
# Along each edge of a pixel, so many points are looked at: it is as dark as the mask has of them.
POINTS = 4


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
    served = mask.space if mask.space != requested else None
    publish(as_png(montage_of(image, name, served)), picture_path)


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
    publish(as_png(montage_of(read_image(content), name, served)), picture_path)


def montage_of(image: "SpatialImage", name: str, served: str | None = None) -> Montage:
    """Return the picture of a mask.

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
    """
    import numpy as np

    inside, first, step = _in_space(image)
    last = first + step * (np.array(inside.shape) - 1)
    edges = [(a - h / 2, b + h / 2) for a, b, h in zip(first, last, step, strict=True)]
    indices = {across: _slices(inside, across) for across in range(3)}

    def paint(across: int, number: int, shape: tuple[int, int]) -> "NDArray[np.uint8]":
        return _points(np.take(inside, indices[across][number], axis=across), shape)

    return montage(
        [title(name), Line(_facts(inside, step, served))],
        edges,
        {axis: [first[axis] + step[axis] * n for n in indices[axis]] for axis in range(3)},
        shades(GRID, INSIDE, POINTS**2 + 1),
        paint,
        LEGEND,
    )


def _points(voxels: "NDArray[np.bool_]", shape: tuple[int, int]) -> "NDArray[np.uint8]":
    """Return how many points of each pixel lie in a slice of a mask: at most `POINTS` squared."""
    import numpy as np

    found = voxels.astype(np.uint8)
    for pixels in shape:
        at = (np.arange(pixels * POINTS) + 0.5) * len(found) / (pixels * POINTS)
        # The other axis comes next; in the end both are where they were.
        found = found[at.astype(int)].reshape(pixels, POINTS, -1).sum(axis=1, dtype=np.uint8).T
    return found


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
