# SPDX-License-Identifier: MIT
"""Which masks and known grids there are, and where: tables, names, aliases, settings, mirrors."""

from .grid_table import KnownGrid
from .mask_names import closest, mask_name, split_name
from .mask_table import BrainMaskRegistry, read_registry
from .metadata import BrainMaskMetadata
from .mirrors import Mirror, read_mirrors
from .settings import cache_folder, is_offline, read_settings, user_path
from .shipped import shipped_grids, shipped_mirrors, shipped_registry
from .table_reading import Schema, check_columns, check_row, read_schema, read_table

__all__ = [
    "BrainMaskMetadata",
    "BrainMaskRegistry",
    "KnownGrid",
    "Mirror",
    "Schema",
    "cache_folder",
    "check_columns",
    "check_row",
    "closest",
    "is_offline",
    "mask_name",
    "read_mirrors",
    "read_registry",
    "read_schema",
    "read_settings",
    "read_table",
    "shipped_grids",
    "shipped_mirrors",
    "shipped_registry",
    "split_name",
    "user_path",
]
