# SPDX-License-Identifier: MIT
"""T1 images of templates that packages bring along: which file is in which space."""

from dataclasses import dataclass

from ..paths import StrPath
from .schemas import read_schema
from .table_reading import read_table


@dataclass(frozen=True)
class KnownBackground:
    """A T1 image that a package has.

    Attributes
    ----------
    space : str
        Template space that it is in.
    location : str
        Where it is, as in the table of mirrors.
    content_sha256 : str
        SHA-256 of the file, gunzipped.
    """

    space: str
    location: str
    content_sha256: str


def read_backgrounds(path: StrPath, schema: StrPath) -> list[KnownBackground]:
    """Read a table of T1 images.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Raises
    ------
    RegistryError
        If a row is wrong.
    """
    return [
        KnownBackground(row["space"], row["location"], row["content_sha256"].lower())
        for _, row in read_table(path, read_schema(schema))
    ]
