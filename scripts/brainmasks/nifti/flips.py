# SPDX-License-Identifier: MIT
"""Are these the voxels of the registered mask, as they are or mirrored?

Proved by the registered content: encoded, the voxels have its SHA-256. So the registered file must
have the canonical encoding, as all shipped masks have.
"""

import hashlib
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata
from .canonical import canonical_image
from .words import listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def is_registered(
    voxels: "NDArray[Any]", mask: BrainMaskMetadata, affine: "NDArray[np.float64] | None" = None
) -> bool:
    """Return whether voxels are the mask.

    Parameters
    ----------
    voxels
        Which voxels are 1: bool, or uint8 of 0 and 1, in RAS order.
    mask
        What is registered.
    affine
        That of the file that has the voxels, in RAS order, if it is on the mask's grid: some masks
        were registered with what their file states, which differs by a rounding error.
    """
    return _may_be(voxels, mask) and _has_content(voxels, mask, affine)


def flipped_along(
    voxels: "NDArray[Any]", mask: BrainMaskMetadata, affine: "NDArray[np.float64] | None" = None
) -> str | None:
    """Return the axes along which voxels are the mask flipped, None if they are not.

    Parameters
    ----------
    voxels, mask, affine
        As for `is_registered`.

    Returns
    -------
    str or None
        For example ``"x"``, ``"y and z"`` or ``"x, y and z"``. As few axes as possible: a mask
        may be its own mirror image along some.
    """
    import numpy as np

    if not _may_be(voxels, mask):
        return None
    for number in (1, 2, 3):
        for axes in combinations(range(3), number):
            if _has_content(np.flip(voxels, axes), mask, affine):
                return listed(["xyz"[axis] for axis in axes])
    return None


def _may_be(voxels: "NDArray[Any]", mask: BrainMaskMetadata) -> bool:
    import numpy as np

    # The number of voxels is the same in every mirror image, and takes far less time than a hash.
    return bool(voxels.shape == mask.shape and np.count_nonzero(voxels) == mask.voxels)


def _has_content(
    voxels: "NDArray[Any]", mask: BrainMaskMetadata, affine: "NDArray[np.float64] | None"
) -> bool:
    affines = [mask.affine]
    if affine is not None and affine.tobytes() != mask.affine.tobytes():
        affines.append(affine)
    return any(
        hashlib.sha256(canonical_image(voxels, each).to_bytes()).hexdigest() == mask.content_sha256
        for each in affines
    )
