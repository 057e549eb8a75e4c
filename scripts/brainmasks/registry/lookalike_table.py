# SPDX-License-Identifier: MIT
"""Look-alikes: other masks that lie on the grid of a registered one, and what they are used for."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..paths import StrPath
from .schemas import read_schema
from .table_reading import read_table


@dataclass(frozen=True)
class Lookalike:
    """Another mask on the grid of a registered one.

    Attributes
    ----------
    name : str
        What it is, in words.
    space, resolution : str
        Space and resolution (mm) of the registered mask.
    voxels : int
        How many voxels are 1.
    content_sha256 : str
        SHA-256 of its gunzipped canonical encoding; empty if no file of it was at hand.
    used_for : str
        What it is used for, and by whom; may be empty.
    registered_as : str
        The name under which it is registered; may be empty.
    """

    name: str
    space: str
    resolution: str
    voxels: int
    content_sha256: str
    used_for: str
    registered_as: str

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> "Lookalike":
        """Return what a checked row of the table states."""
        return cls(
            name=row["lookalike"],
            space=row["space"],
            resolution=row["resolution"],
            voxels=int(row["voxels"]),
            content_sha256=row["content_sha256"].lower(),
            used_for=row["used_for"],
            registered_as=row["registered_as"],
        )

    @property
    def in_words(self) -> str:
        """Its name, what it is used for, and what it is called here."""
        words = f"{self.name} ({self.used_for})" if self.used_for else self.name
        return f"{words}, registered as {self.registered_as}" if self.registered_as else words


def read_lookalikes(path: StrPath, schema: StrPath) -> list[Lookalike]:
    """Read a table of look-alikes.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Raises
    ------
    RegistryError
        If a row is wrong.
    """
    return [Lookalike.from_row(row) for _, row in read_table(path, read_schema(schema))]
