"""In what a file of the working folder is not the registered mask."""

import json
import os
from pathlib import Path

from ..errors import InvalidMaskError
from ..fetching import difference
from ..nifti import content_limit
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import read_bounded
from .origin import read_origin


def fetched_damage(mask: BrainMaskMetadata, mask_path: StrPath, origin_path: StrPath) -> str | None:
    """Say in what a fetched file is not the registered mask; None if it is, or is not there.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, origin_path
        Where `download` puts the mask and the note of its origin; neither need be there.
    """
    if not os.path.lexists(mask_path):
        return None
    try:
        verified_by = read_origin(origin_path).verified_by
    except InvalidMaskError as err:
        return str(err)
    return _damage(mask, mask_path, verified_by)


def published_damage(
    mask: BrainMaskMetadata, mask_path: StrPath, sidecar_path: StrPath
) -> str | None:
    """Say in what a published mask is not the registered one; None if it is, or is not there.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, sidecar_path
        Where a mask and its sidecar are published; neither need be there.
    """
    if not os.path.lexists(mask_path):
        return None
    try:
        described = json.loads(Path(sidecar_path).read_text(encoding="utf-8"))
        verified_by = described["VerifiedBy"]
        states = [described[key] for key in ("RegisteredSHA256", "ContentSHA256", "Voxels")]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{mask_path} has no sidecar that describes it"
    if damage := _damage(mask, mask_path, verified_by):
        return damage
    if states != [mask.sha256, mask.content_sha256, mask.voxels]:
        return f"{sidecar_path} does not say what is registered"
    return None


def _damage(mask: BrainMaskMetadata, path: StrPath, verified_by: str) -> str | None:
    try:
        data = read_bounded(path, content_limit(mask.size))
    except OSError as err:
        return f"{path} is unusable ({err.strerror})"
    damage = difference(data, mask, verified_by)
    return f"{path} {damage}" if damage else None
