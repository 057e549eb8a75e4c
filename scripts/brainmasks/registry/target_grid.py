# SPDX-License-Identifier: MIT
"""A mask on another grid: the name that is asked for, and the grid that is meant."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from ..errors import UnknownMaskError
from .grid_table import KnownGrid
from .mask_names import closest
from .mask_table import BrainMaskRegistry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Between the name of a mask and that of a grid. No name of a mask or of a space has it.
GRID_MARK = "_grid-"
# Voxels of the largest grid that a mask is put on: 1 GB in memory, 0.2 mm around a head.
LARGEST_GRID = 10**9


class GriddedName(NamedTuple):
    """The two names in that of a mask on another grid, as they are written."""

    mask: str
    grid: str


@dataclass(frozen=True)
class TargetGrid:
    """A grid that a mask is put on: a known one, or that of an image.

    Attributes
    ----------
    name : str
        Of the known grid, or the id of the image.
    shape : tuple of int
        Voxels along the axes, as stored.
    matrix : tuple of tuples of float
        Voxel indices to mm (RAS+), as stored: 4 x 4. Its axes lie along the world's, in any order
        and direction.
    spaces : tuple of str
        Template spaces that are known to have this very grid; none of an image's.
    image : str
        Path of the image; empty for a known grid.
    """

    name: str
    shape: tuple[int, int, int]
    matrix: tuple[tuple[float, ...], ...]
    spaces: tuple[str, ...] = ()
    image: str = ""

    @classmethod
    def of_known(cls, known: KnownGrid) -> "TargetGrid":
        """Return a known grid: its axes are in RAS order, as those of all masks."""
        matrix = tuple(map(tuple, known.affine.tolist()))
        return cls(known.name, known.shape, matrix, known.spaces)

    @property
    def affine(self) -> "NDArray[np.float64]":
        """Voxel indices to mm, RAS+: an array of shape (4, 4)."""
        import numpy as np

        return np.array(self.matrix)

    @property
    def size(self) -> int:
        """Number of voxels."""
        return prod(self.shape)


def split_gridded(name: str) -> GriddedName | None:
    """Return the mask and the grid in a name such as ``MNI152NLin6Asym_2mm_grid-FSL-3mm``.

    None if it is not the name of a mask on another grid. The first mark counts: the id of an image
    may have it, too.
    """
    mask, mark, grid = name.partition(GRID_MARK)
    return GriddedName(mask, grid) if mark and mask and grid else None


def without_cohort(space: str) -> str:
    """Return a space without its cohort: the grids of its cohorts are the same."""
    return space.partition("_cohort-")[0]


def grid_for(
    asked: GriddedName,
    registry: BrainMaskRegistry,
    grids: Mapping[str, KnownGrid],
    images: Mapping[str, Mapping[str, str]],
) -> KnownGrid | None:
    """Return the known grid that a mask is to be put on, None if it is that of an image.

    Parameters
    ----------
    asked
        The names of the mask and of the grid.
    registry
        The registered masks, with their aliases.
    grids
        The known grids by name.
    images
        The images of the configuration by id, each with the ``mask`` that it is listed with.

    Raises
    ------
    UnknownMaskError
        (a KeyError) if no such mask is registered, if there is no such grid, or if it is known to
        lie in another space; says what is known.
    """
    mask = registry.serve(asked.mask)
    if asked.grid in grids and asked.grid in images:
        raise UnknownMaskError(
            f"'{asked.grid}' is the name of a grid, and the id of an image; give the image another "
            "`id`"
        )
    if asked.grid in images:
        _require_space_of_image(asked, mask.space, registry, images[asked.grid]["mask"])
        return None
    if asked.grid not in grids:
        raise UnknownMaskError(_unknown(asked, [*grids, *images]))
    grid = grids[asked.grid]
    served = {registry.aliases.get(space, space) for space in grid.spaces}
    if served and without_cohort(mask.space) not in served:
        known = ", ".join(_with_alias(space, registry) for space in grid.spaces)
        raise UnknownMaskError(
            f"mask {asked.mask} is not put on the grid {grid.name}: its space is {mask.space}, and "
            f"that grid is known to be one of {known}. Where two spaces have the same coordinates "
            "they have different parts of the brain. Use a mask of that space, or another grid"
        )
    if (size := prod(grid.shape)) > LARGEST_GRID:
        raise UnknownMaskError(
            f"mask {asked.mask} is not put on the grid {grid.name}: that has {size} voxels, more "
            f"than {LARGEST_GRID}; use one of larger voxels"
        )
    return grid


def _require_space_of_image(
    asked: GriddedName, space: str, registry: BrainMaskRegistry, listed: str
) -> None:
    """Raise if an image is listed with a mask of another space."""
    other = registry.serve(listed).space
    if other != space:
        raise UnknownMaskError(
            f"mask {asked.mask} is not put on the grid of image {asked.grid}: its space is "
            f"{space}, and config key 'images' lists that image with the mask {listed}, of the "
            f"space {other}. Use a mask of that space, or correct the `mask` of the image"
        )


def _with_alias(space: str, registry: BrainMaskRegistry) -> str:
    served = registry.aliases.get(space)
    return f"{space} (served as {served})" if served else space


def _unknown(asked: GriddedName, names: list[str]) -> str:
    near = closest(asked.grid, names)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    return (
        f"mask {asked.mask} is not put on a grid '{asked.grid}': there is none of that name{hint} "
        "Grids are those of workflow/tables/grids.tsv and of config key 'extra_grids', and those "
        "of the images of config key 'images', by their ids"
    )
