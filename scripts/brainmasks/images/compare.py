# SPDX-License-Identifier: MIT
"""Is an image on the grid of a registered mask, and not flipped?

The header is judged first, and needs no voxels; nothing is ever resampled.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry, shipped_registry
from .grid_verdict import judge
from .grids import Grid
from .opening import UnreadableImage, open_image, require_whole, stored_type, values_of
from .reference import find_mask, on_registered_grid, read_mask_voxels
from .statistics import is_above, statistics, world_statistics
from .verdicts import NOT_AN_IMAGE, SAME_GRID, Comparison, finding, with_note

if TYPE_CHECKING:
    import numpy as np
    from nibabel.filebasedimages import FileBasedImage
    from numpy.typing import ArrayLike, NDArray

# Voxels of an image with more than so many times the mask's are not read.
LARGEST = 64
# Overlap (Dice) from which an image is taken for a mask that was meant to be the same.
ALIKE = 0.8

_TOO_LARGE = (
    " Its voxels were not counted: {voxels}, more than {times} times those of the mask's grid."
)
_LOOKALIKE = (
    " It resembles {mask}, but is another mask: {outside} of its voxels lie outside, {missing} of "
    "the {all} are missing."
)
_NO_NUMBERS = " Its voxels were not counted: they are of type {dtype}, not numbers."


def compare_to_mask(
    image: "StrPath | FileBasedImage",
    mask: StrPath | BrainMaskMetadata,
    *,
    registry: BrainMaskRegistry | None = None,
    mask_voxels: "ArrayLike | None" = None,
    voxels: bool = True,
) -> Comparison:
    """Return whether an image is on a registered mask's grid, and not flipped.

    Parameters
    ----------
    image
        A path, or a nibabel image. A file that is missing or broken is a finding, no error.
    mask
        Name of a registered mask (aliases are served), its `BrainMaskMetadata`, or the path of
        a mask file, which is taken for the registered mask that has its SHA-256 or, failing
        that, its grid.
    registry
        The masks that there are; without it, the shipped ones.
    mask_voxels
        The mask on its registered grid in RAS order, an array of bool. Without it, the mask is
        read from the path that is given or, if it is a shipped one, fetched as `load_brain_mask`
        does.
    voxels
        Whether to read the voxels; otherwise the header alone is judged.

    Returns
    -------
    Comparison

    Raises
    ------
    UnknownMaskError
        (a KeyError) if no such mask is registered.
    FetchError
        (a FileNotFoundError) if the mask is not available from any source.
    InvalidMaskError
        (a ValueError) if the mask's file or array is not on a registered grid.
    """
    registry = shipped_registry() if registry is None else registry
    target, mask_file = find_mask(mask, registry)
    given = None if mask_voxels is None else on_registered_grid(mask_voxels, target)

    def read_mask() -> "NDArray[np.bool_]":
        return read_mask_voxels(target, mask_file) if given is None else given

    return examine(image, target, registry, read_mask, voxels=voxels).comparison


@dataclass(frozen=True)
class Examined:
    """What was found about an image, and the voxels that it was found of.

    Attributes
    ----------
    comparison : Comparison
    grid : Grid
        None if the header states no position in the world, or two.
    above : array of bool
        Where its value is finite and above 0.5; None if the voxels were not read.
    """

    comparison: Comparison
    grid: Grid | None = None
    above: "NDArray[np.bool_] | None" = None


def examine(
    image: "StrPath | FileBasedImage",
    mask: BrainMaskMetadata,
    registry: BrainMaskRegistry,
    read_mask: "Callable[[], NDArray[np.bool_]]",
    *,
    voxels: bool = True,
) -> Examined:
    """Return what `compare_to_mask` finds, with the voxels that it has read.

    Parameters
    ----------
    image, registry, voxels
        As for `compare_to_mask`.
    mask
        The mask.
    read_mask
        Returns the mask's voxels in RAS order, an array of bool; called if they are needed.
    """
    try:
        opened = open_image(image)
        judged, grid = judge(opened, mask, registry)
        if not voxels:
            return Examined(judged, grid)
        if (size := math.prod(opened.shape)) > LARGEST * mask.size:
            return Examined(with_note(judged, _TOO_LARGE, voxels=size, times=LARGEST), grid)
        require_whole(opened)
        if opened.ndim != 3:
            return Examined(judged)
        if (dtype := stored_type(opened)).kind not in "biuf":
            return Examined(with_note(judged, _NO_NUMBERS, dtype=dtype), grid)
        values = values_of(opened)
    except UnreadableImage as problem:
        return Examined(finding(NOT_AN_IMAGE, why=problem))
    judged = replace(judged, **statistics(opened, values))
    above = is_above(values)
    if grid is None:
        return Examined(judged, above=above)
    mask_voxels = read_mask()
    facts = world_statistics(above, grid, mask, mask_voxels)
    judged = replace(judged, **facts)
    if judged.verdict in SAME_GRID:
        judged = _compared_as_mask(
            judged,
            mask.name,
            int(mask_voxels.sum()),
            facts["voxels_inside"],
            facts["voxels_outside"],
        )
    return Examined(judged, grid, above)


def _compared_as_mask(
    judged: Comparison, name: str, size: int, inside: int, outside: int
) -> Comparison:
    """Return a finding that says whether an image on a mask's grid is that mask, or similar.

    Parameters
    ----------
    judged
        What was found so far.
    name, size
        Name of the mask, and its number of voxels.
    inside, outside
        How many voxels of the image lie inside the mask, and how many outside.
    """
    missing = size - inside
    judged = replace(judged, equals_mask=missing == outside == 0)
    if judged.equals_mask or 2 * inside < ALIKE * (inside + outside + size):
        return judged
    return with_note(judged, _LOOKALIKE, mask=name, outside=outside, missing=missing, all=size)
