# SPDX-License-Identifier: MIT
"""Bring one image onto a mask's grid."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError
from ..masks import generated_by
from ..nifti import as_nii_gz, at_least_half, count_outside, nearest, overlap
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from ..storage import publish, to_json
from .compare import LARGEST, compare_to_mask
from .grids import Grid
from .methods import (
    CROPPED,
    LOSSLESS,
    NEAREST,
    OVERLAP,
    REORDERED,
    RESAMPLABLE,
    RULES,
    UNCHANGED,
    method_for,
    remedy,
)
from .opening import UnreadableImage, open_image, require_whole, sha256_of, stored_type
from .slabs import slabs_of, whole_voxels
from .tally import Tally
from .values import is_above
from .verdicts import NOT_AN_IMAGE, judged_as

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

# Gain or loss of volume from which a user is warned.
NOTABLE = 0.1


def align(
    image_path: StrPath,
    mask: BrainMaskMetadata,
    registry: BrainMaskRegistry,
    resample: str | None,
    aligned_path: StrPath,
    sidecar_path: StrPath,
) -> None:
    """Write an image on a mask's grid: by reordering axes, or by resampling if that is asked for.

    Parameters
    ----------
    image_path
        The image.
    mask
        The mask whose grid it is.
    registry
        All registered masks, to name the grid that the image is on instead.
    resample
        ``"nearest"``, ``"overlap"`` (an image of one value beside 0), or None to do nothing that
        is not lossless.
    aligned_path, sidecar_path
        Where to write the image and the note of what was done.

    Raises
    ------
    InvalidMaskError
        If the image is damaged, cannot be brought there without a change of space or a guess, or
        if nothing of it would be left.
    """
    before = sha256_of(image_path)
    found = compare_to_mask(image_path, mask, registry=registry, voxels=False)
    method = method_for(found, resample)
    if method is None:
        raise InvalidMaskError(
            f"image {image_path} is not brought onto the grid of {mask.name}: "
            f"{found.verdict}: {found.detail}{remedy(found, resample)}"
        )
    try:
        image = open_image(image_path)
        _require_usable(image, image_path, mask)
        if method in (UNCHANGED, REORDERED):
            aligned = _reordered(image, mask)
        else:
            aligned = _resampled(image, image_path, mask, method)
            if method == CROPPED and aligned.lost and resample in RESAMPLABLE[found.verdict]:
                method = OVERLAP if resample == "overlap" else NEAREST
                aligned = _resampled(image, image_path, mask, method)
    except UnreadableImage as err:
        found = judged_as(NOT_AN_IMAGE, why=err)
        raise InvalidMaskError(f"image {image_path}: {found.verdict}: {found.detail}") from err
    _require_something_left(aligned, image_path, mask)
    if method == CROPPED and aligned.lost:
        raise InvalidMaskError(
            f"image {image_path} is not aligned: {aligned.lost} of its voxels that are not 0 lie "
            f"outside the grid of {mask.name}, and would be cut off; set `resample: nearest` in "
            "the configuration if they may be"
        )
    content = _encoded(aligned.voxels, mask)
    # What was compared, resampled and stated below must be one and the same file.
    if before is None or sha256_of(image_path) != before:
        raise InvalidMaskError(f"image {image_path} changed while it was read; run again")
    warnings = _warnings(aligned)
    for warning in warnings:
        log.warning("image %s on the grid of %s: %s", image_path, mask.name, warning)
    publish(content, aligned_path)
    note = {
        "Sources": [str(image_path)],
        "SourceSHA256": before,
        "SpatialReference": mask.space,
        "Resolution": mask.resolution_words,
        "Mask": mask.name,
        "Verdict": found.verdict,
        "DisplacementMM": found.displacement_mm,
        "Method": method,
        "Resampling": RULES[method],
        "Lossless": method in LOSSLESS,
        **aligned.as_note(),
        "Warnings": warnings,
        "GeneratedBy": generated_by(),
    }
    publish(to_json(note), sidecar_path)


@dataclass(frozen=True)
class _Aligned:
    """An image on the mask's grid, and what became of its voxels above 0.5.

    Attributes
    ----------
    voxels : array
        On the mask's grid.
    before, after : int
        How many are above 0.5 in the image, and on the mask's grid.
    ml_before, ml_after : float
        Their volume.
    cut_off : int
        How many of the image's have their centre outside the mask's grid.
    ml_cut_off : float
        Their volume.
    shift : array of shape (3,) or None
        From the centre of mass before to that after, in mm; None if there are none.
    lost : int
        How many of the image's voxels that are not 0 lie outside the mask's grid.
    """

    voxels: "NDArray[Any]"
    before: int
    after: int
    ml_before: float
    ml_after: float
    cut_off: int
    ml_cut_off: float
    shift: "NDArray[np.float64] | None"
    lost: int = 0

    def as_note(self) -> dict[str, Any]:
        """Return the numbers for the sidecar: ml to 1e-6, mm to 1e-4."""
        shift = self.shift
        return {
            "VoxelsBefore": self.before,
            "VoxelsAfter": self.after,
            "VolumeBeforeML": round(self.ml_before, 6),
            "VolumeAfterML": round(self.ml_after, 6),
            "CutOffVoxels": self.cut_off,
            "CutOffML": round(self.ml_cut_off, 6),
            # 0 for -0.
            "CentreOfMassShiftMM": (
                None if shift is None else [round(mm, 4) + 0.0 for mm in shift.tolist()]
            ),
        }


def _require_usable(image: "SpatialImage", path: StrPath, mask: BrainMaskMetadata) -> None:
    """Raise if the voxels of an image are no real numbers, or far too many."""
    dtype = stored_type(image)
    if dtype.kind not in "biuf":
        kind = f"fields ({', '.join(dtype.names)})" if dtype.names else f"type {dtype.name}"
        raise InvalidMaskError(
            f"image {path} is not aligned: its voxels are of {kind}, not real numbers; save "
            "the one part that is meant as an image of its own"
        )
    if (size := math.prod(image.shape)) > LARGEST * mask.size:
        require_whole(image)  # damage is the better reason
        raise InvalidMaskError(
            f"image {path} is not aligned: it has {size} voxels, more than {LARGEST} times those "
            f"of the grid of {mask.name}; resample it to larger voxels first"
        )


def _reordered(image: "SpatialImage", mask: BrainMaskMetadata) -> _Aligned:
    """Return an image that is on the mask's grid, but for the order of storage."""
    grid = Grid.of(image)
    stored = whole_voxels(image)
    voxels = grid.in_ras_order(stored)
    tally = Tally(voxels.shape)
    tally.add(is_above(voxels))
    shift = None
    if tally.voxels:
        shift = tally.centre_of_mass(mask.affine) - tally.centre_of_mass(grid.ras_affine)
    ml = tally.voxels * mask.voxel_ml
    return _Aligned(voxels, tally.voxels, tally.voxels, ml, ml, 0, 0.0, shift)


def _resampled(
    image: "SpatialImage", path: StrPath, mask: BrainMaskMetadata, method: str
) -> _Aligned:
    """Return an image, resampled to the mask's grid, or cropped and padded to it.

    Between two grids of one lattice, the nearest voxel is the voxel itself.
    """
    import numpy as np

    before, after = Tally(image.shape), Tally(mask.shape)
    cut_off = lost = 0

    def slabs() -> "Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]":
        """Yield each slab, with what of it is above 0.5, and count that."""
        nonlocal cut_off, lost
        for slab in slabs_of(image):
            above = is_above(slab)
            place = (before.start, image.affine, mask.shape, mask.affine)
            cut_off += count_outside(above, *place)
            lost += count_outside(slab != 0, *place)
            before.add(above)
            yield slab, above

    grids = (image.shape, image.affine, mask.shape, mask.affine)
    if method == OVERLAP:
        fraction = overlap(_of_one_value(slabs(), path), *grids)
        voxels = at_least_half(fraction).astype(np.uint8)
    else:
        voxels = nearest((slab for slab, _ in slabs()), *grids)
    after.add(is_above(voxels))
    shift = None
    if before.voxels and after.voxels:
        shift = after.centre_of_mass(mask.affine) - before.centre_of_mass(image.affine)
    ml = Grid.of(image).voxel_ml
    return _Aligned(
        voxels,
        before.voxels,
        after.voxels,
        before.voxels * ml,
        after.voxels * mask.voxel_ml,
        cut_off,
        cut_off * ml,
        shift,
        lost,
    )


def _of_one_value(
    slabs: "Iterator[tuple[NDArray[Any], NDArray[np.bool_]]]", path: StrPath
) -> "Iterator[NDArray[np.bool_]]":
    """Yield what is above 0.5 in each slab; raise if it has not one and the same value."""
    value = None
    for slab, above in slabs:
        values = slab[above]
        if value is None and values.size:
            value = values[0]
        if (others := values[values != value]).size:
            raise InvalidMaskError(
                f"image {path} is not aligned: overlap is for an image of 0 and one other value, "
                f"and this one has {value} and {others[0]}; set `resample: nearest` in the "
                "configuration, or make it binary"
            )
        yield above


def _require_something_left(aligned: _Aligned, path: StrPath, mask: BrainMaskMetadata) -> None:
    """Raise if there were voxels above 0.5, and there are none any more."""
    if aligned.after or not aligned.before:
        return
    why = (
        f"what is inside is too small for voxels of {mask.resolution_text} mm; use a mask of "
        "smaller voxels"
    )
    if aligned.cut_off == aligned.before:
        why = "all lie outside that grid; look whether it is the right mask, and the right header"
    raise InvalidMaskError(
        f"nothing of image {path} is left on the grid of {mask.name}: of its {aligned.before} "
        f"voxels above 0.5 ({aligned.ml_before:.6g} ml), {aligned.cut_off} lie outside; {why}"
    )


def _warnings(aligned: _Aligned) -> list[str]:
    """Return what a user must know of an image that is aligned."""
    if not aligned.before:
        return ["it has no voxel above 0.5"]
    parts = []
    gain = aligned.ml_after / aligned.ml_before - 1
    if abs(gain) > NOTABLE:
        parts.append(
            f"{abs(gain):.0%} of its volume {'gained' if gain > 0 else 'lost'}: "
            f"{aligned.ml_before:.6g} ml before, {aligned.ml_after:.6g} ml after"
        )
    if aligned.cut_off:
        parts.append(f"{aligned.ml_cut_off:.6g} ml of it lie outside the grid, and are cut off")
    return ["; ".join(parts)] if parts else []


def _encoded(voxels: "NDArray[Any]", mask: BrainMaskMetadata) -> bytes:
    """Return a .nii.gz of voxels on exactly the mask's grid."""
    import nibabel as nib

    aligned = nib.Nifti1Image(voxels, mask.affine, dtype=voxels.dtype)
    aligned.header.set_xyzt_units("mm")
    return as_nii_gz(aligned)
