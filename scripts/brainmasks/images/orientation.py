# SPDX-License-Identifier: MIT
"""Why it is not known where an image lies, for each format."""

from pathlib import Path
from typing import TYPE_CHECKING

from ..nifti import has_orientation, is_usable

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
