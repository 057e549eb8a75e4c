# SPDX-License-Identifier: MIT
"""Keys that are nearly those of the configuration: misspelt ones, or a host workflow's own?"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from .mask_names import closest

# Where nothing else is in a configuration, a key as like one of ours as this is meant to be ours.
MISSPELT = 0.82
# Of so many letters of a key one may be wrong.
LETTERS = 5
# What other workflows call things of their own, and is like a key of ours by chance.
OTHERS = frozenset({"atlases", "reuse", "sample", "tasks"})
# A promise, which must not fail silently: `offline_mode` and `is_offline` mean it, too.
PROMISE = "offline"


def misspelt_keys(
    config: Mapping[Any, Any],
    known: Collection[str],
    host_keys: Collection[str],
    fits: Callable[[str, Any], bool],
) -> dict[str, str]:
    """Return the keys that are probably misspelt, and which of ours each was meant to be.

    The configuration may be the whole one of a host workflow. Beside keys of another kind, one is
    taken for misspelt if it is one of ours but for capitals, `-` and `_`, and one letter (of a long
    key, two or three). One word that only lacks the `s` of ours, or has one more, such as `mask`,
    may mean something else: then it is misspelt only if its value could be that of ours. One in
    which all of `offline` stands is always taken for it.

    Parameters
    ----------
    config
        The configuration.
    known
        The keys that are ours.
    host_keys
        Keys that the host workflow declares to be its own.
    fits
        Whether one of our keys could have a value.
    """
    foreign = [key for key in config if key not in known]
    own = OTHERS.union(host_keys)
    doubtful = [key for key in foreign if isinstance(key, str) and key not in own]
    likely = {key: closest(key, list(known), MISSPELT) for key in doubtful}
    if len(likely) == len(foreign) and all(likely.values()):
        # No key of another kind: it is a configuration of ours alone.
        return {key: near[0] for key, near in likely.items()}
    nearest = {key: min(known, key=partial(_edits, key)) for key in doubtful}
    misspelt = {
        key: near
        for key, near in nearest.items()
        if _edits(key, near) <= max(1, len(near) // LETTERS)
        and ("_" in near or not _is_plural(key, near) or fits(near, config[key]))
    }
    return misspelt | {key: PROMISE for key in doubtful if PROMISE in _letters(key)}


def _is_plural(key: str, other: str) -> bool:
    """Return whether two keys differ by an `s` at the end alone."""
    return _letters(key) != _letters(other) and (
        _letters(key).removesuffix("s") == _letters(other).removesuffix("s")
    )


def _letters(key: str) -> str:
    """Return a key as it is compared: capitals and what separates words count for nothing."""
    return re.sub(r"[\W_]", "", key.lower())


def _edits(key: str, other: str) -> int:
    """Return how many letters are too many, too few, wrong, or swapped with the next one.

    The Damerau-Levenshtein distance of neighbours, row by row. A library of it would be one more
    that each host workflow has to install.
    """
    one, two = _letters(key), _letters(other)
    before: list[int] = []
    above: list[int] = []
    row = list(range(len(two) + 1))
    for n, letter in enumerate(one, start=1):
        before, above, row = above, row, [n]
        for m, other_letter in enumerate(two, start=1):
            changed = above[m - 1] + (letter != other_letter)
            row.append(min(above[m] + 1, row[m - 1] + 1, changed))
            if n > 1 and m > 1 and (letter, one[n - 2]) == (two[m - 2], other_letter):
                row[m] = min(row[m], before[m - 2] + 1)
    return row[-1]
