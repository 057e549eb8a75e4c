# SPDX-License-Identifier: MIT
"""How many voxels of an image count, and where their centre of mass is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Tally:
    """The voxels of an image that count, as it passes slab by slab along its last axis.

    Parameters
    ----------
    shape
        Of the whole image.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        import numpy as np

        # How many there are in each plane across each axis: enough for both questions.
        self._across = [np.zeros(length, np.int64) for length in shape]
        self._start = 0

    @property
    def start(self) -> int:
        """Index along the last axis at which the next slab begins."""
        return self._start

    @property
    def voxels(self) -> int:
        """How many there are."""
        return int(self._across[2].sum())

    def add(self, above: "NDArray[np.bool_]") -> None:
        """Count those that are true in the next slab."""
        import numpy as np

        planes = [np.count_nonzero(plane) for plane in above.T]
        stop = self._start + len(planes)
        self._across[2][self._start : stop] = planes
        self._start = stop
        filled = np.flatnonzero(planes)
        if filled.size:
            # A lesion fills few planes.
            part = above[:, :, filled[0] : filled[-1] + 1]
            seen_from_top = part.sum(axis=2, dtype=np.int64)
            self._across[0] += seen_from_top.sum(axis=1)
            self._across[1] += seen_from_top.sum(axis=0)

    def centre_of_mass(self, affine: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """Return the mean of the voxels' centres in mm (RAS+), an array of shape (3,).

        Parameters
        ----------
        affine
            Voxel indices of the image to mm (RAS+).
        """
        import numpy as np
        from nibabel.affines import apply_affine

        mean = [np.average(np.arange(len(each)), weights=each) for each in self._across]
        centre: NDArray[np.float64] = apply_affine(affine, mean)
        return centre
