# SPDX-License-Identifier: MIT
"""Is an array the registered mask, as it is or flipped? Its hash is the proof."""

import hashlib
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata

if TYPE_CHECKING:
    from numpy.typing import NDArray


def is_registered(voxels: "NDArray[Any]", mask: BrainMaskMetadata) -> bool:
    """Return whether an array of the mask's shape, in RAS order, is the registered mask."""
    import nibabel as nib
    import numpy as np

    if np.count_nonzero(voxels) != mask.voxels:
        return False
    content = nib.Nifti1Image(voxels.astype(np.uint8), mask.affine).to_bytes()
    return hashlib.sha256(content).hexdigest() == mask.content_sha256


def flipped_along(voxels: "NDArray[Any]", mask: BrainMaskMetadata) -> str | None:
    """Return the axes along which an array is the registered mask flipped, None if it is not."""
    import numpy as np

    if np.count_nonzero(voxels) != mask.voxels:
        return None
    for count in (1, 2, 3):
        for axes in combinations(range(3), count):
            if is_registered(np.flip(voxels, axes), mask):
                return " and ".join("xyz"[axis] for axis in axes)
    return None
