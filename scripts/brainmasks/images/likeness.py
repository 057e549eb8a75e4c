# SPDX-License-Identifier: MIT
"""How an image's voxels lie to a brain: inside, over most of it, or as a brain mask."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..nifti import flipped_along, is_registered, lookalike_in_words
from ..registry import BrainMaskMetadata
from .counted import Counted
from .findings import (
    COVERS_BRAIN,
    IS_A_MASK,
    IS_FLIPPED_MASK,
    IS_OTHER_MASK,
    MOSTLY_OUTSIDE,
    PARTLY_OUTSIDE,
    Finding,
    found,
    percent,
)
from .grids import Grid, lattice_offset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Overlap (Dice) from which an image is taken for a mask that was meant to be the same.
ALIKE = 0.8
# Fraction of the brain from which an image is no lesion of it.
MOST = 0.8
# Fraction inside the brain from which nothing is said: of 131 real lesions 7 have less.
NEARLY_ALL = 0.9


def same_mask(counted: Counted, grid: Grid, masks: Iterable[BrainMaskMetadata]) -> Finding | None:
    """Return a finding on the registered mask that an image is, as it is or flipped, if any.

    Parameters
    ----------
    counted
        The voxels of the image.
    grid
        The image's.
    masks
        The masks that it may be.
    """
    for mask in masks:
        if counted.voxels == mask.voxels and (voxels := _on_grid(counted, grid, mask)) is not None:
            affine = _own_affine(grid) if grid.matches(mask) else None
            if is_registered(voxels, mask, affine):
                return found(IS_A_MASK, mask=mask.name)
            if axes := flipped_along(voxels, mask, affine):
                return found(IS_FLIPPED_MASK, mask=mask.name, axes=axes)
    return None


def _own_affine(grid: Grid) -> "NDArray[np.float64]":
    """Return what an image states, in RAS order: without arithmetic, if that is its own order."""
    return grid.affine if grid.axes == "RAS" else grid.ras_affine


def _on_grid(counted: Counted, grid: Grid, mask: BrainMaskMetadata) -> "NDArray[np.bool_] | None":
    """Return voxels on a mask's grid in RAS order, None if it is not theirs, cropped or padded."""
    import numpy as np

    start = lattice_offset(grid, mask)
    if start is None:
        return None
    whole = grid.in_ras_order(counted.above)
    voxels = np.zeros(mask.shape, bool)
    source, target = [], []
    for first, there, length in zip(start, whole.shape, mask.shape, strict=True):
        low, high = max(first, 0), min(first + length, there)
        source.append(slice(low, high))
        target.append(slice(low - first, high - first))
    voxels[tuple(target)] = whole[tuple(source)]
    return voxels


def place_findings(
    facts: dict[str, Any],
    counted: Counted,
    grid: Grid,
    mask: BrainMaskMetadata,
    size: int,
    min_inside: float,
) -> list[Finding]:
    """Return what is odd about where an image's voxels lie.

    Parameters
    ----------
    facts
        What `world_statistics` returned for them.
    counted
        The voxels.
    grid
        The image's.
    mask, size
        The mask, and how many of its voxels are 1.
    min_inside
        Fraction inside the mask below which most of it lies outside.
    """
    inside, outside = facts["voxels_inside"], facts["voxels_outside"]
    if not inside + outside:
        return []
    findings = []
    fraction = inside / (inside + outside)
    if fraction < min_inside:
        findings.append(found(MOSTLY_OUTSIDE, percent=percent(fraction), mask=mask.name))
    elif fraction < NEARLY_ALL:
        findings.append(
            found(
                PARTLY_OUTSIDE,
                percent=percent(fraction),
                outside=outside,
                all=inside + outside,
                mask=mask.name,
            )
        )
    # In voxels of the mask, whatever those of the image.
    unit = round(grid.voxel_ml / mask.voxel_ml, 9)
    covered = min(inside * unit / size, 1.0)
    if covered > MOST:
        findings.append(found(COVERS_BRAIN, percent=percent(covered), mask=mask.name))
    if 2 * inside * unit >= ALIKE * ((inside + outside) * unit + size):
        difference = f"{outside} of its {inside + outside} voxels lie outside, "
        if grid.matches(mask):
            difference += f"{size - inside} of the {size} of {mask.name} are missing"
        else:
            difference += f"and it covers {percent(covered)} % of {mask.name}"
        on_grid = _on_grid(counted, grid, mask) if mask.space else None
        known = None if on_grid is None else lookalike_in_words(on_grid, mask)
        findings.append(
            found(
                IS_OTHER_MASK,
                mask=mask.name,
                difference=difference,
                known=f"; {known}" if known else "",
            )
        )
    return findings
