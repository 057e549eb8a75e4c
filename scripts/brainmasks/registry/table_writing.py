# SPDX-License-Identifier: MIT
"""A row of your own: its cells, a new table for it, or one more line of a table that is there."""

import codecs
from collections.abc import Mapping, Sequence

from .metadata import BrainMaskMetadata
from .schemas import read_schema
from .shipped_files import REGISTRY_SCHEMA, shipped
from .table_reading import row_check

# Columns that a table of your own does without: for files of others.
_LEFT_OUT = ("md5", "notice")


def own_row(mask: BrainMaskMetadata, where: str) -> dict[str, str]:
    """Return the checked cells of a row, in the order in which a new table has them.

    Parameters
    ----------
    mask
        What is to be registered; complete.
    where
        What to call the row in an error.

    Raises
    ------
    RegistryError
        If a cell is wrong; says what is expected.
    """
    schema = read_schema(shipped(REGISTRY_SCHEMA))
    # `as_row` shortens a URL to what may be printed, and leaves the description out.
    cells = mask.as_row() | {"url": mask.url, "description": mask.description}
    row = {name: cells[name] for name in schema["properties"] if name not in _LEFT_OUT}
    row_check(schema)(where, row)
    return row


def new_table(row: Mapping[str, str]) -> bytes:
    """Return a table of this row alone."""
    names = list(row)
    return (_line({name: name for name in names}, names) + _line(row, names)).encode()


def with_row(table: bytes, row: Mapping[str, str]) -> bytes:
    """Return a table with one more row; nothing else in it changes.

    The order of its columns and its line ends stay; a column that it lacks is added at the end,
    where rows that do not reach it have an empty cell.

    Parameters
    ----------
    table
        A table that `read_table` reads: UTF-8, tabs.
    row
        Its cells by column.
    """
    mark = codecs.BOM_UTF8 if table.startswith(codecs.BOM_UTF8) else b""
    text = table.removeprefix(mark).decode()
    end = "\r\n" if "\r\n" in text else "\n" if "\n" in text or "\r" not in text else "\r"
    header, _, rest = text.partition(end)
    columns = header.rstrip("\t").split("\t")
    lacking = [name for name, cell in row.items() if cell and name not in columns]
    # "brain" is what an empty cell of this column means, and so does one that is not there.
    lacking = [name for name in lacking if (name, row[name]) != ("desc", "brain")]
    columns += lacking
    if lacking:
        header = "\t".join(columns)
    if rest and not rest.endswith(end):
        rest += end
    return mark + f"{header}{end}{rest}{_line(row, columns, end)}".encode()


def _line(row: Mapping[str, str], columns: Sequence[str], end: str = "\n") -> str:
    return "\t".join(row.get(name, "") for name in columns) + end
