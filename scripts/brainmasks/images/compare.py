# SPDX-License-Identifier: MIT
"""Is an image on the grid of a mask, not flipped, and what are its voxels?

The header is judged first, and needs no voxels; nothing is ever resampled.
"""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..nifti import listed
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry, shipped_registry
from .claims import SIDES, Claims, bare_name, claim_findings
from .counted import Counted
from .findings import IS_A_MASK, NOT_NUMERIC, SHARED_GRID, Finding, found, in_order
from .grid_names import spaces_of_grid
from .grid_verdict import judge
from .grids import Grid
from .likeness import place_findings, same_mask
from .opening import (
    UnreadableImage,
    open_image,
    require_whole,
    sha256_of,
    stored_type,
)
from .reference import find_mask, on_registered_grid, read_mask_voxels
from .slabs import AT_ONCE, slabs_of, whole_voxels
from .statistics import statistics, world_statistics
from .values import findings_beyond, type_in_words, value_findings
from .verdicts import NOT_AN_IMAGE, SAME_GRID, Comparison, judged_as, with_note

if TYPE_CHECKING:
    import numpy as np
    from nibabel.filebasedimages import FileBasedImage
    from numpy.typing import ArrayLike, NDArray

NO_CLAIMS = Claims()
# Voxels of an image with more than so many times the mask's are not read.
LARGEST = 64
# Fraction of an image inside the mask below which most of it lies outside.
MIN_INSIDE = 0.5

_NOT_LOOKED_AT = " Its voxels were not looked at."
_NO_PLACE = " Where its voxels lie was not looked at."
_CHANGED = "it changed while it was read"
_TOO_LARGE = (
    " Its voxels were not counted: {voxels}, more than {times} times those of the mask's grid."
)


def compare_to_mask(
    image: "StrPath | FileBasedImage",
    mask: StrPath | BrainMaskMetadata,
    *,
    registry: BrainMaskRegistry | None = None,
    mask_voxels: "ArrayLike | None" = None,
    voxels: bool = True,
    side: str | None = None,
    min_inside: float = MIN_INSIDE,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> Comparison:
    """Return whether an image is on a mask's grid, not flipped, and what its voxels are.

    Parameters
    ----------
    image
        A path, or a nibabel image. A file that is missing or broken is a finding, no error.
    mask
        Name of a registered mask (aliases are served), its `BrainMaskMetadata`, or the path of
        a mask file. That is the registered mask which has its SHA-256 or, recoded, the SHA-256
        of its content; otherwise a mask of its own, called by its path.
    registry
        The masks that there are; without it, the shipped ones.
    mask_voxels
        The mask on its registered grid in RAS order, an array of bool. Without it, the mask is
        read from the path that is given or, if it is a shipped one, fetched as `load_brain_mask`
        does.
    voxels
        Whether to read the voxels; otherwise header and name alone are judged.
    side
        Where the voxels should be: ``"left"``, ``"right"`` or ``"both"``.
    min_inside
        Fraction of the image inside the mask below which it is ``mostly_outside``.
    cache_dir, offline
        As for `load_brain_mask`.

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
        (a ValueError) if the mask's file is no mask, or the array is not on the mask's grid.
    ValueError
        If `side` or `min_inside` has no such value.
    """
    if side not in (None, *SIDES):
        raise ValueError(f"side is {side!r}; expected one of {', '.join(SIDES)}, or None")
    if not 0 <= min_inside <= 1:
        raise ValueError(f"min_inside is {min_inside!r}; expected a number from 0 to 1")
    registry = shipped_registry() if registry is None else registry
    target, mask_file, known = find_mask(mask, registry, cache_dir=cache_dir, offline=offline)
    given = None if mask_voxels is None else on_registered_grid(mask_voxels, target)

    def read_mask() -> "NDArray[np.bool_]":
        if given is not None:
            return given
        return read_mask_voxels(target, mask_file, cache_dir=cache_dir, offline=offline)

    names = (bare_name(image),) if isinstance(image, str | os.PathLike) else ()
    claims = Claims(names, side)
    return examine(image, target, known, read_mask, claims, min_inside, voxels=voxels).comparison


@dataclass(frozen=True)
class Examined:
    """What was found about an image, and the voxels that it was found of.

    Attributes
    ----------
    comparison : Comparison
    grid : Grid
        None if the header states no position in the world, or two.
    counted : Counted
        Those whose value is finite and above 0.5; None if the voxels were not read.
    """

    comparison: Comparison
    grid: Grid | None = None
    counted: Counted | None = None


def examine(
    image: "StrPath | FileBasedImage",
    mask: BrainMaskMetadata,
    registry: BrainMaskRegistry,
    read_mask: "Callable[[], NDArray[np.bool_]]",
    claims: Claims = NO_CLAIMS,
    min_inside: float = MIN_INSIDE,
    *,
    voxels: bool = True,
) -> Examined:
    """Return what `compare_to_mask` finds, with the voxels that it has read.

    Parameters
    ----------
    image, registry, min_inside, voxels
        As for `compare_to_mask`.
    mask
        The mask.
    read_mask
        Returns the mask's voxels in RAS order, an array of bool; called if they are needed.
    claims
        What the image is said to be.
    """
    path = image if isinstance(image, str | os.PathLike) else None
    before = None if path is None else sha256_of(path)
    examined, findings = _look(image, mask, registry, read_mask, min_inside, voxels)
    # Its header and its voxels are read one after the other: they must be those of one file.
    if path is not None and sha256_of(path) != before:
        examined, findings = Examined(judged_as(NOT_AN_IMAGE, why=_CHANGED)), []
    facts = vars(examined.comparison)
    findings += claim_findings(claims, mask, registry.space_names, facts)
    return replace(examined, comparison=replace(examined.comparison, findings=in_order(findings)))


def _look(
    image: "StrPath | FileBasedImage",
    mask: BrainMaskMetadata,
    registry: BrainMaskRegistry,
    read_mask: "Callable[[], NDArray[np.bool_]]",
    min_inside: float,
    voxels: bool,
) -> tuple[Examined, list[Finding]]:
    """Return what header and voxels say."""
    import numpy as np

    try:
        opened = open_image(image)
        judged, grid = judge(opened, mask, registry)
        if not voxels:
            return Examined(judged, grid), []
        if (size := math.prod(opened.shape)) > LARGEST * mask.size:
            return Examined(with_note(judged, _TOO_LARGE, voxels=size, times=LARGEST), grid), []
        if (dtype := stored_type(opened)).kind not in "biuf":
            require_whole(opened)
            return Examined(judged, grid), [found(NOT_NUMERIC, dtype=type_in_words(dtype))]
        if opened.ndim != 3:
            require_whole(opened)
            return Examined(with_note(judged, _NOT_LOOKED_AT)), []
        counted, facts = statistics(opened, slabs_of(opened, AT_ONCE))
        findings = value_findings(facts, size)
        if not facts["binary"]:
            findings += findings_beyond(whole_voxels(opened))
    except UnreadableImage as problem:
        return Examined(judged_as(NOT_AN_IMAGE, why=problem)), []
    judged = replace(judged, **facts)
    if grid is None:
        return Examined(with_note(judged, _NO_PLACE), counted=counted), findings
    mask_voxels = read_mask()
    facts |= world_statistics(counted, grid, mask, mask_voxels)
    judged = replace(judged, **facts)
    brain = int(np.count_nonzero(mask_voxels))
    same = None
    if on_grid := judged.verdict in SAME_GRID:
        equal = facts["voxels_inside"] == brain and not facts["voxels_outside"]
        judged = replace(judged, equals_mask=equal)
        same = found(IS_A_MASK, mask=mask.name) if equal else None
    other = None if same else same_mask(counted, grid, registry.complete())
    findings += filter(None, (same, other))
    # Another mask of the very grid is one that was mixed up: then it counts how they differ.
    mixed_up = on_grid and other and other.code == IS_A_MASK
    if mixed_up or not (same or other):
        findings += place_findings(facts, counted, grid, mask, brain, min_inside)
    same = same or other
    if on_grid and not same and (spaces := spaces_of_grid(grid, mask, registry)):
        findings.append(found(SHARED_GRID, spaces=listed(spaces), mask=mask.name))
    return Examined(judged, grid, counted), findings
