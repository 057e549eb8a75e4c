# SPDX-License-Identifier: MIT
"""The grid that an image's header states, judged against those of registered masks.

It needs no voxels.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..nifti import TOLERANCE, contradiction, displacement, listed, times
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from .grid_names import known_grid
from .grids import Grid, lattice_offset
from .orientation import missing_orientation
from .verdicts import (
    IDENTICAL,
    NO_ORIENTATION,
    NOT_3D,
    OBLIQUE,
    OTHER_RESOLUTION,
    OTHER_SPACE,
    QFORM_SFORM_MISMATCH,
    REORIENTED,
    SHIFTED,
    UNKNOWN_GRID,
    WITHIN_TOLERANCE,
    Comparison,
    judged_as,
)

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

# Displacement in mm up to which two grids are one and the same: rounding.
EXACT = 1e-6

_DIRECTIONS = {
    "R": "right",
    "L": "left",
    "A": "front",
    "P": "back",
    "S": "top",
    "I": "bottom",
}
# The sides of a volume, in the order of `Comparison.lattice`.
_SIDES = ("left", "right", "back", "front", "bottom", "top")
_TAKE_THE_ONE = "take the one volume out, for example with nibabel: image.slicer[..., 0]"
_TAKE_ONE = "take out the volume that is meant, for example with nibabel: image.slicer[..., 0]"
_REGISTER = (
    "use {other} for it, or transform it to {space} by a registration: resampling alone does not"
)
_USE_OTHER = (
    "{space} has this very grid, too: if the image is in {space}, resample it to the grid of "
    "{mask}, otherwise use {other} for it"
)
_ALIGN = "align it to {mask}, which only crops and pads it and changes no value"
_RESAMPLE = "resample it to the grid of {mask} (config key `resample`)"
_NEED_VOLUME = "pass the volume that it was cut from"


def judge(
    image: "SpatialImage", mask: BrainMaskMetadata, registry: BrainMaskRegistry
) -> tuple[Comparison, Grid | None]:
    """Return what the header says, and the image's grid if it has exactly one.

    Parameters
    ----------
    image
        A nibabel image; its voxels are not read.
    mask
        The mask whose grid it should be on.
    registry
        The masks on whose grid it may be instead.
    """
    if image.ndim != 3:
        return _not_3d(image.shape), None
    if why := missing_orientation(image):
        return judged_as(NO_ORIENTATION, why=why), None
    grid = Grid.of(image)
    if why := contradiction(image):
        return replace(judged_as(QFORM_SFORM_MISMATCH, why=why), axes=grid.axes), None
    judged = (
        _same_grid(grid, mask)
        or _other_grid(grid, mask, registry)
        or _oblique(grid, mask)
        or _shifted(grid, mask, registry)
        or _unknown(grid, mask, registry)
    )
    mm = grid.displacement(mask)
    displacement_mm = None if mm is None else round(mm, 6)
    return replace(judged, axes=grid.axes, displacement_mm=displacement_mm), grid


def _not_3d(shape: tuple[int, ...]) -> Comparison:
    remedy = _TAKE_ONE
    if len(shape) < 3:
        remedy = _NEED_VOLUME
    elif math.prod(shape[3:]) == 1:
        remedy = _TAKE_THE_ONE
    return judged_as(NOT_3D, ndim=len(shape), shape=times(shape), remedy=remedy)


def _same_grid(grid: Grid, mask: BrainMaskMetadata) -> Comparison | None:
    if not grid.matches(mask):
        return None
    if grid.axes != "RAS":
        order, harm = _order(grid.axes), _harm(grid.axes)
        return judged_as(REORIENTED, mask=mask.name, axes=grid.axes, order=order, harm=harm)
    verdict = IDENTICAL if _is_exact(grid, mask) else WITHIN_TOLERANCE
    return judged_as(verdict, mask=mask.name, mm=grid.displacement(mask))


def _is_exact(grid: Grid, mask: BrainMaskMetadata) -> bool:
    """Return whether the affine is the mask's, or the mask's as a NIfTI header holds it."""
    import numpy as np

    rounded = mask.affine.astype(np.float32)
    return any(
        displacement(grid.affine, affine, mask.shape) <= EXACT for affine in (mask.affine, rounded)
    )


def _other_grid(
    grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry
) -> Comparison | None:
    # Those of the same space first, and of these the same kind: spaces and kinds may share a grid.
    others = sorted(
        _others(mask, registry),
        key=lambda other: (other.space != mask.space, other.desc != mask.desc),
    )
    for other in others:
        if grid.matches(other):
            remedy = _USE_OTHER if _may_be_in(mask.space, grid) else _REGISTER
            found = judged_as(
                OTHER_RESOLUTION if other.space == mask.space else OTHER_SPACE,
                mask=mask.name,
                other=other.name,
                resolution=other.resolution_text,
                stored=grid.stored,
                remedy=remedy.format(other=other.name, mask=mask.name, space=mask.space),
            )
            return replace(found, other=other.name)
    return None


def _may_be_in(space: str, grid: Grid) -> bool:
    """Return whether a space is known to have this grid."""
    known = known_grid(grid)
    return known is not None and space in known.spaces


def _oblique(grid: Grid, mask: BrainMaskMetadata) -> Comparison | None:
    import numpy as np

    straight = grid.ras_affine.copy()
    straight[:3, :3] = np.diag(np.diag(straight)[:3])
    mm = displacement(grid.ras_affine, straight, grid.ras_shape)
    if mm <= TOLERANCE:
        return None
    return judged_as(OBLIQUE, mask=mask.name, space=_space(mask), mm=mm)


def _shifted(grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> Comparison | None:
    if grid.ras_shape != mask.shape:
        return None
    moved = grid.ras_affine.copy()
    moved[:3, 3] = mask.affine[:3, 3]
    if displacement(moved, mask.affine, mask.shape) > TOLERANCE:
        return None
    # Rounded to 1e-6 mm, and 0 for -0.
    x, y, z = (
        round(float(at - origin), 6) + 0.0
        for at, origin in zip(grid.ras_affine[:3, 3], mask.affine[:3, 3], strict=True)
    )
    margins = _margins(grid, mask)
    found = judged_as(
        SHIFTED,
        mask=mask.name,
        x=x,
        y=y,
        z=z,
        origin=_whose_origin(grid, mask, registry),
        margins=f", that is {_in_words(margins)}" if margins else "",
        stored=grid.stored,
        remedy=_onto_grid(margins, mask),
        known=_known(grid) if mask.space else "",
    )
    return replace(found, shift_mm=(x, y, z), lattice=margins)


def _whose_origin(grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> str:
    """Return a clause on the mask of the same space that has this origin, if there is one."""
    import numpy as np

    for other in _others(mask, registry):
        same_space = other.space == mask.space
        if same_space and np.abs((grid.ras_affine - other.affine)[:3, 3]).max() <= TOLERANCE:
            return f" (its origin is that of {other.name})"
    return ""


def _unknown(grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> Comparison:
    import nibabel as nib

    margins = _margins(grid, mask)
    found = judged_as(
        UNKNOWN_GRID,
        space=_space(mask),
        # Beside a mask of its own nothing is said of registered ones.
        whose="that of no registered mask" if mask.space else f"not that of {mask.name}",
        shape=times(grid.ras_shape),
        zooms=times(nib.affines.voxel_sizes(grid.ras_affine)),
        axes=grid.axes,
        corner=",".join(f"{mm:.6g}" for mm in grid.ras_affine[:3, 3]),
        known=_known(grid) if mask.space else "",
        margins=_cropped_or_padded(grid, mask, registry),
        remedy=_onto_grid(margins, mask),
    )
    return replace(found, lattice=margins)


def _space(mask: BrainMaskMetadata) -> str:
    """Return the name of a mask's space, or in words what it is if nobody stated it."""
    return mask.space or f"the space of {mask.name}"


def _known(grid: Grid) -> str:
    """Return a sentence on who uses this grid, if that is known."""
    known = known_grid(grid)
    return "" if known is None else f" It is the grid {known.name}, used by {known.used_by}."


def _cropped_or_padded(grid: Grid, mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> str:
    """Return a sentence on the mask of this space whose grid it is, cropped or padded, if any."""
    same_space = (other for other in _others(mask, registry) if other.space == mask.space)
    for each in (mask, *same_space):
        if margins := _margins(grid, each):
            return f" It is that of {each.name} with {_in_words(margins)}."
    return ""


def _margins(grid: Grid, mask: BrainMaskMetadata) -> tuple[int, ...] | None:
    """Return how many voxels an image has more than a mask's grid at each of `_SIDES`."""
    offset = lattice_offset(grid, mask)
    if offset is None:
        return None
    sizes = zip(offset, grid.ras_shape, mask.shape, strict=True)
    return tuple(n for at, image, size in sizes for n in (at, image - at - size))


def _in_words(margins: tuple[int, ...]) -> str:
    """Return margins as in ``1 voxel less at the left and back, 2 more at the top``."""
    sides: dict[int, list[str]] = {}
    for number, side in zip(margins, _SIDES, strict=True):
        if number:
            sides.setdefault(number, []).append(side)
    parts: list[str] = []
    for number, names in sides.items():
        unit = "" if parts else " voxel" if abs(number) == 1 else " voxels"
        more = "more" if number > 0 else "less"
        where = f"at the {listed(names)}" if len(names) < len(_SIDES) else "on each side"
        parts.append(f"{abs(number)}{unit} {more} {where}")
    return ", ".join(parts)


def _onto_grid(margins: tuple[int, ...] | None, mask: BrainMaskMetadata) -> str:
    """Return how an image of the mask's space comes onto its grid."""
    return (_ALIGN if margins else _RESAMPLE).format(mask=mask.name)


def _others(mask: BrainMaskMetadata, registry: BrainMaskRegistry) -> Iterator[BrainMaskMetadata]:
    return (other for other in registry.complete() if other.name != mask.name)


def _order(axes: str) -> str:
    """Return in words how stored axes differ from RAS."""
    flipped = [name for name, code in zip("xyz", "LPI", strict=True) if code in axes]
    parts = []
    if flipped:
        parts.append(f"flipped along {' and '.join(flipped)}")
    if any(code not in pair for code, pair in zip(axes, ("RL", "AP", "SI"), strict=True)):
        leads = ", ".join(_DIRECTIONS[code] for code in axes)
        parts.append(f"the axes are permuted: they lead to the {leads}")
    return ", ".join(parts)


def _harm(axes: str) -> str:
    """Return what goes wrong if the storage order is ignored."""
    if "L" in axes:
        return "its hemispheres are swapped"
    return "its voxels are at other positions"
