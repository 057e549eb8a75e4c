# SPDX-License-Identifier: MIT
"""Published masks and their sidecars, verified in memory by whoever uses them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InvalidMaskError
from ..nifti import content_limit
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import gunzip_whole, read_bounded

# Bytes that no sidecar or note has.
_LARGEST = 1 << 20
# What every sidecar of a mask states, on whatever grid.
STATED = frozenset(
    {
        "Type",
        "Description",
        "Desc",
        "SpatialReference",
        "SpaceRequested",
        "SpaceServed",
        "Resolution",
        "Sources",
        "SHA256",
        "ContentSHA256",
        "Bytes",
        "Grid",
        "Voxels",
        "VolumeML",
        "License",
        "ReferencesAndLinks",
        "Source",
        "Checks",
        "ChecksVersion",
        "GeneratedBy",
    }
)


def read_published(path: StrPath, mask: BrainMaskMetadata) -> bytes:
    """Return the content of a published mask, not compressed: exactly the registered bytes.

    Whoever counts, draws or compares uses these and does not read the file again: another run, or
    another user of the folder, may replace it at any moment.

    Raises
    ------
    InvalidMaskError
        If the file is not there, or is not what is registered.
    """
    limit = content_limit(mask.size)
    try:
        content = gunzip_whole(read_bounded(path, limit), limit)
        found = hashlib.sha256(content).hexdigest()
        problem = f"it has content of SHA-256 {found}, expected {mask.content_sha256}"
    except OSError as err:
        found, problem = "", f"it cannot be read: {err.strerror}"
    except InvalidMaskError as err:
        found, problem = "", str(err)
    if found != mask.content_sha256:
        raise InvalidMaskError(
            f"mask {mask.name}: {path} is not the registered mask any more: {problem}. "
            "Run again to have it regenerated"
        )
    return content


def read_sidecar(path: StrPath, mask: BrainMaskMetadata) -> dict[str, Any]:
    """Return the sidecar of a published mask.

    Raises
    ------
    InvalidMaskError
        If it cannot be read, or does not state what is registered.
    """
    try:
        sidecar = read_json(path)
    except (OSError, ValueError) as err:
        raise InvalidMaskError(
            f"mask {mask.name}: the sidecar {path} cannot be read: {err}. "
            "Run again to have it regenerated"
        ) from err
    if not states_registered(sidecar, mask):
        raise InvalidMaskError(
            f"mask {mask.name}: the sidecar {path} does not say what is registered. "
            "Run again to have it regenerated"
        )
    return sidecar


def sidecar_beside(path: StrPath) -> Path:
    """Return the path of the sidecar of a published mask."""
    return Path(path).with_name(Path(path).name.removesuffix(".nii.gz") + ".json")


def read_json(path: StrPath) -> dict[str, Any]:
    """Return what a small JSON file holds, if that is an object.

    Raises
    ------
    OSError
        If it is not there, no regular file, or too large.
    ValueError
        If it holds something else.
    """
    try:
        content = json.loads(read_bounded(path, _LARGEST))
    except RecursionError as err:
        raise ValueError("it is nested too deeply") from err
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")  # noqa: TRY004, one kind for all that is wrong
    return content


def states_registered(sidecar: Mapping[str, Any], mask: BrainMaskMetadata) -> bool:
    """Return whether a sidecar states what is registered, and lacks nothing that all of them state.

    Compared is what makes it this mask: space, grid, hashes, number of voxels. Another licence is
    no damage.
    """
    stated: dict[str, Any] = {
        "SpatialReference": mask.space,
        "SpaceServed": mask.space,
        "RegisteredMD5": mask.md5 or None,
        "RegisteredBytes": mask.bytes if mask.md5 else None,
    }
    # The rest is not registered by an MD5, but was computed from the file that has it.
    if mask.is_complete:
        stated |= {
            "RegisteredSHA256": None if mask.md5 else mask.sha256,
            "ContentSHA256": mask.content_sha256,
            "Grid": grid_note(mask),
            "Voxels": mask.voxels,
        }
    return STATED.union(["VerifiedBy", "Recoded"]).issubset(sidecar) and all(
        sidecar.get(key) == value for key, value in stated.items()
    )


def grid_note(mask: BrainMaskMetadata) -> dict[str, Any]:
    """Return what a sidecar states of the grid of a mask, in plain values that JSON keeps."""
    return {
        "Shape": list(mask.shape),
        "VoxelSize": list(mask.zooms),
        "Origin": mask.affine[:3, 3].tolist(),
        "Affine": mask.affine.tolist(),
        "Orientation": "RAS",
        "Units": "mm",
    }


def completed(mask: BrainMaskMetadata, sidecar_path: StrPath) -> BrainMaskMetadata:
    """Return a mask with all that its sidecar says of it, where no more than an MD5 is registered.

    Parameters
    ----------
    mask
        What is registered.
    sidecar_path
        The sidecar that was published with the mask; not read if everything is registered.

    Raises
    ------
    InvalidMaskError
        If it cannot be read, or is that of another mask.
    """
    if mask.is_complete:
        return mask
    described = read_sidecar(sidecar_path, mask)
    try:
        x, y, z = (float(mm) for mm in described["Grid"]["Origin"])
        whole = replace(
            mask,
            sha256=str(described["SHA256"]),
            content_sha256=str(described["ContentSHA256"]),
            voxels=int(described["Voxels"]),
            origin=(x, y, z),
        )
        same_grid = (
            described["Grid"]["Shape"] == list(mask.shape)
            and described["Grid"]["VoxelSize"] == list(mask.zooms)
            and mask.origin in (None, whole.origin)
            and mask.voxels in (None, whole.voxels)
        )
    except (KeyError, TypeError, ValueError):
        same_grid = False
    if not same_grid:
        raise InvalidMaskError(
            f"mask {mask.name}: the sidecar {sidecar_path} does not describe its grid. "
            "Run again to have it regenerated"
        )
    return whole
