# SPDX-License-Identifier: MIT
"""The mask that an image is compared to: by name, by its metadata, or by its file."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FetchError, InvalidMaskError, UnknownMaskError
from ..masks import fetch_brain_mask
from ..nifti import (
    LARGEST_FILE,
    canonical_file,
    content_limit,
    own_grid,
    read_image,
    recode,
    recodings,
    stored_voxels,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from ..storage import gunzip_whole, is_gzip, read_bounded
from .grids import Grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def find_mask(
    mask: StrPath | BrainMaskMetadata,
    registry: BrainMaskRegistry,
    *,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> tuple[BrainMaskMetadata, bytes | None, BrainMaskRegistry]:
    """Return the mask, its file if it was given by path, and the masks that it stands among.

    A file that is none of the registered masks stands alone: nothing is said of these beside it.

    Raises
    ------
    UnknownMaskError
        If no such mask is registered.
    FetchError
        If there is no such file.
    InvalidMaskError
        If the file is no mask.
    """
    if isinstance(mask, BrainMaskMetadata):
        return *_whole(mask, cache_dir, offline), registry
    if isinstance(mask, str):
        try:
            return *_whole(registry.serve(mask), cache_dir, offline), registry
        except UnknownMaskError:
            if not Path(mask).is_file():
                raise
    path = Path(mask)
    data, content = _read_mask(path)
    names = registry.by_hash()
    for digest in (hashlib.sha256(data).hexdigest(), hashlib.sha256(content).hexdigest()):
        if digest in names:
            return registry.get(names[digest]), data, registry
    try:
        image = read_image(content)
        own_place, grid = own_grid(image), Grid.of(image)
        for known in registry.complete():
            if grid.matches(known) and _is_mask(content, known):
                return known, data, registry
        own = _own_mask(path, content, own_place)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err
    return own, data, BrainMaskRegistry([own], aliases={})


def _whole(
    mask: BrainMaskMetadata, cache_dir: StrPath | None, offline: bool | None
) -> tuple[BrainMaskMetadata, bytes | None]:
    """Return all that is known of a mask, and its file if that takes it: for a registered MD5."""
    if mask.is_complete:
        return mask, None
    data, whole = canonical_file(
        fetch_brain_mask(mask, cache_dir=cache_dir, offline=offline).data, mask
    )
    return whole, data


def _read_mask(path: Path) -> tuple[bytes, bytes]:
    """Return a mask's file, as it is and gunzipped."""
    try:
        data = read_bounded(path, LARGEST_FILE)
    except FileNotFoundError as err:
        raise FetchError(f"there is no mask file {path}") from err
    except OSError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err.strerror}") from err
    if not is_gzip(data):
        return data, data
    try:
        return data, gunzip_whole(data, LARGEST_FILE)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err


def _canonical(content: bytes, mask: BrainMaskMetadata) -> bytes:
    return gunzip_whole(recode(content, mask), content_limit(mask.size))


def _is_mask(content: bytes, mask: BrainMaskMetadata) -> bool:
    limit = content_limit(mask.size)
    return any(
        hashlib.sha256(gunzip_whole(each, limit)).hexdigest() == mask.content_sha256
        for each in recodings(content, mask)
    )


def _own_mask(path: Path, content: bytes, grid: BrainMaskMetadata) -> BrainMaskMetadata:
    """Return what a row of the registry would say of a mask, but for its space and its source."""
    _, whole = canonical_file(content, replace(grid, name=str(path)))
    # No file is registered, and the one that was given has another hash.
    return replace(whole, sha256="")


def read_mask_voxels(
    mask: BrainMaskMetadata,
    data: bytes | None,
    *,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> "NDArray[np.bool_]":
    """Return where a mask is 1, in RAS order; from its file, else as `load_brain_mask` has it.

    Raises
    ------
    FetchError
        If there is no file, and the mask is not available.
    InvalidMaskError
        If the file does not hold the mask's grid, 0 and 1.
    """
    if data is None:
        data = fetch_brain_mask(mask, cache_dir=cache_dir, offline=offline).data
    voxels: NDArray[np.bool_] = stored_voxels(read_image(_canonical(data, mask))) == 1
    return voxels


def on_registered_grid(mask_voxels: "ArrayLike", mask: BrainMaskMetadata) -> "NDArray[np.bool_]":
    """Return a mask's voxels as an array of bool.

    Raises
    ------
    InvalidMaskError
        If they have not the registered shape, or none is true.
    """
    import numpy as np

    array = np.asarray(mask_voxels)
    if array.shape != mask.shape:
        raise InvalidMaskError(
            f"`mask_voxels` has the shape {array.shape}, mask {mask.name} {mask.shape}"
        )
    voxels = array.astype(bool)
    if not voxels.any():
        raise InvalidMaskError(f"`mask_voxels` of {mask.name} are empty: none is true")
    return voxels
