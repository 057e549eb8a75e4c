# SPDX-License-Identifier: MIT
"""A mask of one's own: from a file in any encoding to the canonical file and what a row says."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FetchError, InvalidMaskError, RegistryError
from ..fetching import what_is
from ..nifti import (
    LARGEST_FILE,
    as_nii_gz,
    canonical_file,
    number_text,
    own_grid,
    read_image,
    scaled_voxels,
    stored_voxels,
    values_beyond,
    voxel_size_problem,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata, Resolution, mask_name, read_resolution
from ..storage import gunzip_whole, is_gzip, read_bounded

if TYPE_CHECKING:
    import nibabel as nib
    import numpy as np
    from numpy.typing import NDArray

# Digits behind the point of an origin in mm: a tenth of the tolerance of every check, and with no
# more of them no number is written with an exponent.
DIGITS = 4
# How far (as a fraction) a resolution that is stated may be from that of the voxels.
NEAR = 1e-3

_CONVERT = {
    ".mgz": "a FreeSurfer volume: convert it first, with `mri_convert {file} mask.nii.gz`",
    ".mgh": "a FreeSurfer volume: convert it first, with `mri_convert {file} mask.nii.gz`",
    ".hdr": "half of a pair of files: save it as one file, .nii.gz",
    ".img": "half of a pair of files: save it as one file, .nii.gz",
}


@dataclass(frozen=True)
class OwnMask:
    """A mask that a file holds.

    Attributes
    ----------
    mask : BrainMaskMetadata
        What there is to register, but for its URL.
    data : bytes
        The canonical file, whose hashes `mask` has.
    voxels : array of bool
        Where it is 1, in RAS order.
    original : bytes
        The file.
    changed : str
        What was changed beyond its encoding; empty if the file can serve as a source of the mask.
    """

    mask: BrainMaskMetadata
    data: bytes
    voxels: "NDArray[np.bool_]"
    original: bytes
    changed: str


def read_own_mask(
    path: StrPath, space: str, resolution: Resolution | None, desc: str, **facts: str
) -> OwnMask:
    """Return the mask that a file holds, and all that a row says of it.

    Parameters
    ----------
    path
        A NIfTI file in any orientation, type, scaling and compression.
    space, desc
        Of its name.
    resolution
        Edge of a voxel in mm, or its three edges; without it, what the file states.
    **facts
        What the file does not tell: `source`, `license`, `citation`, `description`.

    Raises
    ------
    FetchError
        If there is no such file.
    InvalidMaskError
        If it is no mask; says why, and what to do.
    RegistryError
        If the resolution is another one.
    """
    path = Path(path)
    try:
        original = read_bounded(path, LARGEST_FILE)
    except FileNotFoundError as err:
        raise FetchError(f"{path}: there is no such file") from err
    except OSError as err:
        raise InvalidMaskError(f"{path} cannot be read: {err.strerror}") from err
    try:
        image = read_image(_content(original, path))
        image, volume = _three_dimensional(image)
        grid = _rounded(own_grid(image))
        binary, value = _binary(image, path)
        data, whole = canonical_file(as_nii_gz(binary), grid)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"{path} cannot be a mask: {err}") from err
    stated = grid.resolution if resolution is None else resolution
    _require_resolution(path, stated, grid)
    whole = replace(
        whole,
        name=mask_name(space, grid.resolution, desc),
        space=space,
        desc=desc,
        bytes=len(data),
        **facts,  # type: ignore[arg-type]
    )
    voxels: NDArray[np.bool_] = stored_voxels(read_image(gunzip_whole(data, LARGEST_FILE))) == 1
    return OwnMask(
        whole, data, voxels, original, "; ".join(each for each in (volume, value) if each)
    )


def _content(original: bytes, path: Path) -> bytes:
    """Return what a file holds, not compressed, if that may be an image."""
    if path.suffix.lower() in _CONVERT:
        raise InvalidMaskError(f"it is {_CONVERT[path.suffix.lower()].format(file=path.name)}")
    if found := what_is(original, f"{len(original)} bytes"):
        raise InvalidMaskError(f"it is {found}")
    content = gunzip_whole(original, LARGEST_FILE) if is_gzip(original) else original
    if why := voxel_size_problem(content):
        raise InvalidMaskError(f"{why}; correct its header")
    return content


def _three_dimensional(
    image: "nib.Nifti1Image | nib.Nifti2Image",
) -> tuple["nib.Nifti1Image | nib.Nifti2Image", str]:
    """Return an image without dimensions of size 1 behind the third, and whether it had some."""
    extra = image.shape[3:]
    if not extra:
        return image, ""
    if any(number != 1 for number in extra):
        size = "x".join(map(str, image.shape))
        raise InvalidMaskError(
            f"it has {image.ndim} dimensions ({size}), expected 3: save the volume that is meant "
            "(with FSL: `fslroi FILE OUT 0 1`)"
        )
    index = (slice(None),) * 3 + (0,) * len(extra)
    header = image.header.copy()
    header.set_data_shape(image.shape[:3])
    # The type of the values is that after slope and intercept, which are the old header's.
    voxels = scaled_voxels(image)[index]
    header.set_data_dtype(voxels.dtype)
    header.set_slope_inter(1, 0)
    return type(image)(voxels, image.affine, header), f"it has {image.ndim} dimensions"


def _rounded(grid: BrainMaskMetadata) -> BrainMaskMetadata:
    """Return a grid as its row states it: without what single precision adds to a number."""
    resolution = read_resolution(grid.resolution_text)
    x, y, z = (round(mm, DIGITS) + 0.0 for mm in grid.origin or (0.0,) * 3)
    return replace(grid, resolution=resolution, origin=(x, y, z))


def _binary(
    image: "nib.Nifti1Image | nib.Nifti2Image", path: Path
) -> tuple["nib.Nifti1Image", str]:
    """Return an image of 0 and 1, and which other value stood for 1."""
    import nibabel as nib
    import numpy as np

    values = scaled_voxels(image)
    if values.dtype.kind == "f" and (odd := int(np.count_nonzero(~np.isfinite(values)))):
        raise InvalidMaskError(f"{odd} of its values are NaN or infinite: set them to 0")
    # As the voxels of every source are compared, so that a slope of 1/255 is no other value.
    values = np.where(np.abs(values - np.rint(values)) <= 1e-3, np.rint(values), values)
    found = np.unique(values)
    high = float(found[-1])
    if high == 0 and len(found) == 1:
        raise InvalidMaskError("it is empty: every value is 0")
    if len(found) > 2 or (found[0] != 0 and (len(found) > 1 or high != 1)) or high < 0:
        what, remedy = values_beyond(values) or ("it is not binary", "make it binary")
        raise InvalidMaskError(
            f"{what}, and a mask has 0 and one other value: {remedy} (with FSL: `fslmaths "
            f"{path.name} -thr 0.5 -bin OUT`, or -thr N -uthr N -bin for the label N)"
        )
    changed = "" if high == 1 else f"its values are 0 and {number_text(found[-1])}"
    binary = nib.Nifti1Image((values > 0).astype(np.uint8), image.affine)
    return binary, changed


def _require_resolution(path: Path, stated: Resolution, grid: BrainMaskMetadata) -> None:
    edges = stated if isinstance(stated, tuple) else (stated,) * 3
    if all(abs(a - b) <= NEAR * b for a, b in zip(edges, grid.zooms, strict=True)):
        return
    said = mask_name("", stated).strip("_")
    raise RegistryError(
        f"{path}: the resolution is stated as {said}, and its voxels are of "
        f"{grid.resolution_text} mm; leave the resolution out, or give another file"
    )
