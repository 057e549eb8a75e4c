# SPDX-License-Identifier: MIT
"""The mask that an image is compared to: by name, by its metadata, or by its file."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FetchError, InvalidMaskError, UnknownMaskError
from ..masks import fetch_brain_mask
from ..nifti import (
    TOLERANCE,
    canonical_file,
    content_limit,
    contradiction,
    has_orientation,
    read_image,
    recode,
    recodings,
    stored_voxels,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from ..storage import gunzip_whole, read_bounded
from .grids import Grid, is_usable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# Most bytes of a mask's file: 0.5 mm voxels of a head as float64, and room to spare.
LARGEST = 1 << 30


def find_mask(
    mask: StrPath | BrainMaskMetadata, registry: BrainMaskRegistry
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
        return *_whole(mask), registry
    if isinstance(mask, str):
        try:
            return *_whole(registry.serve(mask)), registry
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
        grid = _grid_of(content)
        for known in registry.complete():
            if grid.matches(known) and _is_mask(content, known):
                return known, data, registry
        own = _own_mask(path, content, grid)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err
    return own, data, BrainMaskRegistry([own], aliases={})


def _whole(mask: BrainMaskMetadata) -> tuple[BrainMaskMetadata, bytes | None]:
    """Return all that is known of a mask, and its file if that takes it: for a registered MD5."""
    if mask.is_complete:
        return mask, None
    data, whole = canonical_file(fetch_brain_mask(mask).data, mask)
    return whole, data


def _read_mask(path: Path) -> tuple[bytes, bytes]:
    """Return a mask's file, as it is and gunzipped."""
    try:
        data = read_bounded(path, LARGEST)
    except FileNotFoundError as err:
        raise FetchError(f"there is no mask file {path}") from err
    except OSError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err.strerror}") from err
    if data[:2] != b"\x1f\x8b":
        return data, data
    try:
        return data, gunzip_whole(data, LARGEST)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err


def _grid_of(content: bytes) -> Grid:
    """Return the grid of a mask's file."""
    image = read_image(content)
    if image.ndim != 3:
        raise InvalidMaskError(f"it has {image.ndim} dimensions, expected 3")
    if not has_orientation(image) or not is_usable(image.affine):
        raise InvalidMaskError("it has no usable orientation")
    if why := contradiction(image):
        raise InvalidMaskError(f"its header contradicts itself: {why}")
    return Grid.of(image)


def _canonical(content: bytes, mask: BrainMaskMetadata) -> bytes:
    return gunzip_whole(recode(content, mask), content_limit(mask.size))


def _is_mask(content: bytes, mask: BrainMaskMetadata) -> bool:
    limit = content_limit(mask.size)
    return any(
        hashlib.sha256(gunzip_whole(each, limit)).hexdigest() == mask.content_sha256
        for each in recodings(content, mask)
    )


def _own_mask(path: Path, content: bytes, grid: Grid) -> BrainMaskMetadata:
    """Return what a row of the registry would say of a mask, but for its space and its source."""
    import numpy as np

    sizes = grid.ras_affine[:3, :3]
    if np.abs(sizes - np.diag(np.diag(sizes))).max() > TOLERANCE:
        raise InvalidMaskError(
            "its axes are oblique (rotated or sheared) and not along x, y and z: resample it first"
        )
    width, height, depth = grid.ras_shape
    x, y, z = grid.ras_affine[:3, 3].tolist()
    x_edge, y_edge, z_edge = np.diag(sizes).tolist()
    mask = BrainMaskMetadata(
        name=str(path),
        description="",
        space="",
        resolution=x_edge if x_edge == y_edge == z_edge else (x_edge, y_edge, z_edge),
        source="",
        shape=(width, height, depth),
        origin=(x, y, z),
        license="",
        citation="",
    )
    canonical = _canonical(content, mask)
    voxels = int(np.count_nonzero(stored_voxels(read_image(canonical))))
    if not voxels:
        raise InvalidMaskError("it is empty: no voxel is 1")
    return replace(mask, content_sha256=hashlib.sha256(canonical).hexdigest(), voxels=voxels)


def read_mask_voxels(mask: BrainMaskMetadata, data: bytes | None) -> "NDArray[np.bool_]":
    """Return where a mask is 1, in RAS order; from its file, else as `load_brain_mask` has it.

    Raises
    ------
    FetchError
        If there is no file, and the mask is not available.
    InvalidMaskError
        If the file does not hold the mask's grid, 0 and 1.
    """
    if data is None:
        data = fetch_brain_mask(mask).data
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
