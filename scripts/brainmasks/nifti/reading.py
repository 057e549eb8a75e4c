"""NIfTI images read in memory, within the limits that a registered grid sets."""

import math
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError

if TYPE_CHECKING:
    import nibabel as nib
    from numpy.typing import NDArray

# Beyond the voxels a file holds a header (348 or 540 bytes) and, rarely, extensions.
HEADER_ROOM = 1 << 20
# The widest type in which a copy may store a voxel (float128).
WIDEST = 16


def content_limit(size: int) -> int:
    """Return the most bytes that an image with this many voxels may have, whatever its type."""
    return size * WIDEST + HEADER_ROOM


def read_image(content: bytes) -> "nib.Nifti1Image | nib.Nifti2Image":
    """Return a NIfTI-1 or NIfTI-2 image whose voxels are all there.

    Parameters
    ----------
    content
        The image, not compressed.

    Returns
    -------
    nibabel.Nifti1Image or nibabel.Nifti2Image

    Raises
    ------
    InvalidMaskError
        If it is no NIfTI image, or shorter than its header says. Nothing of the size that the
        header states is allocated before that is known.
    """
    import nibabel as nib

    if len(content) < 4:
        raise InvalidMaskError(f"it is not NIfTI: only {len(content)} bytes")
    kind = nib.Nifti2Image if 540 in _as_integers(content[:4]) else nib.Nifti1Image
    if kind is nib.Nifti1Image and 348 not in _as_integers(content[:4]):
        raise InvalidMaskError(f"it is not NIfTI: it begins with {content[:4].hex(' ')}")
    try:
        with warnings.catch_warnings():
            # What is odd about a header is for the checks to say.
            warnings.simplefilter("ignore")
            image = kind.from_bytes(content)
        shape = image.header.get_data_shape()
        start = image.dataobj.offset
        dtype = image.dataobj.dtype
    except Exception as err:  # nibabel raises many kinds for bad headers
        raise InvalidMaskError(f"it is not readable as NIfTI: {err or type(err).__name__}") from err
    if start < 0:
        raise InvalidMaskError(f"its header puts the voxels at byte {start}")
    if dtype.kind not in "iuf":
        raise InvalidMaskError(f"its voxels are of type {dtype}, not numbers")
    if any(n < 1 for n in shape):
        raise InvalidMaskError(f"its header states the shape {_times(shape)}")
    needed = start + math.prod(int(n) for n in shape) * dtype.itemsize
    if len(content) < needed:
        raise InvalidMaskError(
            f"its header calls for {needed} bytes ({_times(shape)} voxels), it has {len(content)}"
        )
    return image


def stored_voxels(image: "nib.Nifti1Image") -> "NDArray[Any]":
    """Return the voxels as stored, before any scaling: a read-only view of the image's content."""
    import numpy as np

    proxy = image.dataobj
    # Handed out without a copy, unlike what nibabel reads from it.
    content = image.file_map["image"].fileobj.getvalue()
    return np.ndarray(proxy.shape, proxy.dtype, content, proxy.offset, order="F")


def scaled_voxels(image: "nib.Nifti1Image") -> "NDArray[Any]":
    """Return the voxels with the header's slope and intercept applied."""
    import numpy as np

    # A slope may make of a voxel what no number is; whoever asks will see it.
    with np.errstate(all="ignore"):
        return np.asanyarray(image.dataobj)


def has_orientation(image: "nib.Nifti1Image") -> bool:
    """Return whether the header says where the voxels lie (qform or sform code set)."""
    return bool(image.header["qform_code"] > 0 or image.header["sform_code"] > 0)


def _as_integers(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw, "little"), int.from_bytes(raw, "big")


def _times(shape: Iterable[int]) -> str:
    return "x".join(str(n) for n in shape)
