# SPDX-License-Identifier: MIT
"""Names of masks, and what to say about a name that nobody registered."""

import re
from numbers import Real
from typing import NamedTuple

# Edge of a voxel in mm, or the three edges of one that is no cube.
Resolution = float | tuple[float, float, float]
# The description of a mask whose name states none, as in BIDS's ``desc-brain_mask``.
BRAIN = "brain"

_EDGE = r"[0-9]+(?:\.[0-9]+)?"
# A name is put together by `mask_name`; this only takes one apart again.
_NAME = re.compile(
    rf"(?P<space>.+)_(?P<resolution>{_EDGE}(?:x{_EDGE}x{_EDGE})?)mm(?:_desc-(?P<desc>[A-Za-z0-9]+))?"
)


class NameParts(NamedTuple):
    """What the name of a mask says, as it is written."""

    space: str
    resolution: str
    desc: str


def mask_name(space: str, resolution: Resolution | str, desc: str = BRAIN) -> str:
    """Return the name of a mask, for example ``MNI152NLin6Asym_2mm``.

    Parameters
    ----------
    space
        Template space in TemplateFlow's spelling, with its cohort if it has some:
        ``MNIPediatricAsym_cohort-2``.
    resolution
        Edge of a voxel in mm, or its three edges: ``2``, ``2.0`` and ``(2, 2, 2)`` give the same
        name, ``(2, 2, 4)`` gives ``…_2x2x4mm``.
    desc
        Which of the masks of this grid. Only another one than ``brain`` is part of the name:
        ``MNI152NLin6Asym_2mm_desc-brainDil``.
    """
    suffix = "" if desc == BRAIN else f"_desc-{desc}"
    return f"{space}_{resolution_text(resolution)}mm{suffix}"


def resolution_text(resolution: Resolution | str) -> str:
    """Return a resolution as names and tables write it: ``2``, ``0.7``, ``2x2x4``.

    Raises
    ------
    ValueError
        If it is no positive number, and no three of them.
    """
    if isinstance(resolution, str):
        resolution = read_resolution(resolution)
    edges = resolution if isinstance(resolution, tuple | list) else (resolution,)
    numbers = [edge for edge in edges if isinstance(edge, Real) and not isinstance(edge, bool)]
    if len(numbers) != len(edges) or len(edges) not in (1, 3) or not all(n > 0 for n in numbers):
        raise ValueError(
            f"the resolution is {resolution!r}; expected the edge of a voxel in mm, such as 2 or "
            "0.7, or its three edges, such as (2, 2, 4)"
        )
    texts = [f"{float(edge):g}" for edge in numbers]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


def read_resolution(text: str) -> Resolution:
    """Return the resolution that a text such as ``2`` or ``2x2x4`` states."""
    try:
        x, *others = (float(edge) for edge in text.split("x"))
        y, z = others or (x, x)
    except ValueError:
        raise ValueError(
            f"the resolution is {text!r}; expected mm, such as '2', or three times such as '2x2x4'"
        ) from None
    return x if x == y == z else (x, y, z)


def split_name(name: str) -> NameParts | None:
    """Return space, resolution (mm) and desc of a name, or None if it has another form."""
    match = _NAME.fullmatch(name)
    return NameParts(match["space"], match["resolution"], match["desc"] or BRAIN) if match else None


def space_of(name: str) -> str:
    """Return the space in the name of a mask; a name of another form as it is."""
    parts = split_name(name)
    return parts.space if parts else name


def closest(name: str, known: list[str], cutoff: float = 0.5) -> list[str]:
    """Return up to two of the known names that a user may have meant, the likeliest first."""
    import difflib

    parts = split_name(name)
    respelt = (
        mask_name(parts.space, read_resolution(parts.resolution), parts.desc) if parts else name
    )
    by_lower_case = {each.lower(): each for each in reversed(known)}
    if respelt.lower() in by_lower_case:
        return [by_lower_case[respelt.lower()]]
    near = difflib.get_close_matches(respelt.lower(), by_lower_case, n=2, cutoff=cutoff)
    return [by_lower_case[each] for each in near]
