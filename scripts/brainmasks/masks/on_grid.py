# SPDX-License-Identifier: MIT
"""Bring a published mask onto another grid of its space."""

import hashlib
import logging
from dataclasses import replace

from ..errors import InvalidMaskError
from ..nifti import (
    PASSED,
    as_nii_gz,
    examine,
    in_words,
    limited_to_registered,
    read_image,
    stored_voxels,
)
from ..paths import StrPath
from ..registry import GRID_MARK, BrainMaskMetadata, TargetGrid, space_of
from ..storage import publish, to_json
from ..telling import TOLD, size_in_words
from .gridded import INHERITED, METHOD
from .published import completed, read_published, read_sidecar
from .resampled import Resampled, resampled
from .sidecar import generated_by

log = logging.getLogger(__name__)

_RULE = "1 if voxels of the mask cover at least half of the new voxel, else 0"


def put_on_grid(
    asked: str,
    mask: BrainMaskMetadata,
    grid: TargetGrid,
    code: str,
    mask_path: StrPath,
    mask_sidecar_path: StrPath,
    published_path: StrPath,
    sidecar_path: StrPath,
) -> None:
    """Publish a mask on another grid, and its sidecar, if it passes every check.

    Parameters
    ----------
    asked
        Name of the mask that was asked for.
    mask
        What is registered for the mask that is served.
    grid
        The grid, of the same space.
    code
        Digest of the code that makes and checks.
    mask_path, mask_sidecar_path
        The published mask and its sidecar.
    published_path, sidecar_path
        Where to publish the mask on the grid, and its sidecar.

    Raises
    ------
    InvalidMaskError
        If the published mask is not the registered one, if nothing of it is left on the grid, or if
        the result does not pass the checks.
    """
    described = read_sidecar(mask_sidecar_path, mask)
    mask = completed(mask, mask_sidecar_path)
    # The file's content is not kept.
    before = stored_voxels(read_image(read_published(mask_path, mask))) == 1
    made = resampled(before, mask, grid)
    if not made.on_ras.voxels.any():
        raise InvalidMaskError(_nothing_left(mask, grid, made))
    data = as_nii_gz(made.image())
    # What the result must be was computed with it: nothing is registered of it.
    unregistered = replace(mask, voxels=None, content_sha256="")
    common = limited_to_registered(examine(data, made.metadata), unregistered)
    checks = {**common, **made.checks()}
    problems = [why for why in checks.values() if not why.startswith((PASSED, "not run"))]
    if problems:
        raise InvalidMaskError(
            f"mask {mask.name} on the grid {grid.name} does not pass the checks, and is not "
            f"published: {'; '.join(problems)}. Use a mask of smaller voxels, or another grid"
        )
    log.info("mask %s on the grid %s: %s", mask.name, grid.name, in_words(checks))
    if made.cut_ml:
        log.warning(
            "mask %s on the grid %s: %.6g ml of it lie outside the grid, and are cut off",
            mask.name,
            grid.name,
            made.cut_ml,
        )
    content = {
        "Type": "Brain",
        "Description": f"Brain mask {mask.name}, on {_words(grid)}",
        "Desc": mask.desc,
        "SpatialReference": mask.space,
        "SpaceRequested": space_of(asked),
        "SpaceServed": mask.space,
        "Resolution": made.metadata.resolution_words,
        "Mask": mask.name,
        "Sources": [str(mask_path)],
        "SourceSHA256": described["SHA256"],
        "SourceContentSHA256": mask.content_sha256,
        **({"SourceRegisteredMD5": mask.md5} if mask.md5 else {}),
        "Method": METHOD,
        "Resampling": _RULE,
        **made.as_note(),
        "SHA256": hashlib.sha256(data).hexdigest(),
        "ContentSHA256": made.metadata.content_sha256,
        "Bytes": len(data),
        "Grid": made.grid_note(),
        "Voxels": made.after,
        "VolumeML": round(made.after_ml, 6),
        **{key: described[key] for key in INHERITED if key in described},
        "Checks": checks,
        "ChecksVersion": code,
        "GeneratedBy": generated_by(),
    }
    publish(to_json(content), sidecar_path)
    publish(data, published_path)
    log.info(
        "%s%s%s: checked, made from %s, %s",
        asked,
        GRID_MARK,
        grid.name,
        mask.name,
        size_in_words(len(data)),
        extra=TOLD,
    )


def _words(grid: TargetGrid) -> str:
    return f"the grid of image {grid.name}" if grid.image else f"the grid {grid.name}"


def _nothing_left(mask: BrainMaskMetadata, grid: TargetGrid, made: Resampled) -> str:
    """Return why a mask is empty on a grid, and what to do."""
    if made.on_ras.inside:
        why = "at no place is half of a voxel brain; use a grid of smaller voxels"
    else:
        why = "that grid does not reach the brain; look whether its origin is right"
    return f"nothing of mask {mask.name} is left on {_words(grid)}: {why}"
