# SPDX-License-Identifier: MIT
"""Names of masks, and what to say about a name that nobody registered."""

import difflib
import re

# A name is put together by `mask_name`; this only takes one apart again.
_NAME = re.compile(r"(?P<space>.+)_(?P<resolution>[0-9]+(?:\.[0-9]+)?)mm")


def mask_name(space: str, resolution: float) -> str:
    """Return the name of a mask, for example ``MNI152NLin6Asym_2mm``.

    Parameters
    ----------
    space
        Template space in TemplateFlow's spelling.
    resolution
        Edge of a voxel in mm; ``2`` and ``2.0`` give the same name.
    """
    return f"{space}_{float(resolution):g}mm"


def split_name(name: str) -> tuple[str, str] | None:
    """Return space and resolution (mm, as written) of a name, or None if it has another form."""
    match = _NAME.fullmatch(name)
    return (match["space"], match["resolution"]) if match else None


def closest(name: str, known: list[str], cutoff: float = 0.5) -> list[str]:
    """Return up to two of the known names that a user may have meant, the likeliest first."""
    parts = split_name(name)
    respelt = mask_name(parts[0], float(parts[1])) if parts else name
    by_lower_case = {each.lower(): each for each in reversed(known)}
    if respelt.lower() in by_lower_case:
        return [by_lower_case[respelt.lower()]]
    near = difflib.get_close_matches(respelt.lower(), by_lower_case, n=2, cutoff=cutoff)
    return [by_lower_case[each] for each in near]
