# SPDX-License-Identifier: MIT
"""Known grids: where the voxels of files lie that many people have, and who uses them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import RegistryError
from ..paths import StrPath
from .schemas import read_schema
from .table_reading import read_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class KnownGrid:
    """A grid that has a name.

    Attributes
    ----------
    name : str
        For example ``SPM12-2mm``; fit for the name of a file.
    shape : tuple of int
        Voxels along x, y and z.
    zooms : tuple of float
        Edges of a voxel along x, y and z in mm.
    origin : tuple of float
        Coordinates in mm (RAS+) of voxel 0, 0, 0.
    spaces : tuple of str
        Template spaces, TemplateFlow's spelling, that are known to have this very grid.
    used_by : str
        Who uses it: free text.
    """

    name: str
    shape: tuple[int, int, int]
    zooms: tuple[float, float, float]
    origin: tuple[float, float, float]
    spaces: tuple[str, ...]
    used_by: str

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> "KnownGrid":
        """Return the grid that a checked row of the table states."""
        x, y, z = (int(n) for n in row["shape"].split("x"))
        x_edge, y_edge, z_edge = (float(mm) for mm in row["zooms"].split("x"))
        x_mm, y_mm, z_mm = (float(mm) for mm in row["origin"].split(","))
        return cls(
            name=row["grid"],
            shape=(x, y, z),
            zooms=(x_edge, y_edge, z_edge),
            origin=(x_mm, y_mm, z_mm),
            spaces=tuple(row["spaces"].split(",")) if row["spaces"] else (),
            used_by=row.get("used_by", ""),
        )

    def as_row(self) -> dict[str, str]:
        """Return the cells that say where its voxels lie: all but who uses it."""
        return {
            "grid": self.name,
            "shape": "x".join(str(n) for n in self.shape),
            "zooms": "x".join(f"{mm:.10g}" for mm in self.zooms),
            "origin": ",".join(f"{mm:.10g}" for mm in self.origin),
            "spaces": ",".join(self.spaces),
        }

    @property
    def affine(self) -> "NDArray[np.float64]":
        """Voxel indices to mm, RAS+: an array of shape (4, 4)."""
        import numpy as np

        affine = np.diag([*self.zooms, 1.0])
        affine[:3, 3] = self.origin
        return affine


def read_grids(path: StrPath, schema: StrPath) -> dict[str, KnownGrid]:
    """Read a table of known grids.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Returns
    -------
    dict
        Each grid by name, in the order of the table.

    Raises
    ------
    RegistryError
        If a row is wrong, or two grids have the same name.
    """
    grids: dict[str, KnownGrid] = {}
    lines: dict[str, int] = {}
    for line, row in read_table(path, read_schema(schema)):
        grid = KnownGrid.from_row(row)
        # Names of files that differ in capitals only are one file on some file systems.
        key = grid.name.lower()
        if key in lines:
            raise RegistryError(
                f"{path}, line {line}, column 'grid' is {grid.name!r}, a name that line "
                f"{lines[key]} has, too; give one of the two another name"
            )
        lines[key] = line
        grids[grid.name] = grid
    return grids
