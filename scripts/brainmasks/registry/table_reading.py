# SPDX-License-Identifier: MIT
"""Tables: read as text, checked against a schema, errors with line and column."""

import codecs
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RegistryError
from ..paths import StrPath
from ..urls import is_possible, redact
from .mask_names import closest
from .schemas import Schema, explained, fitting
from .shipped_files import validated_tables

if TYPE_CHECKING:
    from jsonschema import ValidationError

# A column as like one of ours as this is a misspelling of it; `site`, which labs have, is 0.75 like
# `side`.
MISSPELT = 0.76
# Letters from which a name can be told from others that resemble it.
SHORT = 4


def read_table(path: StrPath, schema: Schema) -> list[tuple[int, dict[str, str]]]:
    """Read a tab-separated table, every cell as text, and check each row.

    A shipped table is not checked again if its bytes are those that the tests have checked.

    Parameters
    ----------
    path
        The table; its first line names the columns.
    schema
        JSON schema of one row. Its properties are the columns, in any order.

    Returns
    -------
    list of (int, dict)
        Line number in the file and cells of each row that is not blank.

    Raises
    ------
    RegistryError
        If the table cannot be read, or a column or cell is wrong; says which.
    """
    data = _data(path)
    text = _text(path, data)
    if not text:
        raise RegistryError(f"{path} is empty; its first line must name the columns")

    # Empty cells at the end of a line count for nothing.
    lines = [line.rstrip("\t") for line in text.split("\n")]
    columns = lines[0].split("\t") if lines[0] else []
    check_row = None
    is_validated = hashlib.sha256(data).hexdigest() in validated_tables()
    # It may have been given for a table of another kind.
    if not is_validated or not {*schema["required"]} <= {*columns}:
        _check_separators(path, lines, list(schema["properties"]))
        check_columns(f"{path}, line 1", columns, schema)
        check_row = row_check(schema)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        cells = line.split("\t")
        if len(cells) > len(columns):
            raise RegistryError(
                f"{path}, line {number}: {len(cells)} cells, but {len(columns)} columns; "
                "look for a tab too many"
            )
        row = dict(zip(columns, cells + [""] * (len(columns) - len(cells)), strict=True))
        row = {column: row[column] for column in columns if column in schema["properties"]}
        if check_row:
            check_row(f"{path}, line {number}", row)
        rows.append((number, row))
    return rows


def _data(path: StrPath) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise RegistryError(f"{path} does not exist; give the path of a table (TSV)") from None
    except (OSError, ValueError) as err:
        raise RegistryError(f"{path} cannot be read as a table (TSV): {err}") from None


def _text(path: StrPath, data: bytes) -> str:
    try:
        # As Python reads a file of text: either line end.
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except ValueError as err:
        is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        why = 'it is UTF-16, as "Unicode text" of a spreadsheet is' if is_utf16 else str(err)
        raise RegistryError(
            f"{path} cannot be read as a table (TSV): {why}; save it as UTF-8"
        ) from None


def _check_separators(path: StrPath, lines: list[str], known: list[str]) -> None:
    """Name the cause if the cells of a table are not separated by tabs alone."""
    for number, line in enumerate(lines, start=1):
        if "\t" in line:
            if number == 1 and any(_unquoted(column) in known for column in line.split("\t")):
                raise RegistryError(
                    f"{path}, line 1: the names of columns are in quotes, which have no meaning "
                    "here; save the table without quotes"
                )
            continue
        for separator, words in ((";", "semicolons"), (",", "commas"), (" ", "spaces")):
            cells = [cell.strip().strip('"') for cell in line.split(separator) if cell.strip()]
            # A line that is no heading has as many cells as that, or is a single one.
            is_heading = number == 1 and len(set(cells) & set(known)) > 1
            if is_heading or (number > 1 and len(cells) >= max(3, lines[0].count("\t"))):
                raise RegistryError(
                    f"{path}, line {number}: {words} stand between the cells instead of tabs; save "
                    "the table as tab-separated text (TSV)"
                )


def _unquoted(cell: str) -> str | None:
    """Return what stands between the quotes around a cell, None if there are none."""
    quoted = len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'"
    return cell[1:-1] if quoted else None


def listed_rows(
    key: str, entries: Sequence[Mapping[str, Any]], schema: Schema
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows that stand in the configuration instead of a table, with where each stands.

    Parameters
    ----------
    key
        The key of the configuration, for messages.
    entries
        The rows.
    schema
        JSON schema of one row; what is no column of it is left out.

    Raises
    ------
    RegistryError
        If a column or cell is wrong, or is no text.
    """
    check_row = row_check(schema)
    for number, entry in enumerate(entries, start=1):
        where = f"config key '{key}'" + (f", entry {number}" if len(entries) > 1 else "")
        check_columns(where, list(entry), schema)
        row = {name: entry[name] for name in entry if name in schema["properties"]}
        for name, value in row.items():
            # YAML takes 010 for 8, and 1:30 for 90.
            if not isinstance(value, str):
                raise RegistryError(f"{where}: `{name}` is {value!r}, which is no text; quote it")
        check_row(where, row)
        yield where, row


def check_columns(where: str, columns: list[str], schema: Schema) -> None:
    """Check that all columns are there, each once, and no other one that was meant to be one.

    Parameters
    ----------
    where
        Where the columns are named, for the message.
    columns
        Their names. Where the schema allows others, those that resemble none are ignored.
    schema
        JSON schema of one row.

    Raises
    ------
    RegistryError
        If a column is missing, misspelt, unknown, or stands there twice.
    """
    known = list(schema["properties"])
    lacking = [column for column in schema["required"] if column not in columns]
    for column in columns:
        if column not in known:
            near = closest(column, known)
            if schema["additionalProperties"]:
                near = [each for each in known if _is_misspelt(column, each)]
                # Where one is missing, less likeness will do.
                near = near or closest(column, lacking)
                if not near:
                    continue
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise RegistryError(
                f"{where}: unknown column '{column}'{hint} Columns: {', '.join(known)}"
            )
    repeated = [column for column in known if columns.count(column) > 1]
    if repeated:
        raise RegistryError(f"{where}: column '{repeated[0]}' stands there twice")
    if lacking:
        raise RegistryError(
            f"{where}: missing column{'s' * (len(lacking) > 1)} "
            + ", ".join(f"'{column}'" for column in lacking)
        )


def _is_misspelt(column: str, known: str) -> bool:
    """Return whether a column that is not ours is probably one of ours, misspelt.

    Of short names only the capitals may differ: `sid` and `pid` are what labs call a subject.
    """
    name = column.strip()
    return name.lower() == known or (
        min(len(name), len(known)) >= SHORT and bool(closest(name, [known], cutoff=MISSPELT))
    )


def row_check(schema: Schema) -> Callable[[str, dict[str, str]], None]:
    """Return a function that checks each cell of a row: of where it stands, and of its cells.

    It raises RegistryError: a line for every wrong cell, with what is expected there.

    Parameters
    ----------
    schema
        JSON schema of one row.
    """
    fits = fitting(schema)

    def check(where: str, row: dict[str, str]) -> None:
        impossible = [
            column
            for column in ("url", "location")
            if row.get(column, "").lower().startswith("http") and not is_possible(row[column])
        ]
        if fits(row) and not impossible:
            return
        if row.get("space") and row.get("resolution"):
            label = f"{row['space']} {row['resolution']} mm {row.get('desc', '')}".rstrip()
            where = f"{where} ({label})" if label.isprintable() else where
        if problems := explained(row, schema):
            raise RegistryError("\n".join(_explain(where, err, schema) for err in problems))
        for column in impossible:
            raise RegistryError(
                f"{where}, column '{column}' is {redact(row[column])!r}; expected: a host, and a "
                "port that can be"
            )

    return check


def _explain(where: str, error: "ValidationError", schema: Schema) -> str:
    column = error.path[0]
    wanted = schema["properties"][column]["description"]
    # Every cell is text.
    found = f"is {redact(str(error.instance))!r}" if error.instance else "is empty"
    if _unquoted(str(error.instance)) is not None:
        found += ", in quotes, which have no meaning here"
    return f"{where}, column '{column}' {found}; expected: {wanted}"
