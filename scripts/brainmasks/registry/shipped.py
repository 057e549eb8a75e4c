# SPDX-License-Identifier: MIT
"""The tables that come with the package, for the Python interface."""

from functools import cache
from pathlib import Path

from ..errors import RegistryError
from .mask_table import BrainMaskRegistry, read_registry
from .mirrors import Mirror, read_mirrors
from .settings import read_settings

MASKS_TABLE = "config/masks.tsv"
MIRRORS_TABLE = "config/mirrors.tsv"
SETTINGS_FILE = "config/config.yaml"
REGISTRY_SCHEMA = "workflow/schemas/registry.schema.json"
MIRRORS_SCHEMA = "workflow/schemas/mirrors.schema.json"
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


def shipped(name: str) -> Path:
    """Return the path of a table or schema that comes with the package.

    A workflow does not ask: it names its own files itself.

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
