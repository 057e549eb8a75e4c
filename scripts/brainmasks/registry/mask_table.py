# SPDX-License-Identifier: MIT
"""The registry: which masks there are, by name and by alias."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from ..errors import RegistryError, UnknownMaskError
from ..paths import StrPath
from .mask_names import closest, mask_name, split_name
from .metadata import BrainMaskMetadata
from .table_reading import read_schema, read_table

# How many registered names a message lists before it says how many more there are.
LISTED = 20


class BrainMaskRegistry:
    """Registered masks by name, and the spaces that are served by another one.

    Parameters
    ----------
    masks
        One entry a mask; names are unique.
    aliases
        Space asked for, to the space that is served for it.
    """

    def __init__(self, masks: Iterable[BrainMaskMetadata], aliases: Mapping[str, str]) -> None:
        self._masks = {mask.name: mask for mask in masks}
        self.aliases = dict(aliases)

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, str]], aliases: Mapping[str, str] | None = None
    ) -> "BrainMaskRegistry":
        """Return the registry of rows that `BrainMaskMetadata.as_row` returned."""
        return cls(map(BrainMaskMetadata.from_row, rows), aliases or {})

    def __contains__(self, name: object) -> bool:
        return name in self._masks

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    def keys(self) -> list[str]:
        """Return the registered names."""
        return list(self._masks)

    def list(self, **filters: Any) -> list[str]:
        """Return the names of the masks whose metadata have the given values.

        Parameters
        ----------
        **filters
            For example ``space="MNI152NLin6Asym"`` or ``resolution=2``.

        Raises
        ------
        TypeError
            If a filter names no field of the metadata.
        """
        known = {field.name for field in fields(BrainMaskMetadata)}
        if unknown := set(filters) - known:
            raise TypeError(f"unknown filters {sorted(unknown)}; known: {sorted(known)}")
        return [
            name
            for name, mask in self._masks.items()
            if all(getattr(mask, key) == value for key, value in filters.items())
        ]

    def by_hash(self) -> dict[str, str]:
        """Return the name of each mask by SHA-256 of its file, and of its content."""
        names = {}
        for name, mask in self._masks.items():
            names[mask.sha256] = names[mask.content_sha256] = name
        return names

    def get(self, name: str) -> BrainMaskMetadata:
        """Return the metadata of a registered mask.

        Raises
        ------
        UnknownMaskError
            (a KeyError) if there is none; names the registered ones and the closest.
        """
        try:
            return self._masks[name]
        except KeyError:
            raise UnknownMaskError(self._unknown(name)) from None

    def serve(self, name: str) -> BrainMaskMetadata:
        """Return the metadata of the mask that is served for a name, aliases resolved.

        Raises
        ------
        UnknownMaskError
            (a KeyError) if nothing is registered for it.
        """
        if parts := split_name(name):
            space, resolution = parts
            # The resolution stays as written, so that `_2.0mm` is no second name of `_2mm`.
            served = f"{self.aliases.get(space, space)}_{resolution}mm"
            if served in self._masks:
                return self._masks[served]
        raise UnknownMaskError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        aliased = [
            mask_name(alias, mask.resolution)
            for mask in self._masks.values()
            for alias, space in self.aliases.items()
            if space == mask.space
        ]
        near = closest(name, self.keys() + aliased)
        listed = ", ".join(self.keys()[:LISTED]) or "none"
        if len(self) > LISTED:
            listed += f" and {len(self) - LISTED} more"
        parts = [f"no mask is registered for '{name}'"]
        if near:
            parts.append(f"did you mean {' or '.join(near)}?")
        parts.append(f"Registered: {listed}.")
        if self.aliases:
            served = (f"{alias} (as {space})" for alias, space in self.aliases.items())
            parts.append(f"Also served: {', '.join(served)}.")
        parts.append("A new mask is a new row of a table named in `extra_registries`.")
        return (
            f"{parts[0]}; {' '.join(parts[1:])}" if near else f"{parts[0]}. " + " ".join(parts[1:])
        )


def read_registry(
    paths: Iterable[StrPath], schema: StrPath, aliases: Mapping[str, str]
) -> BrainMaskRegistry:
    """Read tables of masks, check every row, and compare the rows.

    Parameters
    ----------
    paths
        The tables, the main one first.
    schema
        Path of the JSON schema of a row.
    aliases
        Space asked for, to the space that is served for it.

    Raises
    ------
    RegistryError
        If a row is wrong, a mask is registered twice, or a row's space is an alias.
    """
    row_schema = read_schema(schema)
    for alias, space in aliases.items():
        if space in aliases:
            raise RegistryError(
                f"`aliases`: {alias} is served as {space}, which is itself an alias of "
                f"{aliases[space]}; name that one"
            )
    masks: dict[str, BrainMaskMetadata] = {}
    lines: dict[str, str] = {}
    for path in paths:
        for line, row in read_table(path, row_schema):
            mask = BrainMaskMetadata.from_row(row)
            where = f"{path}, line {line}"
            if mask.name in masks:
                raise RegistryError(
                    f"{mask.name} is registered twice: in {lines[mask.name]} and in {where}; "
                    "remove one of the two"
                )
            if mask.space in aliases:
                raise RegistryError(
                    f"{where} registers {mask.name}, but `aliases` in the configuration serves "
                    f"{mask.space} as {aliases[mask.space]}; remove the row or the alias"
                )
            masks[mask.name] = mask
            lines[mask.name] = where
    return BrainMaskRegistry(masks.values(), aliases)
