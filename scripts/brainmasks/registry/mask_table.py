# SPDX-License-Identifier: MIT
"""The registry: which masks there are, by name and by alias."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..errors import RegistryError, UnknownMaskError
from ..paths import StrPath
from .mask_names import closest, mask_name, split_name
from .metadata import BrainMaskMetadata
from .schemas import read_schema
from .table_reading import read_table

# `list` is a method of the registry.
list_of = list
# How many registered names a message lists before it says how many more there are.
LISTED = 8
# How many names are suggested at the most.
SUGGESTED = 4


class BrainMaskRegistry:
    """Registered masks by name, and the spaces that are served by another one.

    Parameters
    ----------
    masks
        One entry a mask; names are unique.
    aliases
        Space asked for, to the space that is served for it.
    own
        Where the row stands that took the place of a shipped one, by name of the mask.
    """

    def __init__(
        self,
        masks: Iterable[BrainMaskMetadata],
        aliases: Mapping[str, str],
        own: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._masks = {mask.name: mask for mask in masks}
        self.aliases = dict(aliases)
        self.own = dict(own)

    @classmethod
    def from_rows(
        cls, rows: Iterable[Mapping[str, str]], aliases: Mapping[str, str] | None = None
    ) -> "BrainMaskRegistry":
        """Return the registry of rows that `BrainMaskMetadata.as_row` returned."""
        return cls(map(BrainMaskMetadata.from_row, rows), aliases or {})

    def __repr__(self) -> str:
        spaces = len({mask.space for mask in self._masks.values()})
        return f"<BrainMaskRegistry: {len(self)} masks of {spaces} spaces>"

    def __getitem__(self, name: str) -> BrainMaskMetadata:
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._masks

    def __iter__(self) -> Iterator[str]:
        return iter(self._masks)

    def __len__(self) -> int:
        return len(self._masks)

    @property
    def space_names(self) -> dict[str, str]:
        """Every name of a space, with the space that is served for it."""
        return {mask.space: mask.space for mask in self._masks.values()} | self.aliases

    def keys(self) -> "list_of[str]":
        """Return the registered names."""
        return list(self._masks)

    def list(self, **filters: Any) -> "list_of[BrainMaskMetadata]":
        """Return the metadata of the masks that have the given values.

        Parameters
        ----------
        **filters
            For example ``space="MNI152NLin6Asym"`` or ``resolution=2``; None filters nothing.

        Raises
        ------
        TypeError
            If a filter names no field of the metadata. (lacuna returns nothing then, which reads as
            if there were no such mask.)
        """
        known = [field.name for field in fields(BrainMaskMetadata)]
        if unknown := sorted(set(filters) - set(known)):
            raise TypeError(f"unknown filters {unknown}; known: {known}")
        asked = {key: value for key, value in filters.items() if value is not None}
        return [
            mask
            for mask in self._masks.values()
            if all(getattr(mask, key) == value for key, value in asked.items())
        ]

    def register(self, mask: BrainMaskMetadata) -> None:
        """Add a mask.

        Raises
        ------
        RegistryError
            If its name is registered, or its space is served as another one.
        """
        if mask.name in self._masks:
            raise RegistryError(f"{mask.name} is registered already; give this one another `desc`")
        if mask.space in self.aliases:
            raise RegistryError(
                f"{mask.name} cannot be registered: {mask.space} is served as "
                f"{self.aliases[mask.space]}"
            )
        self._masks[mask.name] = mask

    def complete(self) -> "list_of[BrainMaskMetadata]":
        """Return the masks of which hashes, voxels and grid are known without the file."""
        return [mask for mask in self._masks.values() if mask.is_complete]

    def by_hash(self) -> dict[str, str]:
        """Return the name of each mask by SHA-256 of its file, and of its content."""
        names = {}
        for mask in self.complete():
            names[mask.sha256] = names[mask.content_sha256] = mask.name
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
        if mask := self._served(name):
            return mask
        raise UnknownMaskError(self._unknown(name))

    def serves(self, name: str) -> bool:
        """Return whether a mask is served for a name, aliases resolved."""
        return self._served(name) is not None

    def _served(self, name: str) -> BrainMaskMetadata | None:
        parts = split_name(name)
        if not parts:
            return None
        # The rest stays as written, so that `_2.0mm` is no second name of `_2mm`.
        return self._masks.get(
            self.aliases.get(parts.space, parts.space) + name[len(parts.space) :]
        )

    def meant(self, name: str) -> "list_of[str]":
        """Return the names that a user may have meant, the likeliest first.

        The name itself if a mask is served under it; else those of the masks that another tool
        calls so; else names that resemble it.
        """
        from .other_names import names_here

        aliased = [
            mask_name(alias, mask.resolution, mask.desc)
            for mask in self._masks.values()
            for alias, space in self.aliases.items()
            if space == mask.space
        ]
        served = self.keys() + aliased
        if name in served:
            return [name]
        here = names_here(name, self._masks.values(), self.aliases)[:SUGGESTED]
        return here or closest(name, served)

    def _unknown(self, name: str) -> str:
        near = self.meant(name)
        listed = ", ".join(self.keys()[:LISTED]) or "none"
        if len(self) > LISTED:
            listed += f" and {len(self) - LISTED} more (all: `snakemake status`, `brainmasks list`)"
        parts = [f"no mask is registered for '{name}'"]
        if near:
            parts.append(f"did you mean {' or '.join(near)}?")
        parts.append(f"Registered: {listed}.")
        if self.aliases:
            served = (f"{alias} (as {space})" for alias, space in self.aliases.items())
            parts.append(f"Also served: {', '.join(served)}.")
        parts.append(
            "A new mask is a new row of a table of your own (`extra_registries`, --registry)."
        )
        return (
            f"{parts[0]}; {' '.join(parts[1:])}" if near else f"{parts[0]}. " + " ".join(parts[1:])
        )


def read_masks(
    paths: Iterable[StrPath],
    schema: StrPath,
    aliases: Mapping[str, str],
    yielding: Iterable[StrPath] = (),
) -> BrainMaskRegistry:
    """Read tables of masks, check every row, and compare the rows.

    A row of the main table may stand in another one, too, as in a copy of it to which rows were
    added: then it counts once.

    Parameters
    ----------
    paths
        The tables, the main one first.
    schema
        Path of the JSON schema of a row.
    aliases
        Space asked for, to the space that is served for it.
    yielding
        Which of the tables give way: to a row of another table for the same mask, and to an alias.
        So a table that a new version brings breaks nobody's own.

    Raises
    ------
    RegistryError
        If a row is wrong, a mask is registered twice, or a row's space is an alias.
    """
    gives_way = {str(path) for path in yielding}
    row_schema = read_schema(schema)
    for alias, space in aliases.items():
        if space in aliases:
            raise RegistryError(
                f"`aliases`: {alias} is served as {space}, which is itself an alias of "
                f"{aliases[space]}; name that one"
            )
    masks: dict[str, BrainMaskMetadata] = {}
    lines: dict[str, str] = {}
    # By their places in the order in which they were named.
    tables: dict[str, int] = {}
    own: dict[str, str] = {}
    paths = list(map(str, paths))
    # Last, so that they find what they give way to.
    for place, path in sorted(enumerate(paths), key=lambda named: named[1] in gives_way):
        is_yielding, folder = path in gives_way, str(Path(path).parent)
        for line, row in read_table(path, row_schema):
            mask = BrainMaskMetadata.from_row(row | {"folder": folder})
            where = f"{path}, line {line}"
            earlier = masks.get(mask.name)
            is_same = earlier is not None and earlier.as_row() == mask.as_row()
            if is_yielding and earlier and not is_same:
                own[mask.name] = lines[mask.name]
            if is_same and tables[mask.name] == 0 and path != paths[0]:
                continue
            if is_yielding and (earlier or mask.space in aliases):
                continue
            if earlier:
                raise RegistryError(
                    f"{mask.name} is registered twice: in {lines[mask.name]} and in {where}; "
                    "remove one of the two, or give it another `desc`"
                )
            if mask.space in aliases:
                raise RegistryError(
                    f"{where} registers {mask.name}, but `aliases` in the configuration serves "
                    f"{mask.space} as {aliases[mask.space]}; remove the row or the alias"
                )
            masks[mask.name] = mask
            lines[mask.name] = where
            tables[mask.name] = place
    ordered = sorted(masks, key=tables.__getitem__)
    return BrainMaskRegistry([masks[name] for name in ordered], aliases, own)
