# SPDX-License-Identifier: MIT
"""What an image is said to be, by its name or the table, against what it is compared to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..paths import StrPath
from ..registry import BrainMaskMetadata
from .findings import NAME_CONTRADICTS, SIDE_CONTRADICTS, Finding, found

SIDES = ("left", "right", "both")
# Entities of BIDS file names: `space-` a template (TemplateFlow: `tpl-`), `res-` a label, `hemi-`
# L or R.
_ENTITY = re.compile(r"(?:^|_)(space|tpl|res|hemi)-([A-Za-z0-9+]+(?:\.[0-9]+(?:mm)?)?)(?=_|\.|$)")
_ENDINGS = re.compile(r"\.(nii|nii\.gz|img|img\.gz|hdr|mgz|mgh)$", re.IGNORECASE)
_SIZE = re.compile(r"0*([0-9]+(?:[p.][0-9]+)?)(mm)?", re.IGNORECASE)
# Standard templates of BIDS (1.10, appendix "Coordinate systems"), in small letters; and what is no
# template, but the space of one person.
_TEMPLATES = [
    "fsaverage",
    "fsaveragesym",
    "fslr",
    "icbm452airspace",
    "icbm452warp5space",
    "ixi549space",
    "mni152lin",
    "mni152nlin2009aasym",
    "mni152nlin2009asym",
    "mni152nlin2009basym",
    "mni152nlin2009bsym",
    "mni152nlin2009casym",
    "mni152nlin2009csym",
    "mni152nlin6asym",
    "mni152nlin6sym",
    "mni305",
    "mnicolin27",
    "nihpd",
    "oasis30antsoasisants",
    "oasis30atropos",
    "talairach",
    "uncinfant",
]
_PERSONS = [
    "anat",
    "bold",
    "dwi",
    "fsnative",
    "func",
    "individual",
    "native",
    "orig",
    "scanner",
    "t1w",
    "t2w",
]
_HEMISPHERES = {"l": "left", "r": "right"}


def bare_name(path: StrPath) -> str:
    """Return the name of an image's file without its ending."""
    return _ENDINGS.sub("", Path(path).name)


@dataclass(frozen=True)
class Claims:
    """What is said of an image beside its header.

    Attributes
    ----------
    names : tuple of str
        The name of its file without its ending, and its id: entities in them are looked at.
    side : str
        Where its voxels should be: one of `SIDES`; None if nothing is said.
    """

    names: tuple[str, ...] = ()
    side: str | None = None


def claim_findings(
    claims: Claims,
    mask: BrainMaskMetadata,
    aliases: Mapping[str, str],
    facts: Mapping[str, Any],
) -> list[Finding]:
    """Return which claims are contradicted by the mask that is named, or by the voxels.

    Parameters
    ----------
    claims
        What is said of the image.
    mask
        The mask that it is compared to.
    aliases
        Names of spaces, each to the space that is served for it.
    facts
        With ``voxels_left`` and ``voxels_right``, if the voxels were read.
    """
    wrong: list[str] = []
    for name in dict.fromkeys(claims.names):
        for entity, label in _ENTITY.findall(name):
            said = f"{entity}-{label}"
            if entity in ("space", "tpl") and _is_other_space(label, mask.space, aliases):
                wrong.append(f"'{name}' says {said}, its mask is {mask.name}")
            if entity == "res" and _is_other_size(label, mask.zooms):
                wrong.append(f"'{name}' says {said}, its mask is {mask.name}")
            if entity == "hemi" and _is_elsewhere(_HEMISPHERES.get(label.lower()), facts):
                wrong.append(f"'{name}' says {said}, {_sides(facts)}")
    findings = []
    if wrong:
        findings.append(found(NAME_CONTRADICTS, claims="; ".join(wrong)))
    if _is_elsewhere(claims.side, facts):
        findings.append(
            found(
                SIDE_CONTRADICTS,
                side=claims.side,
                left=facts["voxels_left"],
                right=facts["voxels_right"],
            )
        )
    return findings


def other_space_said(name: str, space: str, aliases: Mapping[str, str]) -> str | None:
    """Return which entity of a name says another space than this one, None if none does.

    Parameters
    ----------
    name
        The name of a file without its ending.
    space
        The space in which it is said to be.
    aliases
        As for `claim_findings`.
    """
    for entity, label in _ENTITY.findall(name):
        if entity in ("space", "tpl") and _is_other_space(label, space, aliases):
            return f"{entity}-{label}"
    return None


def _is_other_space(label: str, space: str, aliases: Mapping[str, str]) -> bool:
    """Return whether a label is the name of another space than this one.

    A label that is no such name, such as ``MNI``, contradicts nothing, and nor does any where the
    space is not known. BIDS and TemplateFlow spell spaces differently: capitals mean nothing.
    """
    names = [space, *(alias for alias, served in aliases.items() if served == space)]
    if not space or label.lower() in [name.lower() for name in names]:
        return False
    return label.lower() in [
        *_TEMPLATES,
        *_PERSONS,
        *(name.lower() for pair in aliases.items() for name in pair),
    ]


def _is_other_size(label: str, zooms: tuple[float, ...]) -> bool:
    """Return whether a label of `res-` means another size of voxels.

    A number alone may be TemplateFlow's index of a grid (04 of MNI152NLin6Asym is 0.7 mm): it means
    another size only where the index and the size in mm are the same thing, at 1 and 2 mm.
    """
    match = _SIZE.fullmatch(label)
    if not match:
        return False
    size = float(match[1].replace("p", "."))
    if match[2] or not size.is_integer():
        return all(abs(size - edge) > 1e-6 for edge in zooms)
    return set(zooms) in ({1}, {2}) and size != zooms[0]


def _is_elsewhere(side: str | None, facts: Mapping[str, Any]) -> bool:
    """Return whether most voxels lie on the other side, or all on one if both are said."""
    if side is None or facts.get("voxels_left") is None:
        return False
    left, right = facts["voxels_left"], facts["voxels_right"]
    if side == "both":
        return bool(left + right) and 0 in (left, right)
    return bool(right > left if side == "left" else left > right)


def _sides(facts: Mapping[str, Any]) -> str:
    return f"{facts['voxels_left']} of its voxels lie left and {facts['voxels_right']} right"
