# SPDX-License-Identifier: MIT
"""What the world calls a grid: who uses it, and which template spaces have it."""

from ..registry import BrainMaskMetadata, BrainMaskRegistry, KnownGrid, shipped_grids
from .grids import Grid


def known_grid(grid: Grid) -> KnownGrid | None:
    """Return the known grid that an image is on, in any storage order; None if there is none."""
    return next((known for known in shipped_grids().values() if grid.matches(known)), None)


def spaces_of_grid(grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> list[str]:
    """Return the template spaces, other than a mask's own, that have an image's very grid.

    Parameters
    ----------
    grid
        The grid of the image.
    mask
        The mask whose space is left out.
    registry
        The registered masks; their spaces count beside those of the known grids.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    masks = registry.complete()
    spaces = {each.space for each in masks if grid.matches(each)}
    if known := known_grid(grid):
        spaces.update(known.spaces)
    return sorted(spaces - {mask.space})
