# SPDX-License-Identifier: MIT
"""Images of one table with the same voxels, as they are or mirrored from left to right."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..nifti import TOLERANCE, listed
from .counted import Counted
from .findings import DUPLICATE, MIRROR_TWIN, Finding, found
from .grids import Grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What is nearer to each other, in mm, is at the same place.
NEAR = 0.01


@dataclass(frozen=True)
class Fingerprint:
    """Where an image's voxels lie, whatever the field of view and the storage order.

    Attributes
    ----------
    place : tuple of float
        Where the smallest box around the voxels begins along y and z, and the voxels' sizes, in mm.
    low, high : float
        Where the centres of the outermost voxels lie along x, in mm.
    shape, mirrored : str
        SHA-256 of the box, and of the box mirrored along x.
    """

    place: tuple[float, ...]
    low: float
    high: float
    shape: str
    mirrored: str


def fingerprint(counted: Counted, grid: Grid) -> Fingerprint | None:
    """Return the fingerprint of an image, None if no voxel counts.

    Parameters
    ----------
    counted
        The voxels of the image.
    grid
        The image's.
    """
    import numpy as np

    if not counted.voxels:
        return None
    inner = grid.in_ras_order(counted.inner)
    first = grid.affine[:3, :3] @ grid.lowest_corner(counted.box) + grid.affine[:3, 3]
    sizes = grid.ras_affine[:3, :3].ravel()
    x, *rest = np.array([*first, *sizes], dtype=float).tolist()
    last = x + grid.ras_affine[0, 0] * (inner.shape[0] - 1)
    # Where the axes are rotated, to mirror the indices mirrors nothing in the world.
    straight = np.count_nonzero(np.abs(sizes) > TOLERANCE) == 3
    return Fingerprint(
        tuple(rest),
        x,
        float(last),
        _digest(inner),
        _digest(inner[::-1]) if straight else "",
    )


def _digest(voxels: "NDArray[np.bool_]") -> str:
    import numpy as np

    shape = "x".join(map(str, voxels.shape)).encode()
    return hashlib.sha256(shape + np.packbits(voxels.T).tobytes()).hexdigest()


def twin_findings(prints: Mapping[str, Fingerprint | None]) -> dict[str, list[Finding]]:
    """Return which images have the voxels of others, by id.

    Parameters
    ----------
    prints
        The fingerprint of each image by id; None if it has none.
    """
    by_shape = defaultdict(list)
    for name, each in prints.items():
        if each is not None:
            by_shape[each.shape].append((name, each))
    findings: dict[str, list[Finding]] = {}
    for name, each in prints.items():
        if each is None:
            continue
        same = [
            other
            for other, twin in by_shape[each.shape]
            if other != name and _is_near(each, twin) and abs(twin.low - each.low) <= NEAR
        ]
        # To a voxel: a volume of an even number of voxels that is flipped lands beside it.
        width = abs(each.place[2]) + NEAR
        lies_across = each.shape == each.mirrored and abs(each.low + each.high) <= width
        mirrored = [
            other
            for other, twin in by_shape[each.mirrored]
            if other != name
            and other not in same
            # What is its own mirror image, across the midline, has moved and not been mirrored.
            and not lies_across
            and _is_near(each, twin)
            and abs(twin.low + each.high) <= width
        ]
        if same:
            findings.setdefault(name, []).append(found(DUPLICATE, others=listed(same)))
        if mirrored:
            findings.setdefault(name, []).append(found(MIRROR_TWIN, others=listed(mirrored)))
    return findings


def _is_near(one: Fingerprint, other: Fingerprint) -> bool:
    return all(abs(a - b) <= NEAR for a, b in zip(one.place, other.place, strict=True))
