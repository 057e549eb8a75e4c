# SPDX-License-Identifier: MIT
"""Grids of the user's own, beside those that are shipped."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RegistryError
from ..paths import StrPath
from .grid_table import KnownGrid
from .schemas import Schema, read_schema
from .settings import user_path
from .table_reading import listed_rows, read_table

REQUIRED = ("grid", "shape", "zooms", "origin")


def with_extra_grids(
    shipped: Mapping[str, KnownGrid],
    extra: str | Sequence[Mapping[str, Any]] | None,
    schema: StrPath,
) -> dict[str, KnownGrid]:
    """Return the shipped grids, and those of the configuration.

    Parameters
    ----------
    shipped
        The shipped grids by name.
    extra
        The path of a table, or its rows. ``spaces`` and ``used_by`` may be left out; further
        columns are ignored.
    schema
        Path of the JSON schema of a row of the shipped table.

    Raises
    ------
    RegistryError
        If a row is wrong, or a name is taken.
    """
    grids = dict(shipped)
    if not extra:
        return grids
    # Names of files that differ in capitals only are one file on some file systems.
    places = {name.lower(): "the shipped workflow/tables/grids.tsv" for name in shipped}
    rules = _own(read_schema(schema))
    if isinstance(extra, str):
        path = user_path(extra)
        rows = [(f"{path}, line {line}", row) for line, row in read_table(path, rules)]
    else:
        rows = list(listed_rows("extra_grids", extra, rules))
    for where, row in rows:
        grid = KnownGrid.from_row({"spaces": "", **row})
        if taken := places.get(grid.name.lower()):
            raise RegistryError(
                f"{where}: '{grid.name}' is the name of another grid, too, in {taken}; give this "
                "one another name"
            )
        places[grid.name.lower()] = where
        grids[grid.name] = grid
    return grids


def _own(schema: Schema) -> Schema:
    """Return the schema of a row of a user's own table, whose other columns are nothing to us."""
    properties = {name: schema["properties"][name] for name in (*REQUIRED, "spaces", "used_by")}
    properties["used_by"] = properties["used_by"] | {"pattern": r"^[^\x00-\x1f\x7f]*\Z"}
    return schema | {
        "required": list(REQUIRED),
        "additionalProperties": True,
        "properties": properties,
    }
