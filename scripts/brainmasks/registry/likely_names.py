# SPDX-License-Identifier: MIT
"""Which names may have been meant as that of a mask: a pattern for the wildcards of a workflow."""

import re
from collections.abc import Iterable

from .other_names import other_names

# A size, as in …_2mm, -2mm and _2MM; and the entities with which names of templates begin.
_SIZE = r"[0-9](?i:mm+)(?![A-Za-z0-9])"
_TEMPLATE = r"(?:tpl|space)-"
# How names of spaces begin: Snakemake compiles all of them once more for each rule, and takes
# seconds for thousands.
MOST = 200


def like_a_mask(spaces: Iterable[str], letter: str = "[^/]") -> str:
    """Return a regular expression that matches the names of masks, and what is like one.

    These are names with a size in mm, names that begin as a space does, those of files of
    TemplateFlow, and names that other tools have for a mask. The names of a subject's own files in
    BIDS, ``sub-…``, are none of them, whatever else they say.

    Parameters
    ----------
    spaces
        Names of template spaces, also those that are served as another one. Of more than `MOST`
        kinds none counts: a name is then known by its size in mm, which every mask's has.
    letter
        A regular expression for one letter of a name.
    """
    families = sorted({_start(space) for space in spaces})
    # Matches nothing if there are no spaces.
    starts = "|".join(families if len(families) <= MOST else ()) or "(?!)"
    # All others that begin as a space does are known by that.
    is_known = re.compile(f"(?i:{starts})").match
    others = "|".join(re.escape(name) for name in sorted(other_names()) if not is_known(name))
    others = others or "(?!)"
    any_letters = f"(?:{letter})*"
    return (
        rf"(?!sub-)(?:{any_letters}{_SIZE}{any_letters}|{_TEMPLATE}{any_letters}"
        rf"|(?i:{starts}){any_letters}|(?i:{others})(?:_mask)?(?:[+.]{any_letters})?)"
    )


def _start(space: str) -> str:
    """Return a regular expression for how the names of a space begin, as they may be misspelt.

    MNI152NLin6Asym begins as MNI152 does; a name without a number, such as PNC, counts as a whole.
    """
    if family := re.match(r"[A-Za-z]+[0-9]+", space):
        return family[0]
    return re.escape(space.partition("_")[0]) + "(?![A-Za-z0-9])"
