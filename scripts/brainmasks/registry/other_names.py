# SPDX-License-Identifier: MIT
"""What other tools call a mask: for the answer to a name that nobody registered here.

Never a guess that is acted upon: these are names to suggest.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath

from .mask_names import BRAIN
from .metadata import BrainMaskMetadata
from .mirrors import read_mirrors
from .schemas import read_schema
from .shipped_files import (
    MIRRORS_SCHEMA,
    MIRRORS_TABLE,
    OTHER_NAMES_SCHEMA,
    OTHER_NAMES_TABLE,
    shipped,
)
from .table_reading import read_table

_ENDINGS = re.compile(r"(\.nii|\.gz|\.mgz|\.head|\.brik|\+tlrc|\+orig)+$", re.IGNORECASE)
# An entity of BIDS, also as fMRIPrep's option --output-spaces writes them: with colons.
_ENTITY = re.compile(r"(?:^|[_:])(tpl|space|cohort|res|desc)-([a-z0-9.+]+)")
_SPACE = re.compile(r"[a-z0-9+]+")
_MM = re.compile(r"([0-9]+(?:[.p][0-9]+)?)(?:mm)?")


def names_here(
    name: str, masks: Iterable[BrainMaskMetadata], aliases: Mapping[str, str]
) -> list[str]:
    """Return the names here of the masks that another tool's name stands for.

    Parameters
    ----------
    name
        A name, or the path of a file.
    masks
        The registered masks.
    aliases
        Space asked for, to the space that is served for it.

    Returns
    -------
    list of str
        Empty if it is nobody's name.
    """
    file = _ENDINGS.sub("", name.replace("\\", "/").rpartition("/")[2])
    bare = file.lower()
    known = {mask.name: mask for mask in masks}
    # As this workflow or lacuna calls its files, such as …_2mm_desc-brain_mask.nii.gz.
    for own in (file, re.sub(r"(_desc-brain)?(_mask)?$", "", file)):
        if own in known and own != name:
            return [own]
    files = _names_of_files(known.values())
    found = [mask for mask in (*_table().get(bare, ()), *files.get(bare, ())) if mask in known]
    return list(dict.fromkeys(found or _by_entities(bare, known.values(), files, aliases)))


def other_names() -> list[str]:
    """Return the names of the shipped table, in small letters."""
    return list(_table())


@cache
def _table() -> dict[str, list[str]]:
    """Return the masks that each name of the shipped table stands for."""
    names: dict[str, list[str]] = {}
    for _, row in read_table(shipped(OTHER_NAMES_TABLE), read_schema(shipped(OTHER_NAMES_SCHEMA))):
        names.setdefault(row["name"].lower(), []).append(row["mask"])
    return names


def _names_of_files(masks: Iterable[BrainMaskMetadata]) -> dict[str, list[str]]:
    """Return the masks that come from a file of each name: those of URLs and of mirrors."""
    mirrors = read_mirrors(shipped(MIRRORS_TABLE), shipped(MIRRORS_SCHEMA))
    names: dict[str, list[str]] = {}
    for mask in masks:
        for location in (mask.url, *(each.location for each in mirrors.get(mask.name, ()))):
            file = PurePosixPath(location.partition("?")[0]).name.lower()
            if file != (bare := _ENDINGS.sub("", file)):
                names.setdefault(bare, []).append(mask.name)
    return names


def _by_entities(
    bare: str,
    masks: Iterable[BrainMaskMetadata],
    files: Mapping[str, list[str]],
    aliases: Mapping[str, str],
) -> list[str]:
    """Return the masks of the space and size that a name states in BIDS's or TemplateFlow's way."""
    said = _entities(bare)
    if not said.get("space"):
        return []
    served = {alias.lower(): space.lower() for alias, space in aliases.items()}
    space = "_cohort-".join(filter(None, (said["space"], said.get("cohort"))))
    space = served.get(space, space)
    of_space = [
        mask
        for mask in masks
        # A name without a cohort is that of all cohorts.
        if space in (mask.space.lower(), mask.space.lower().partition("_cohort-")[0])
    ]
    of_desc = [mask for mask in of_space if mask.desc.lower() == said.get("desc", BRAIN)]
    if not (size := _MM.fullmatch(said.get("res", ""))):
        return [mask.name for mask in of_desc] if len(said) > 1 else []
    by_label = {
        mask
        for file, names in files.items()
        if _is_number(_entities(file).get("res", ""), said["res"])
        for mask in names
    }
    mm = float(size[1].replace("p", "."))
    exact = [mask.name for mask in of_desc if mask.name in by_label]
    return exact or [mask.name for mask in of_desc if set(mask.zooms) == {mm}]


def _entities(bare: str) -> dict[str, str]:
    """Return the entities of a name in small letters; of a space that stands alone, too."""
    found = dict(_ENTITY.findall(bare))
    space = found.pop("tpl", None) or found.get("space")
    if not space and (match := _SPACE.match(bare)):
        # As in MNI152NLin6Asym_res-2 and MNI152NLin6Asym:res-2.
        space = match[0] if bare[match.end() : match.end() + 1] in ("", "_", ":") else None
    return {**found, "space": space} if space else found


def _is_number(label: str, other: str) -> bool:
    """Return whether two labels are the same number, such as 2 and 02."""
    return label.isdecimal() and other.isdecimal() and int(label) == int(other)
