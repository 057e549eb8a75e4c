# SPDX-License-Identifier: MIT
"""NIfTI images as the bytes of a file."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import nibabel as nib


def as_nii_gz(image: "nib.spatialimages.SpatialImage") -> bytes:
    """Return an image as nibabel writes it to a file of that ending."""
    import nibabel as nib

    with tempfile.TemporaryDirectory() as folder:
        # Only saving under a name gives nibabel's own compression level and time stamp.
        path = Path(folder, "image.nii.gz")
        nib.save(image, path)
        return path.read_bytes()
