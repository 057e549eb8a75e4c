# SPDX-License-Identifier: MIT
"""Published masks on other grids, and their sidecars: written, read again, verified."""

import hashlib
import os
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..errors import InvalidMaskError
from ..nifti import HEADER_ROOM, count_ones
from ..paths import StrPath
from ..registry import LARGEST_GRID, BrainMaskMetadata, KnownGrid
from ..storage import gunzip_whole, read_bounded
from .published import STATED, read_json

METHOD = "overlap"
# What a sidecar takes over from that of the mask it was made from.
INHERITED = ("License", "CopyrightNotice", "ReferencesAndLinks", "Source")


def gridded_damage(
    mask: BrainMaskMetadata,
    grid: KnownGrid | None,
    image: str | None,
    mask_path: StrPath,
    sidecar_path: StrPath,
) -> str | None:
    """Say in what a mask on another grid is not what was published; None if it is, or is not there.

    Parameters
    ----------
    mask
        What is registered of the mask that it was made from.
    grid
        The known grid that it must be on, None if it is that of an image.
    image
        The path of that image.
    mask_path, sidecar_path
        Where it and its sidecar are published; neither need be there.
    """
    if not os.path.lexists(mask_path):
        return None
    try:
        _, described = read_gridded(mask, mask_path, sidecar_path)
    except InvalidMaskError as err:
        return str(err)
    if grid and not _states_grid(described, grid):
        return f"{mask_path} is not on the grid that has the name {grid.name} now"
    if image and described["Grid"].get("Image") != image:
        return f"{mask_path} is not on the grid of {image}"
    return None


def read_gridded(
    mask: BrainMaskMetadata, mask_path: StrPath, sidecar_path: StrPath
) -> tuple[bytes, dict[str, Any]]:
    """Return the content of a published mask on another grid, verified, and its sidecar.

    Parameters
    ----------
    mask
        What is registered of the mask that it was made from.
    mask_path, sidecar_path
        Where it and its sidecar are published.

    Raises
    ------
    InvalidMaskError
        If the file is not what its sidecar describes, or was made from another mask.
    """
    described = read_gridded_sidecar(mask, sidecar_path)
    try:
        limit = _content_limit(described)
        data = read_bounded(mask_path, limit)
        if hashlib.sha256(data).hexdigest() != described["SHA256"]:
            raise InvalidMaskError(f"{sidecar_path} describes other bytes than {mask_path} has")
        content = gunzip_whole(data, limit)
        if hashlib.sha256(content).hexdigest() != described["ContentSHA256"]:
            raise InvalidMaskError(f"{sidecar_path} describes other content than {mask_path} has")
        states = [described["Bytes"], described["Voxels"], described["VoxelsAfter"]]
    except OSError as err:
        raise InvalidMaskError(f"{mask_path} is unusable ({err.strerror})") from err
    except (KeyError, TypeError, ValueError) as err:
        if isinstance(err, InvalidMaskError):
            raise
        raise InvalidMaskError(f"{sidecar_path} does not describe {mask_path}") from err
    voxels = count_ones(data)
    if states != [len(data), voxels or states[1], voxels or states[1]]:
        raise InvalidMaskError(f"{sidecar_path} does not say how many voxels {mask_path} has")
    return content, described


def read_gridded_sidecar(mask: BrainMaskMetadata, sidecar_path: StrPath) -> dict[str, Any]:
    """Return the sidecar of a published mask on another grid.

    Raises
    ------
    InvalidMaskError
        If it cannot be read, or does not state the mask as it is registered.
    """
    path = Path(sidecar_path)
    try:
        described = read_json(path)
    except (OSError, ValueError) as err:
        raise InvalidMaskError(f"the sidecar {path} cannot be read: {err}") from err
    if (
        described.get("Method") != METHOD
        or described.get("Mask") != mask.name
        or described.get("SpaceServed") != mask.space
        or not STATED.issubset(described)
    ):
        raise InvalidMaskError(f"{path} does not describe {mask.name} on another grid")
    # Of a mask that is registered by its MD5 the content is not known beforehand.
    key, registered = "SourceContentSHA256", mask.content_sha256
    if not mask.is_complete:
        key, registered = "SourceRegisteredMD5", mask.md5
    if described.get(key) != registered:
        raise InvalidMaskError(f"{path} describes what was made from other voxels than registered")
    return described


def _content_limit(described: Mapping[str, Any]) -> int:
    """Return the most bytes that the stated grid allows, if no grid is larger than any may be."""
    size = prod(int(n) for n in described["Grid"]["Shape"])
    return min(max(size, 0), LARGEST_GRID) + HEADER_ROOM


def _states_grid(described: Mapping[str, Any], grid: KnownGrid) -> bool:
    stated = described.get("Grid")
    if not isinstance(stated, dict):
        return False
    expected = {
        "Name": grid.name,
        "Shape": list(grid.shape),
        "VoxelSize": list(grid.zooms),
        "Origin": list(grid.origin),
        "KnownSpaces": list(grid.spaces),
        "Orientation": "RAS",
    }
    return all(stated.get(key) == value for key, value in expected.items())
