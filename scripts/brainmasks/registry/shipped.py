# SPDX-License-Identifier: MIT
"""The tables that come with the package, read: for the Python interface and for jobs."""

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..paths import StrPath
from .alias_table import read_aliases
from .mask_names import mask_name, read_resolution
from .mask_table import BrainMaskRegistry, read_masks
from .schemas import read_schema
from .shipped_files import (
    ALIASES_SCHEMA,
    ALIASES_TABLE,
    BACKGROUNDS_SCHEMA,
    BACKGROUNDS_TABLE,
    CONFIG_SCHEMA,
    GRIDS_SCHEMA,
    GRIDS_TABLE,
    LACUNAS_TABLE,
    LOOKALIKES_SCHEMA,
    LOOKALIKES_TABLE,
    MASKS_TABLES,
    MIRRORS_SCHEMA,
    MIRRORS_TABLE,
    REFERENCES_SCHEMA,
    REFERENCES_TABLE,
    REGISTRY_SCHEMA,
    SETTINGS_FILE,
    shipped,
)
from .table_reading import read_table

if TYPE_CHECKING:
    from .background_table import KnownBackground
    from .grid_table import KnownGrid
    from .lookalike_table import Lookalike
    from .mirrors import Mirror
    from .references import Reference


def read_registry(
    paths: StrPath | Iterable[StrPath] | None = None,
    schema: StrPath | None = None,
    aliases: Mapping[str, str] | None = None,
) -> BrainMaskRegistry:
    """Read tables of masks, check every row, and compare the rows.

    Parameters
    ----------
    paths
        A table, or several; the shipped ones if none is given. ``[*shipped_tables(), mine]`` reads
        one of your own in addition, whose rows take the place of shipped ones, but of lacuna's.
    schema
        Path of the JSON schema of a row; the shipped one if none is given.
    aliases
        Space asked for, to the space that is served for it; the shipped ones if none are given.

    Raises
    ------
    RegistryError
        If a row is wrong, a mask is registered twice, or a row's space is an alias.
    """
    if paths is None:
        paths = shipped_tables()
    elif isinstance(paths, str | os.PathLike):
        paths = [paths]
    if aliases is None:
        aliases = shipped_aliases()
    return read_masks(paths, schema or shipped(REGISTRY_SCHEMA), aliases, shipped_tables()[1:])


def shipped_tables() -> list[Path]:
    """Return the tables of masks that come with the package, the main one first.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    return [shipped(name) for name in MASKS_TABLES]


@cache
def shipped_registry() -> BrainMaskRegistry:
    """Return the registry that comes with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    return read_registry()


@cache
def lacunas_masks() -> dict[str, str]:
    """Return the SHA-256 of each mask that lacuna has, too, by its name.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    rows = read_table(shipped(LACUNAS_TABLE), read_schema(shipped(REGISTRY_SCHEMA)))
    return {
        mask_name(row["space"], read_resolution(row["resolution"])): row["sha256"]
        for _, row in rows
    }


@cache
def shipped_aliases() -> dict[str, str]:
    """Return the aliases that come with the package: space asked for, to the space served for it.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    return read_aliases(shipped(ALIASES_TABLE), shipped(ALIASES_SCHEMA))


@cache
def shipped_mirrors() -> "dict[str, list[Mirror]]":
    """Return the mirrors of each mask that come with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from .mirrors import read_mirrors

    return read_mirrors(shipped(MIRRORS_TABLE), shipped(MIRRORS_SCHEMA))


@cache
def shipped_grids() -> "dict[str, KnownGrid]":
    """Return the known grids that come with the package, by name.

    Jobs of the workflow read them, too: beside the package, as `shipped` finds them.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from .grid_table import read_grids

    return read_grids(shipped(GRIDS_TABLE), shipped(GRIDS_SCHEMA))


@cache
def shipped_lookalikes() -> "list[Lookalike]":
    """Return the known look-alikes of registered masks that come with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from .lookalike_table import read_lookalikes

    return read_lookalikes(shipped(LOOKALIKES_TABLE), shipped(LOOKALIKES_SCHEMA))


@cache
def shipped_backgrounds() -> "list[KnownBackground]":
    """Return the known T1 images of packages that come with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from .background_table import read_backgrounds

    return read_backgrounds(shipped(BACKGROUNDS_TABLE), shipped(BACKGROUNDS_SCHEMA))


@cache
def shipped_references() -> "dict[str, Reference]":
    """Return what the shipped table knows of publications, by DOI in small letters.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    from .references import read_references

    return read_references(shipped(REFERENCES_TABLE), shipped(REFERENCES_SCHEMA))


def shipped_settings(config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the settings: shipped defaults, overridden by what is given.

    Raises
    ------
    RegistryError
        If a key is misspelt or a value is of the wrong kind.
    """
    from .settings import read_settings

    return read_settings(shipped(SETTINGS_FILE), shipped(CONFIG_SCHEMA), config or {})
