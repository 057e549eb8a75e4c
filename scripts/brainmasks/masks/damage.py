# SPDX-License-Identifier: MIT
"""In what a file of the working folder is not the registered mask."""

import hashlib
import os
from dataclasses import replace

from ..errors import InvalidMaskError
from ..nifti import CONTENT_SHA256, MD5, SHA256, canonical_file, content_limit, difference
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import read_bounded
from .origin import read_fetched
from .published import completed, read_json, states_registered


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
        read_fetched(mask, mask_path, origin_path)
    except InvalidMaskError as err:
        return str(err)
    return None


def published_damage(
    mask: BrainMaskMetadata,
    mask_path: StrPath,
    sidecar_path: StrPath,
    fetched_path: StrPath,
    origin_path: StrPath,
) -> str | None:
    """Say in what a published mask is not the registered one; None if it is, or is not there.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, sidecar_path
        Where a mask and its sidecar are published; neither need be there.
    fetched_path, origin_path
        Where `download` puts the mask and the note of its origin: where an MD5 is registered, that
        of this file is all by which the published one can be verified.
    """
    if not os.path.lexists(mask_path):
        return None
    try:
        described = read_json(sidecar_path)
        verified_by = described["VerifiedBy"]
    except (OSError, ValueError, KeyError):
        return f"{mask_path} has no sidecar that describes it"
    try:
        data = read_bounded(mask_path, content_limit(mask.size))
    except OSError as err:
        return f"{mask_path} is unusable ({err.strerror})"
    if verified_by not in (SHA256, CONTENT_SHA256, MD5):
        return f"{sidecar_path} does not say by which hash {mask_path} was verified"
    registered = mask
    if not registered.is_complete:
        # Its content is compared: another deflate library may have made the published file.
        verified_by = CONTENT_SHA256
        try:
            _, mask = canonical_file(read_fetched(mask, fetched_path, origin_path)[0], mask)
        except InvalidMaskError as err:
            return f"{mask_path} cannot be verified without the file that was fetched: {err}"
    if damage := difference(data, mask, verified_by):
        return f"{mask_path} {damage}"
    if described.get("SHA256") != hashlib.sha256(data).hexdigest():
        return f"{sidecar_path} describes other bytes than {mask_path} has"
    if not states_registered(described, mask) or not _describes(sidecar_path, registered, mask):
        return f"{sidecar_path} does not say what is registered"
    return None


def _describes(
    sidecar_path: StrPath, registered: BrainMaskMetadata, mask: BrainMaskMetadata
) -> bool:
    """Return whether others will read of a sidecar what the mask is, of which an MD5 is registered.

    The published file may have another SHA-256 than ours: its content was compared.
    """
    try:
        described = completed(registered, sidecar_path)
    except InvalidMaskError:
        return False
    return replace(described, sha256=mask.sha256) == mask
