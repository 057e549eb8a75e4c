# SPDX-License-Identifier: MIT
"""Two grids along one axis: which intervals of one are covered by which of the other, and how far.

An interval meets few others, so only those are kept: what is multiplied stays small.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def shares_of_axis(
    source_affine: "NDArray[np.float64]",
    source_length: int,
    source_axis: int,
    length: int,
    affine: "NDArray[np.float64]",
    world: int,
) -> "tuple[NDArray[np.intp], NDArray[np.float64]]":
    """Return which intervals of the source cover each interval of a target's axis, and how far.

    Parameters
    ----------
    source_affine, source_length, source_axis
        The source's affine (mm, RAS+), and the axis of which the intervals are.
    length, affine, world
        The target's; the axis of the world on which both axes lie.

    Returns
    -------
    indices, shares : arrays of shape (`length`, n)
        Each row has the intervals of the source, in order, and the fraction that each of them
        covers; filled up with fractions of 0 to the n that one of the rows needs.
    """
    import numpy as np

    step, first = source_affine[world, source_axis], source_affine[world, 3]
    faces = first + step * (np.arange(source_length + 1) - 0.5)
    # In voxels of the target, of which n reaches from n to n + 1.
    faces = (faces - affine[world, 3]) / affine[world, world] + 0.5
    low, high = np.minimum(faces[:-1], faces[1:]), np.maximum(faces[:-1], faces[1:])
    voxels = np.arange(length)[:, np.newaxis]
    covered: NDArray[np.float64] = np.minimum(high, voxels + 1) - np.maximum(low, voxels)
    covered = np.clip(covered, 0, None)
    most = np.count_nonzero(covered, axis=1).max(initial=1)
    indices = np.argsort(covered == 0, axis=1, kind="stable")[:, :most]
    return indices, np.take_along_axis(covered, indices, axis=1)


def weighted(
    rows: "NDArray[np.float64]", indices: "NDArray[np.intp]", shares: "NDArray[np.float64]"
) -> "NDArray[np.float64]":
    """Return for each interval of a target's axis the sum of the rows that it meets, by its shares.

    Parameters
    ----------
    rows
        For each interval of the source, any numbers.
    indices, shares
        From `shares_of_axis`.
    """
    import numpy as np

    found: NDArray[np.float64] = np.einsum("in,inx->ix", shares, rows[indices])
    return found
