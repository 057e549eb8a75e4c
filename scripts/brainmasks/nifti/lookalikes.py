# SPDX-License-Identifier: MIT
"""Which known other mask is it that lies on the grid of a registered one?"""

import hashlib
from typing import TYPE_CHECKING, Any

from ..registry import BrainMaskMetadata, shipped_lookalikes
from .canonical import canonical_image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def lookalike_in_words(voxels: "NDArray[Any]", mask: BrainMaskMetadata) -> str | None:
    """Return which look-alike of a mask voxels are, as ``it is …``; None if no known one.

    Of a look-alike whose file was never at hand only the number of voxels is known: then no more
    than that is said.

    Parameters
    ----------
    voxels
        Which voxels are 1: bool, or uint8 of 0 and 1, on the mask's grid in RAS order.
    mask
        The mask; its origin is known.
    """
    import numpy as np

    count = int(np.count_nonzero(voxels))
    grid = (mask.space, mask.resolution_text)
    known = [
        each
        for each in shipped_lookalikes()
        if (each.space, each.resolution) == grid and each.voxels == count
    ]
    if not known:
        return None
    content = canonical_image(voxels, mask.affine).to_bytes()
    digest = hashlib.sha256(content).hexdigest()
    for each in known:
        if each.content_sha256 == digest:
            return f"it is {each.in_words}"
    for each in known:
        if not each.content_sha256:
            return f"it has as many voxels as {each.in_words}, which it may be"
    return None
