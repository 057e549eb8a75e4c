# SPDX-License-Identifier: MIT
"""What helps with rejected images, said once for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .acceptance import Policy
from .methods import LOSSLESS, OVERLAP, method_for
from .verdicts import IDENTICAL, OBLIQUE, SHIFTED, UNKNOWN_GRID, Comparison

# Images that are named where many have the same remedy; the table has all of them.
NAMED = 5
# On these grids an image may be in another space than its mask.
_ELSEWHERE = (SHIFTED, OBLIQUE, UNKNOWN_GRID)


@dataclass(frozen=True)
class OntoGrid:
    """How images come onto the grids of their masks in a workflow.

    Attributes
    ----------
    aligned : str
        The path of such an image, with ``{id}`` in it.
    resample : str, optional
        The key of the configuration, as for `align`.
    """

    aligned: str
    resample: str | None


def remedies(rejected: Mapping[str, Comparison], policy: Policy, onto_grid: OntoGrid) -> list[str]:
    """Return what helps with rejected images in a workflow, a sentence each.

    Parameters
    ----------
    rejected
        What was found of each image that is rejected, by its id.
    policy
        By which it is.
    onto_grid
        The other way to have them accepted.

    Returns
    -------
    list
        Nothing that does not help; it may be empty.
    """
    ways: dict[str, list[str]] = {}
    for name, found in rejected.items():
        if way := _way(found, policy, onto_grid.resample):
            ways.setdefault(way, []).append(name)
    lines = [way.format(files=_files(onto_grid.aligned, names)) for way, names in ways.items()]
    return lines + wider(
        rejected,
        policy,
        accept=lambda verdicts: f"set `accept: [{', '.join(verdicts)}]` in the configuration",
        refuse=lambda codes: (
            f"take {', '.join(code for code in policy.refuse if code not in codes)} out of "
            "`refuse:` in the configuration"
        ),
    )


def wider(
    rejected: Mapping[str, Comparison],
    policy: Policy,
    accept: Callable[[Sequence[str]], str],
    refuse: Callable[[Sequence[str]], str],
) -> list[str]:
    """Return how a policy would accept what may be right, a sentence each.

    Parameters
    ----------
    rejected, policy
        As for `remedies`.
    accept, refuse
        Say how a user sets these verdicts and codes.
    """
    wide = policy.widened(rejected.values())
    lines = []
    if more := [verdict for verdict in wide.accept if verdict not in policy.accept]:
        space = "the images are in the spaces of their masks and "
        unsure = any(verdict in _ELSEWHERE for verdict in more)
        lines.append(
            f"if {space if unsure else ''}your analysis goes by the affines of the images, "
            f"{accept(wide.accept)}"
        )
    if len(wide.refuse) < len(policy.refuse):
        lines.append(f"if that is as it should be, {refuse(wide.refuse)}")
    return lines


def can_be_aligned(found: Comparison, policy: Policy) -> bool:
    """Return whether an image can be brought onto its mask's grid, to be accepted there.

    What is cut off there, or too small for its voxels, is only found by doing it.
    """
    return bool(_way(found, policy, resample=None))


def _way(found: Comparison, policy: Policy, resample: str | None) -> str:
    """Return how an image comes onto its mask's grid, with ``{files}`` in it; or nothing."""
    # Voxels that were not read, such as colours or far too many, are not aligned, either.
    if found.verdict == IDENTICAL or found.voxels is None or not policy.accepts_on_grid(found):
        return ""
    use = "use {files}: "
    if found.verdict in _ELSEWHERE:
        use = f"if in the space of the mask, {use}"
    method = method_for(found, resample)
    if method in LOSSLESS:
        kept = "on the grid of the mask, with every value kept"
        if max(found.lattice or (0,)) <= 0:
            return f"{use}{kept}"
        if resample is None:
            return f"{use}{kept}; an error if voxels that are not 0 would be cut off"
        return f"{use}on the grid of the mask, without what lies outside it"
    if method and (method != OVERLAP or found.binary):
        return f"{use}resampled to the grid of the mask"
    if not method_for(found, "nearest"):
        return ""
    binary = found.binary and resample is None and method_for(found, OVERLAP)
    keys = "`resample: nearest`" + (" or `resample: overlap`" if binary else "")
    return f"{use}resampled to the grid of the mask, after {keys} in the configuration"


def _files(aligned: str, names: Sequence[str]) -> str:
    """Return the path of the one aligned image, or what it is for several."""
    if len(names) == 1:
        return aligned.replace("{id}", names[0])
    return f"{aligned} (id: {named(names)})"


def named(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
