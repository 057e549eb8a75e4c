# SPDX-License-Identifier: MIT
"""The canonical encoding of a mask, and recoding of a faithful copy to it."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError
from ..registry import BrainMaskMetadata
from ..storage import gunzip_whole, is_gzip
from .headers import voxel_size_problem
from .orientation import TOLERANCE, contradiction, displacement
from .reading import content_limit, has_orientation, read_image, scaled_voxels
from .writing import as_nii_gz

if TYPE_CHECKING:
    import nibabel as nib
    import numpy as np
    from numpy.typing import NDArray


def recode(data: bytes, mask: BrainMaskMetadata) -> bytes:
    """Return a copy of a mask in the encoding in which the registered files were made.

    Voxels in RAS order, uint8 of 0 and 1, a fresh NIfTI-1 header, gzip as nibabel writes it. With
    the same deflate library the result of a faithful copy is the registered file, byte for byte.

    Parameters
    ----------
    data
        The copy: NIfTI, gzipped or not, of any orientation, type and scaling.
    mask
        What is registered; sets the grid, and the limits. Where its origin is not known, that of
        the copy is taken.

    Raises
    ------
    InvalidMaskError
        If the copy is no readable, binary image on the registered grid.
    """
    binary, placed, _ = _binary(_content(data, mask), mask)
    return as_nii_gz(canonical_image(binary, placed.affine))


def recodings(data: bytes, mask: BrainMaskMetadata) -> Iterator[bytes]:
    """Yield what the registered file may be, if the copy is faithful.

    First what `recode` returns, then the same with the affine that the copy states, with which
    some files were registered: it may differ by a rounding error, or by the sign of a zero.

    Parameters
    ----------
    data, mask
        As for `recode`.

    Raises
    ------
    InvalidMaskError
        If the copy is no readable, binary image on the registered grid.
    """
    binary, placed, affine = _binary(_content(data, mask), mask)
    yield as_nii_gz(canonical_image(binary, placed.affine))
    if affine.tobytes() != placed.affine.tobytes():
        yield as_nii_gz(canonical_image(binary, affine))


def canonical_file(data: bytes, mask: BrainMaskMetadata) -> tuple[bytes, BrainMaskMetadata]:
    """Return a verified file in the canonical encoding, and all that is known of the mask then.

    Parameters
    ----------
    data
        The registered file: where an MD5 is registered, as it was published; else canonical.
    mask
        What is registered.

    Raises
    ------
    InvalidMaskError
        If the file as it was published does not hold what the mask's row states.
    """
    if mask.is_complete:
        return data, mask
    content = _content(data, mask)
    binary, placed, affine = _binary(content, mask)
    # Nothing else says where its voxels lie, and how large they are.
    if mask.origin is None and (why := _contradiction(content)):
        raise InvalidMaskError(
            f"its header contradicts itself: {why}; find out which is right, and state the origin "
            "in the row"
        )
    if (mm := displacement(affine, placed.affine, placed.shape)) > TOLERANCE:
        raise InvalidMaskError(
            f"its grid is up to {mm:.3g} mm from the registered one: its voxels are not of "
            f"{mask.resolution_text} mm"
        )
    voxels = int(binary.sum(dtype=int))
    if not voxels:
        raise InvalidMaskError("it is empty: no voxel is 1")
    if mask.voxels and mask.voxels != voxels:
        raise InvalidMaskError(f"{voxels} voxels are 1, registered {mask.voxels}")
    image = canonical_image(binary, placed.affine)
    file = as_nii_gz(image)
    return file, replace(
        placed,
        sha256=hashlib.sha256(file).hexdigest(),
        content_sha256=hashlib.sha256(image.to_bytes()).hexdigest(),
        voxels=voxels,
    )


def _content(data: bytes, mask: BrainMaskMetadata) -> bytes:
    """Return a copy, not compressed."""
    return gunzip_whole(data, content_limit(mask.size)) if is_gzip(data) else data


def _contradiction(content: bytes) -> str | None:
    """Return in what the header of a readable image contradicts itself, None if it does not."""
    return voxel_size_problem(content) or contradiction(read_image(content))


def _binary(
    content: bytes, mask: BrainMaskMetadata
) -> "tuple[NDArray[np.bool_], BrainMaskMetadata, NDArray[np.float64]]":
    """Return where a copy is 1, in RAS order, the mask with its origin, and the copy's affine."""
    import nibabel as nib
    import numpy as np

    image = read_image(content)
    # Before any voxel is read: a header may state far more of them than the grid has.
    if sorted(image.shape) != sorted(mask.shape):
        raise InvalidMaskError(f"its shape is {image.shape}, registered {mask.shape}")
    if not has_orientation(image):
        raise InvalidMaskError("it has no orientation: qform and sform code are 0")
    try:
        image = nib.as_closest_canonical(image)
    except Exception as err:  # nibabel and numpy raise many kinds for these
        raise InvalidMaskError(f"its affine is not usable: {image.affine.tolist()}") from err
    edges = image.affine[:3, :3]
    if np.abs(edges - np.diag(np.diag(edges))).max() > TOLERANCE:
        raise InvalidMaskError(
            f"its axes are oblique (rotated or sheared), affine {image.affine.tolist()}; those of "
            "a mask lie along x, y and z: resample it first"
        )
    if mask.origin is None:
        # What a header holds in single precision is no more exact than that.
        x, y, z = (round(float(mm), 6) + 0.0 for mm in image.affine[:3, 3])
        mask = replace(mask, origin=(x, y, z))
    if image.shape != mask.shape or not np.allclose(
        image.affine, mask.affine, rtol=0, atol=TOLERANCE
    ):
        raise InvalidMaskError(
            f"its grid differs: shape {image.shape}, affine {image.affine.tolist()}; "
            f"registered {mask.shape}, {mask.affine.tolist()}"
        )
    voxels = scaled_voxels(image)
    binary = np.abs(voxels) > 0.5
    if not np.allclose(voxels, binary, rtol=0, atol=TOLERANCE):
        raise InvalidMaskError("it is not binary: its voxels are not all 0 or 1")
    return binary, mask, image.affine


def canonical_image(voxels: "NDArray[Any]", affine: "NDArray[np.float64]") -> "nib.Nifti1Image":
    """Return voxels of 0 and 1, or bool, in RAS order as the image that `recode` saves."""
    import nibabel as nib
    import numpy as np

    return nib.Nifti1Image(voxels.astype(np.uint8), affine)
