# SPDX-License-Identifier: MIT
"""Aliases: spaces whose masks are those of another space."""

from ..paths import StrPath
from .schemas import read_schema
from .table_reading import read_table


def read_aliases(path: StrPath, schema: StrPath) -> dict[str, str]:
    """Read a table of aliases.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Returns
    -------
    dict
        Space asked for, to the space that is served for it.

    Raises
    ------
    RegistryError
        If a row is wrong.
    """
    return {row["space"]: row["served_as"] for _, row in read_table(path, read_schema(schema))}
