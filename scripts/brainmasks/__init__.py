# SPDX-License-Identifier: MIT
"""Verified binary brain masks, for notebooks and scripts.

The rooms below hold what the workflow uses, arrows one way:
cli -> qc -> images -> masks -> fetching -> nifti -> {storage, registry} -> errors, paths, urls,
version.

Nothing here knows of Snakemake, or imports anything heavy before it is needed.
"""

from typing import Any

from .errors import FetchError, InvalidMaskError, MaskError, RegistryError, UnknownMaskError
from .images import Comparison, compare_to_mask
from .masks import load_brain_mask
from .registry import (
    BrainMaskMetadata,
    BrainMaskRegistry,
    mask_name,
    read_registry,
    shipped_registry,
    shipped_tables,
)
from .version import __version__

__all__ = [
    "BRAIN_MASK_REGISTRY",
    "BrainMaskMetadata",
    "BrainMaskRegistry",
    "Comparison",
    "FetchError",
    "InvalidMaskError",
    "MaskError",
    "RegistryError",
    "UnknownMaskError",
    "__version__",
    "compare_to_mask",
    "load_brain_mask",
    "mask_name",
    "read_registry",
    "shipped_tables",
]


def __getattr__(name: str) -> Any:
    # The tables are read when somebody asks for them, not when a script imports the package.
    if name == "BRAIN_MASK_REGISTRY":
        return shipped_registry()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
