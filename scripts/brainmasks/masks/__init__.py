"""Masks in a working folder, in the cache and in Python: steps, sidecar, prefetch, status, load."""

from .damage import fetched_damage, published_damage
from .load import load_brain_mask
from .prefetch import prefetch
from .sidecar import generated_by
from .status import status
from .steps import checksum, download, validate

__all__ = [
    "checksum",
    "download",
    "fetched_damage",
    "generated_by",
    "load_brain_mask",
    "prefetch",
    "published_damage",
    "status",
    "validate",
]
