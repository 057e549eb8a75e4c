# SPDX-License-Identifier: MIT
"""The voxels of an image that count, and the smallest box that holds them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..nifti import bounding_box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Voxels whose indices are taken at once: some MB.
PIECE = 1 << 17


@dataclass(frozen=True)
class Counted:
    """The voxels of an image that count.

    Attributes
    ----------
    shape : tuple of int
        Of the whole image.
    box : tuple of slice
        The smallest box that holds them.
    inner : array of bool
        Where they are in the box. No array of the whole image is kept: it is large, and takes
        longer to get than to fill.
    voxels : int
        How many they are.
    """

    shape: tuple[int, ...]
    box: tuple[slice, ...]
    inner: "NDArray[np.bool_]"
    voxels: int

    @classmethod
    def of(cls, above: "NDArray[np.bool_]") -> "Counted":
        """Return the voxels that are true."""
        import numpy as np

        box = bounding_box(above)
        inner = above[box].copy(order="F")
        return cls(above.shape, box, inner, int(np.count_nonzero(inner)))

    @classmethod
    def joined(cls, shape: tuple[int, ...], slabs: "Mapping[int, Counted]") -> "Counted":
        """Return the voxels of an image that was looked at in slabs along its last axis.

        Parameters
        ----------
        shape
            Of the whole image.
        slabs
            The voxels of each slab by the index at which it begins. One without any may be missing.
        """
        import numpy as np

        filled = {at: slab for at, slab in slabs.items() if slab.voxels}
        boxes = [
            (*slab.box[:2], slice(at + slab.box[2].start, at + slab.box[2].stop))
            for at, slab in filled.items()
        ]
        box = tuple(
            slice(
                min((each[axis].start for each in boxes), default=0),
                max((each[axis].stop for each in boxes), default=0),
            )
            for axis in range(3)
        )
        inner = np.zeros([side.stop - side.start for side in box], bool, order="F")
        for each, slab in zip(boxes, filled.values(), strict=True):
            x, y, z = (
                slice(part.start - side.start, part.stop - side.start)
                for part, side in zip(each, box, strict=True)
            )
            inner[x, y, z] = slab.inner
        return cls(shape, box, inner, sum(slab.voxels for slab in filled.values()))

    @property
    def above(self) -> "NDArray[np.bool_]":
        """Where they are in the whole image: an array that is made anew."""
        import numpy as np

        above = np.zeros(self.shape, bool, order="F")
        above[self.box] = self.inner
        return above


def by_slices(counted: Counted) -> "Iterator[NDArray[np.intp]]":
    """Yield the indices of the voxels that count: those of all at once take much memory."""
    import numpy as np

    x, y, z = counted.box
    planes = max(1, PIECE // max(1, (x.stop - x.start) * (y.stop - y.start)))
    for k in range(0, z.stop - z.start, planes):
        piece = counted.inner[:, :, k : k + planes]
        # Numbered as they are stored, and then taken apart: in a third of the time of np.argwhere.
        numbers = np.flatnonzero(piece.T)
        indices = np.stack(np.unravel_index(numbers, piece.shape, order="F"), axis=1)
        yield indices + np.array([x.start, y.start, z.start + k])
