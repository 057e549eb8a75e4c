# SPDX-License-Identifier: MIT
"""Bring one image onto a mask's grid."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidMaskError
from ..masks import generated_by
from ..nifti import as_nii_gz
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from ..storage import publish, to_json
from .compare import compare_to_mask
from .opening import UnreadableImage, open_image, require_whole
from .verdicts import (
    NOT_AN_IMAGE,
    OBLIQUE,
    OTHER_RESOLUTION,
    REORIENTED,
    SAME_GRID,
    SHIFTED,
    UNKNOWN_GRID,
    finding,
)

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

REORDERED = "axes reordered"
UNCHANGED = "unchanged"
RESAMPLED = "nearest neighbour"

# What is in the same world elsewhere.
RESAMPLABLE = (
    SHIFTED,
    OTHER_RESOLUTION,
    OBLIQUE,
    UNKNOWN_GRID,
)


def align(
    image_path: StrPath,
    mask: BrainMaskMetadata,
    registry: BrainMaskRegistry,
    resample: str | None,
    aligned_path: StrPath,
    sidecar_path: StrPath,
) -> None:
    """Write an image on a mask's grid: by reordering axes, or by resampling if that is asked for.

    Parameters
    ----------
    image_path
        The image.
    mask
        The mask whose grid it is.
    registry
        All registered masks, to name the grid that the image is on instead.
    resample
        ``"nearest"``, or None to do nothing that is not lossless.
    aligned_path, sidecar_path
        Where to write the image and the note of what was done.

    Raises
    ------
    InvalidMaskError
        If the image is damaged, or cannot be brought there without a change of space or a guess.
    """
    import nibabel as nib

    before = _sha256(image_path)
    found = compare_to_mask(image_path, mask, registry=registry, voxels=False)
    if found.verdict in SAME_GRID:
        method = UNCHANGED if found.verdict != REORIENTED else REORDERED
        image = nib.as_closest_canonical(_readable(image_path))
    elif resample == "nearest" and found.verdict in RESAMPLABLE:
        method = RESAMPLED
        image = _resampled(_readable(image_path), mask)
    else:
        remedy = ""
        if found.verdict in RESAMPLABLE:
            remedy = " Or set `resample: nearest` in the configuration"
        raise InvalidMaskError(
            f"image {image_path} is not brought onto the grid of {mask.name}: "
            f"{found.verdict}: {found.detail}{remedy}"
        )
    aligned = _encoded(image, mask)
    # What was compared, resampled and stated below must be one and the same file.
    if before is None or _sha256(image_path) != before:
        raise InvalidMaskError(f"image {image_path} changed while it was read; run again")
    publish(aligned, aligned_path)
    note = {
        "Sources": [str(image_path)],
        "SourceSHA256": before,
        "SpatialReference": mask.space,
        "Resolution": f"{mask.resolution:g} mm isotropic",
        "Mask": mask.name,
        "Verdict": found.verdict,
        "DisplacementMM": found.displacement_mm,
        "Method": method,
        "Lossless": method != RESAMPLED,
        "GeneratedBy": generated_by(),
    }
    publish(to_json(note), sidecar_path)


def _readable(path: StrPath) -> "SpatialImage":
    """Return an image whose file is readable to its end."""
    try:
        image = open_image(path)
        require_whole(image)
    except UnreadableImage as err:
        found = finding(NOT_AN_IMAGE, why=err)
        raise InvalidMaskError(f"image {path}: {found.verdict}: {found.detail}") from err
    return image


def _resampled(image: "SpatialImage", mask: BrainMaskMetadata) -> "SpatialImage":
    import numpy as np
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.processing import resample_from_to

    stored = image.get_data_dtype()
    resampled: SpatialImage = resample_from_to(image, (mask.shape, mask.affine), order=0)
    proxy = image.dataobj
    unscaled = isinstance(proxy, ArrayProxy) and proxy.slope == 1 and proxy.inter == 0
    if stored.kind in "iu" and unscaled:
        # Nearest neighbour makes no new values, so integers stay what they were.
        data = np.rint(resampled.get_fdata()).astype(stored)
        return type(resampled)(data, resampled.affine, resampled.header)
    return resampled


def _encoded(image: "SpatialImage", mask: BrainMaskMetadata) -> bytes:
    """Return a .nii.gz of an image's voxels on exactly the mask's grid."""
    import nibabel as nib
    import numpy as np

    voxels = np.asanyarray(image.dataobj)
    aligned = nib.Nifti1Image(voxels, mask.affine, dtype=voxels.dtype)
    aligned.header.set_xyzt_units("mm")
    return as_nii_gz(aligned)


def _sha256(path: StrPath) -> str | None:
    """Return the SHA-256 of a file, None if it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
