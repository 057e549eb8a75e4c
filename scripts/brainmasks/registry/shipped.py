# SPDX-License-Identifier: MIT
"""The tables that come with the package: all for the Python interface, the grids for jobs, too."""

from functools import cache
from pathlib import Path

from ..errors import RegistryError
from .grid_table import KnownGrid, read_grids
from .mask_table import BrainMaskRegistry, read_registry
from .mirrors import Mirror, read_mirrors
from .settings import read_settings

MASKS_TABLE = "config/masks.tsv"
MIRRORS_TABLE = "config/mirrors.tsv"
GRIDS_TABLE = "config/grids.tsv"
SETTINGS_FILE = "config/config.yaml"
REGISTRY_SCHEMA = "workflow/schemas/registry.schema.json"
MIRRORS_SCHEMA = "workflow/schemas/mirrors.schema.json"
GRIDS_SCHEMA = "workflow/schemas/grids.schema.json"
CONFIG_SCHEMA = "workflow/schemas/config.schema.json"


@cache
def shipped_registry() -> BrainMaskRegistry:
    """Return the registry that comes with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    settings = read_settings(shipped(SETTINGS_FILE), shipped(CONFIG_SCHEMA), {})
    return read_registry([shipped(MASKS_TABLE)], shipped(REGISTRY_SCHEMA), settings["aliases"])


@cache
def shipped_mirrors() -> dict[str, list[Mirror]]:
    """Return the mirrors of each mask that come with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    return read_mirrors(shipped(MIRRORS_TABLE), shipped(MIRRORS_SCHEMA))


@cache
def shipped_grids() -> dict[str, KnownGrid]:
    """Return the known grids that come with the package, by name.

    Jobs of the workflow read them, too: beside the package, as `shipped` finds them.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    return read_grids(shipped(GRIDS_TABLE), shipped(GRIDS_SCHEMA))


def shipped(name: str) -> Path:
    """Return the path of a table or schema that comes with the package.

    The rules do not ask: they name their files themselves, and so have Snakemake copy all of them,
    in the same folders, to where jobs find the package.

    Parameters
    ----------
    name
        Path in the repository, for example ``config/masks.tsv``.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from importlib.resources import files

    package = files(__package__.rpartition(".")[0])
    # An installed package carries the tables inside; a checkout has them at its top.
    for candidate in (package / "shipped" / name, package / ".." / ".." / name):
        if candidate.is_file():
            return Path(str(candidate)).resolve()
    raise RegistryError(
        f"{name} does not come with this copy of the package in {package}; "
        "install it from a checkout with `pip install .`"
    )
