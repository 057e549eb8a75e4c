# SPDX-License-Identifier: MIT
"""The grid and the values of a mask that is not registered: what a row would say of them."""

from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError
from ..registry import BrainMaskMetadata
from .orientation import TOLERANCE, contradiction, is_usable
from .reading import has_orientation
from .words import listed

if TYPE_CHECKING:
    import nibabel as nib
    from numpy.typing import NDArray

# Most bytes of a mask's file: 0.5 mm voxels of a head as float64, and room to spare.
LARGEST_FILE = 1 << 30


def own_grid(image: "nib.Nifti1Image | nib.Nifti2Image") -> BrainMaskMetadata:
    """Return what a row of the registry would say of the grid of an image, in RAS order.

    Parameters
    ----------
    image
        From `read_image`; its voxels are not looked at.

    Raises
    ------
    InvalidMaskError
        If a mask cannot lie on it; says why.
    """
    import nibabel as nib
    import numpy as np

    if image.ndim != 3:
        raise InvalidMaskError(f"it has {image.ndim} dimensions, expected 3")
    if not has_orientation(image) or not is_usable(image.affine):
        raise InvalidMaskError(
            "it has no usable orientation: export it again with one, or give it the header of the "
            "image that it was drawn on"
        )
    if why := contradiction(image):
        raise InvalidMaskError(
            f"its header contradicts itself: {why}; find out which is right, and set the other to "
            "it"
        )
    orientation = nib.io_orientation(image.affine)
    affine = image.affine @ nib.orientations.inv_ornt_aff(orientation, image.shape)
    sizes = affine[:3, :3]
    if np.abs(sizes - np.diag(np.diag(sizes))).max() > TOLERANCE:
        raise InvalidMaskError(
            "its axes are oblique (rotated or sheared) and not along x, y and z: resample it first"
        )
    width, height, depth = (int(image.shape[axis]) for axis in np.argsort(orientation[:, 0]))
    x, y, z = affine[:3, 3].tolist()
    x_edge, y_edge, z_edge = np.diag(sizes).tolist()
    return BrainMaskMetadata(
        name="",
        description="",
        space="",
        resolution=x_edge if x_edge == y_edge == z_edge else (x_edge, y_edge, z_edge),
        source="",
        shape=(width, height, depth),
        origin=(x, y, z),
        license="",
        citation="",
    )


def values_beyond(values: "NDArray[Any]") -> tuple[str, str] | None:
    """Return what the finite values are, and what to do; None if each is 0 or 1."""
    import numpy as np

    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    others = values[(values != 0) & (values != 1)]
    if not others.size:
        return None
    low, high = others.min(), others.max()
    if low == high:
        every = sorted([n for n in (0, 1) if np.any(values == n)] + [low.item()])
        remedy = f"make it binary: 1 where it is {number_text(low)}, 0 elsewhere"
        if 1 in every:
            remedy = "take out the label that is meant"
        return f"its values are {listed([number_text(value) for value in every])}", remedy
    if low >= 0 and np.all(others == np.rint(others)):
        labels = len(np.unique(others)) + bool(np.any(values == 1))
        found = f"it has {labels} labels, up to {number_text(high)}"
        return found, "take out the label that is meant"
    return (
        f"its values lie between {number_text(values.min())} and {number_text(values.max())}",
        "make it binary at a threshold of your choice",
    )


def number_text(value: Any) -> str:
    """Return a number without an exponent that a reader need not see: 255, 0.4, 1.00000006."""
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, int) or (number.is_integer() and abs(number) < 1e15):
        return str(int(number))
    return f"{number:.9g}"
