# SPDX-License-Identifier: MIT
"""What the header of an image says of its orientation: nothing, something, or two things."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..nifti import TOLERANCE, has_orientation
from .grids import displacement, is_usable
from .opening import reason
from .verdicts import times

if TYPE_CHECKING:
    from nibabel import MGHImage
    from nibabel.spatialimages import SpatialImage


def missing_orientation(image: "SpatialImage") -> str | None:
    """Return why it is not known where an image lies, None if it is known.

    Parameters
    ----------
    image
        Its voxels are not read.
    """
    import nibabel as nib

    if isinstance(image, nib.Nifti1Pair):
        if not has_orientation(image):
            return "qform and sform code are 0"
    elif isinstance(image, nib.AnalyzeImage):
        return "the Analyze format does not hold that"
    elif isinstance(image, nib.MGHImage) and not _has_good_ras(image):
        return "its goodRASFlag is 0"
    if not is_usable(image.affine):
        return "its affine is not usable"
    return None


def _has_good_ras(image: "MGHImage") -> bool:
    """Return the flag as the file has it; where it is 0, nibabel sets it and makes up an affine."""
    from nibabel.openers import ImageOpener

    path = image.file_map["image"].filename
    if path is None or not Path(path).is_file():
        return True
    with ImageOpener(path) as file:
        return any(file.read(30)[28:])


def contradiction(image: "SpatialImage") -> str | None:
    """Return how qform, sform and voxel sizes of a NIfTI image disagree, None if they agree.

    Parameters
    ----------
    image
        Of any format; in the others, there is nothing that could disagree.
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
        mm = displacement(qform, sform, image.shape)
        if not mm <= TOLERANCE:
            return f"qform and sform differ by up to {mm:.4g} mm over the volume"
    zooms = np.array(image.header.get_zooms()[:3], dtype=np.float64)
    sizes = nib.affines.voxel_sizes(sform)
    if not np.abs(zooms - sizes).max() <= TOLERANCE:
        return f"voxels of {times(zooms)} mm by its pixdim, of {times(sizes)} mm by its sform"
    return None
