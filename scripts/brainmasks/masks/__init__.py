# SPDX-License-Identifier: MIT
"""Masks in a working folder, in the cache and in Python: steps, sidecar, prefetch, status, load."""

from .damage import fetched_damage, published_damage
from .load import fetch_brain_mask, load_brain_mask, path_of
from .prefetch import prefetch
from .published import completed, read_published, read_sidecar
from .registering import OwnMask, read_own_mask, register_in, remarks, try_out
from .sidecar import generated_by
from .status import status
from .steps import checksum, download, validate

__all__ = [
    "OwnMask",
    "checksum",
    "completed",
    "download",
    "fetch_brain_mask",
    "fetched_damage",
    "generated_by",
    "load_brain_mask",
    "path_of",
    "prefetch",
    "published_damage",
    "read_own_mask",
    "read_published",
    "read_sidecar",
    "register_in",
    "remarks",
    "status",
    "try_out",
    "validate",
]
