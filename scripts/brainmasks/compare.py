"""Is an image on the grid of a registered mask, and the right way round?

The header is judged first, and needs no voxels; nothing is ever resampled.
"""

import math
from dataclasses import replace

from .grids import judge
from .load import shipped_registry
from .opened import Unreadable, open_image, require_whole, stored_type, values_of
from .registry import BrainMaskRegistry
from .target import find_mask, on_registered_grid, read_mask_voxels
from .verdicts import NOT_AN_IMAGE, Comparison, found_to_be, noted
from .voxels import is_above, statistics, world_statistics

# Voxels of an image with more than so many times the mask's are not read.
LARGEST = 64

_TOO_LARGE = (
    " Its voxels were not counted: {voxels}, more than {times} times those of the mask's grid."
)
_NO_NUMBERS = " Its voxels were not counted: they are of type {dtype}, not numbers."


def compare_to_mask(
    image,
    mask,
    *,
    registry: BrainMaskRegistry | None = None,
    mask_voxels=None,
    voxels: bool = True,
) -> Comparison:
    """Return whether an image is on a registered mask's grid, the right way round.

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
        (a FileNotFoundError) if the mask can be had from none of its places.
    InvalidMaskError
        (a ValueError) if the mask's file or array is not on a registered grid.
    """
    registry = shipped_registry() if registry is None else registry
    target, mask_file = find_mask(mask, registry)
    if mask_voxels is not None:
        mask_voxels = on_registered_grid(mask_voxels, target)
    try:
        opened = open_image(image)
        judged, grid = judge(opened, target, registry)
        if not voxels:
            return judged
        if (size := math.prod(opened.shape)) > LARGEST * target.size:
            return noted(judged, _TOO_LARGE, voxels=size, times=LARGEST)
        require_whole(opened)
        if opened.ndim != 3:
            return judged
        if (dtype := stored_type(opened)).kind not in "biuf":
            return noted(judged, _NO_NUMBERS, dtype=dtype)
        values = values_of(opened)
    except Unreadable as problem:
        return found_to_be(NOT_AN_IMAGE, why=problem)
    judged = replace(judged, **statistics(opened, values))
    if grid is None:
        return judged
    if mask_voxels is None:
        mask_voxels = read_mask_voxels(target, mask_file)
    return replace(judged, **world_statistics(is_above(values), grid, target, mask_voxels))
