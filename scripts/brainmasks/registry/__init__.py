# SPDX-License-Identifier: MIT
"""Which masks and known grids there are, and where: tables, names, aliases, settings, mirrors."""

from .grid_table import KnownGrid
from .mask_names import BRAIN, Resolution, closest, mask_name, read_resolution, split_name
from .mask_table import BrainMaskRegistry, read_masks
from .metadata import BrainMaskMetadata
from .mirrors import Mirror, read_mirrors
from .references import Reference, bibtex, references_of
from .settings import cache_folder, is_offline, read_settings, user_path
from .shipped import (
    lacunas_masks,
    read_registry,
    shipped_grids,
    shipped_lookalikes,
    shipped_mirrors,
    shipped_references,
    shipped_registry,
    shipped_settings,
    shipped_tables,
)
from .shipped_files import MASKS_TABLES
from .table_reading import Schema, check_columns, check_row, read_schema, read_table
from .table_writing import new_table, own_row, with_row

__all__ = [
    "BRAIN",
    "MASKS_TABLES",
    "BrainMaskMetadata",
    "BrainMaskRegistry",
    "KnownGrid",
    "Mirror",
    "Reference",
    "Resolution",
    "Schema",
    "bibtex",
    "cache_folder",
    "check_columns",
    "check_row",
    "closest",
    "is_offline",
    "lacunas_masks",
    "mask_name",
    "new_table",
    "own_row",
    "read_masks",
    "read_mirrors",
    "read_registry",
    "read_resolution",
    "read_schema",
    "read_settings",
    "read_table",
    "references_of",
    "shipped_grids",
    "shipped_lookalikes",
    "shipped_mirrors",
    "shipped_references",
    "shipped_registry",
    "shipped_settings",
    "shipped_tables",
    "split_name",
    "user_path",
    "with_row",
]
