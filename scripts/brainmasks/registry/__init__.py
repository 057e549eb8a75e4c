# SPDX-License-Identifier: MIT
"""Which masks and known grids there are, and where: tables, names, aliases, settings, mirrors."""

from .extra_grids import with_extra_grids
from .grid_table import KnownGrid, read_grids
from .mask_names import BRAIN, Resolution, closest, mask_name, read_resolution, space_of, split_name
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
from .table_reading import Schema, listed_rows, read_schema, read_table
from .table_writing import new_table, own_row, with_row
from .target_grid import (
    GRID_MARK,
    LARGEST_GRID,
    GriddedName,
    TargetGrid,
    grid_for,
    split_gridded,
)

__all__ = [
    "BRAIN",
    "GRID_MARK",
    "LARGEST_GRID",
    "MASKS_TABLES",
    "BrainMaskMetadata",
    "BrainMaskRegistry",
    "GriddedName",
    "KnownGrid",
    "Mirror",
    "Reference",
    "Resolution",
    "Schema",
    "TargetGrid",
    "bibtex",
    "cache_folder",
    "closest",
    "grid_for",
    "is_offline",
    "lacunas_masks",
    "listed_rows",
    "mask_name",
    "new_table",
    "own_row",
    "read_grids",
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
    "space_of",
    "split_gridded",
    "split_name",
    "user_path",
    "with_extra_grids",
    "with_row",
]
