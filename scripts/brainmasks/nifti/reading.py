# SPDX-License-Identifier: MIT
"""NIfTI images read in memory, within the limits that a registered grid sets."""

import io
import math
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError
from .headers import nifti_version, offset_problem
from .words import reason, times

if TYPE_CHECKING:
    import nibabel as nib
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.dataobj_images import DataobjImage
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
    image = read_header(content)
    proxy = array_proxy(image)
    shape = image.shape
    needed = proxy.offset + math.prod(int(n) for n in shape) * proxy.dtype.itemsize
    if len(content) < needed:
        raise InvalidMaskError(
            f"its header calls for {needed} bytes ({times(shape)} voxels), it has {len(content)}"
        )
    return image


def read_header(content: bytes) -> "nib.Nifti1Image | nib.Nifti2Image":
    """Return an image of which perhaps only the beginning is there: its voxels are not read.

    Parameters
    ----------
    content
        The beginning of the image, not compressed, with header and extensions.

    Raises
    ------
    InvalidMaskError
        If it is no NIfTI image of numbers.
    """
    import nibabel as nib

    if len(content) < 4:
        raise InvalidMaskError(f"it is not NIfTI: only {len(content)} bytes")
    version = nifti_version(content)
    if version is None:
        raise InvalidMaskError(f"it is not NIfTI: it begins with {content[:4].hex(' ')}")
    if problem := offset_problem(content, single=True):
        raise InvalidMaskError(problem)
    kind = nib.Nifti2Image if version == 2 else nib.Nifti1Image
    try:
        with warnings.catch_warnings():
            # What is odd about a header is for the checks to say.
            warnings.simplefilter("ignore")
            image = kind.from_bytes(content)
        dtype = array_proxy(image).dtype
    except Exception as err:  # nibabel raises many kinds for bad headers
        raise InvalidMaskError(f"it is not readable as NIfTI: {reason(err)}") from err
    if dtype.kind not in "iuf":
        raise InvalidMaskError(f"its voxels are of type {dtype}, not numbers")
    if any(n < 1 for n in image.shape):
        raise InvalidMaskError(f"its header states the shape {times(image.shape)}")
    return image


def array_proxy(image: "DataobjImage") -> "ArrayProxy":
    """Return what nibabel knows of the stored voxels: their type, place, slope and intercept.

    Raises
    ------
    TypeError
        If the image was not read from a file, or its format stores voxels in another way.
    """
    from nibabel.arrayproxy import ArrayProxy

    proxy = image.dataobj
    if not isinstance(proxy, ArrayProxy):
        raise TypeError(f"no ArrayProxy: {type(proxy).__name__}")
    return proxy


def stored_voxels(image: "nib.Nifti1Image") -> "NDArray[Any]":
    """Return the voxels as stored, before any scaling, in the shape of the image.

    Parameters
    ----------
    image
        From `read_image`; the array is a read-only view of its content.

    Raises
    ------
    TypeError
        If the image does not come from `read_image`.
    """
    import numpy as np

    proxy = array_proxy(image)
    file = image.file_map["image"].fileobj
    if not isinstance(file, io.BytesIO):
        raise TypeError(f"the image is not in memory, but in {type(file).__name__}")
    # getvalue() makes no copy, unlike what nibabel does to read from it.
    return np.ndarray(proxy.shape, proxy.dtype, file.getvalue(), proxy.offset, order="F")


def scaled_voxels(image: "DataobjImage") -> "NDArray[Any]":
    """Return the voxels, in the shape of the image, with slope and intercept applied."""
    import numpy as np

    # A slope may turn a voxel into NaN or infinity, which the checks report.
    with np.errstate(all="ignore"):
        return np.asanyarray(image.dataobj)


def has_orientation(image: "nib.Nifti1Pair") -> bool:
    """Return whether the header says where the voxels lie (qform or sform code set)."""
    return bool(image.header["qform_code"] > 0 or image.header["sform_code"] > 0)
