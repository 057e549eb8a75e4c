# SPDX-License-Identifier: MIT
"""Verified binary brain masks, for notebooks and scripts.

The rooms below hold what the workflow uses, arrows one way:
cli -> qc -> images -> masks -> fetching -> nifti -> {storage, registry} -> errors, paths, urls,
version.

Nothing here knows of Snakemake, or imports anything heavy before it is needed.
"""

from typing import TYPE_CHECKING, Any

from . import images as images
from . import masks as masks
from . import registry
from .errors import FetchError, InvalidMaskError, MaskError, RegistryError, UnknownMaskError
from .on_demand import on_demand
from .version import __version__

if TYPE_CHECKING:
    from .images import Comparison, compare_to_mask
    from .masks import load_brain_mask
    from .registry import (
        BrainMaskMetadata,
        BrainMaskRegistry,
        mask_name,
        read_registry,
        shipped_tables,
    )

    BRAIN_MASK_REGISTRY: BrainMaskRegistry
else:
    shown, _ = on_demand(
        __name__,
        images="Comparison compare_to_mask",
        masks="load_brain_mask",
        registry="BrainMaskMetadata BrainMaskRegistry mask_name read_registry shipped_tables",
    )

    def __getattr__(name: str) -> Any:
        # The tables are read when somebody asks for them, not when a script imports the package.
        return registry.shipped_registry() if name == "BRAIN_MASK_REGISTRY" else shown(name)


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


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
