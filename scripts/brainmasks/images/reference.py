# SPDX-License-Identifier: MIT
"""The mask that an image is compared to: by name, by its metadata, or by its file."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FetchError, InvalidMaskError, UnknownMaskError
from ..masks import fetch_brain_mask
from ..nifti import content_limit, has_orientation, read_image, recode, stored_voxels
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry, shipped_registry
from ..storage import gunzip_whole, read_bounded
from .grids import Grid, is_usable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def find_mask(
    mask: StrPath | BrainMaskMetadata, registry: BrainMaskRegistry
) -> tuple[BrainMaskMetadata, bytes | None]:
    """Return what is registered, and the mask's file if it was given by path.

    Raises
    ------
    UnknownMaskError
        If no such mask is registered.
    FetchError
        If there is no such file.
    InvalidMaskError
        If the file is not on the grid of exactly one registered mask.
    """
    if isinstance(mask, BrainMaskMetadata):
        return mask, None
    if isinstance(mask, str):
        try:
            return registry.serve(mask), None
        except UnknownMaskError:
            if not Path(mask).is_file():
                raise
    path = Path(mask)
    data, content = _read_mask(path, registry)
    names = registry.by_hash()
    for digest in (hashlib.sha256(data).hexdigest(), hashlib.sha256(content).hexdigest()):
        if digest in names:
            return registry.get(names[digest]), data
    return _by_grid(path, content, registry), data


def _read_mask(path: Path, registry: BrainMaskRegistry) -> tuple[bytes, bytes]:
    """Return a mask's file, as it is and gunzipped."""
    largest = max((content_limit(registry.get(name).size) for name in registry), default=0)
    try:
        data = read_bounded(path, largest)
    except FileNotFoundError as err:
        raise FetchError(f"there is no mask file {path}") from err
    except OSError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err.strerror}") from err
    if data[:2] != b"\x1f\x8b":
        return data, data
    try:
        return data, gunzip_whole(data, largest)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err


def _by_grid(path: Path, content: bytes, registry: BrainMaskRegistry) -> BrainMaskMetadata:
    """Return the one registered mask on whose grid a file lies."""
    found = []
    try:
        image = read_image(content)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err
    if image.ndim == 3 and has_orientation(image) and is_usable(image.affine):
        grid = Grid.of(image)
        found = [mask for mask in map(registry.get, registry) if grid.matches(mask)]
    if len(found) != 1:
        which = " and of ".join(mask.name for mask in found) or "no registered mask"
        raise InvalidMaskError(
            f"the mask file {path} has the SHA-256 of no registered mask, and the grid of {which}; "
            "pass the name of a registered mask"
        )
    return found[0]


def read_mask_voxels(mask: BrainMaskMetadata, data: bytes | None) -> "NDArray[np.bool_]":
    """Return where a mask is 1, in RAS order; from its file, else the shipped mask.

    Raises
    ------
    FetchError
        If there is no file, and the mask is not of the shipped registry or is not available.
    InvalidMaskError
        If the file does not hold the mask's grid, 0 and 1.
    """
    if data is None:
        shipped = shipped_registry()
        same = mask.name in shipped and shipped.get(mask.name).content_sha256 == mask.content_sha256
        if not same:
            raise FetchError(
                f"mask {mask.name} is not one of the shipped registry; pass its voxels "
                "(`mask_voxels`), or the path of its file"
            )
        data = fetch_brain_mask(mask).data
    canonical = gunzip_whole(recode(data, mask), content_limit(mask.size))
    voxels: NDArray[np.bool_] = stored_voxels(read_image(canonical)) == 1
    return voxels


def on_registered_grid(mask_voxels: "ArrayLike", mask: BrainMaskMetadata) -> "NDArray[np.bool_]":
    """Return a mask's voxels as an array of bool.

    Raises
    ------
    InvalidMaskError
        If they have not the registered shape.
    """
    import numpy as np

    array = np.asarray(mask_voxels)
    if array.shape != mask.shape:
        raise InvalidMaskError(
            f"`mask_voxels` has the shape {array.shape}, mask {mask.name} {mask.shape}"
        )
    return array.astype(bool)
