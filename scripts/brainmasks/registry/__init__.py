# SPDX-License-Identifier: MIT
"""Which masks and known grids there are, and where: tables, names, aliases, settings, mirrors."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .alias_table import read_aliases
    from .background_table import KnownBackground
    from .extra_grids import with_extra_grids
    from .grid_table import KnownGrid, read_grids
    from .likely_names import like_a_mask
    from .mask_names import (
        BRAIN,
        Resolution,
        closest,
        mask_name,
        read_resolution,
        space_of,
        split_name,
    )
    from .mask_table import BrainMaskRegistry, read_masks
    from .metadata import BrainMaskMetadata
    from .mirrors import Mirror, local_path, read_mirrors
    from .references import Reference, bibtex, references_of
    from .schemas import Schema, read_schema
    from .settings import cache_folder, is_offline, read_settings, user_path
    from .shipped import (
        lacunas_masks,
        read_registry,
        shipped_backgrounds,
        shipped_grids,
        shipped_lookalikes,
        shipped_mirrors,
        shipped_references,
        shipped_registry,
        shipped_settings,
        shipped_tables,
    )
    from .shipped_files import MASKS_TABLES
    from .table_reading import listed_rows, read_table
    from .table_writing import new_table, own_row, with_row
    from .target_grid import (
        GRID_MARK,
        LARGEST_GRID,
        GriddedName,
        TargetGrid,
        grid_for,
        split_gridded,
    )
else:
    __getattr__, __all__ = on_demand(
        __name__,
        alias_table="read_aliases",
        background_table="KnownBackground",
        extra_grids="with_extra_grids",
        grid_table="KnownGrid read_grids",
        likely_names="like_a_mask",
        mask_names="BRAIN Resolution closest mask_name read_resolution space_of split_name",
        mask_table="BrainMaskRegistry read_masks",
        metadata="BrainMaskMetadata",
        mirrors="Mirror local_path read_mirrors",
        references="Reference bibtex references_of",
        schemas="Schema read_schema",
        settings="cache_folder is_offline read_settings user_path",
        shipped=(
            "lacunas_masks read_registry shipped_backgrounds shipped_grids shipped_lookalikes "
            "shipped_mirrors shipped_references shipped_registry shipped_settings shipped_tables"
        ),
        shipped_files="MASKS_TABLES",
        table_reading="listed_rows read_table",
        table_writing="new_table own_row with_row",
        target_grid="GRID_MARK LARGEST_GRID GriddedName TargetGrid grid_for split_gridded",
    )
