# SPDX-License-Identifier: MIT
"""Voxels onto another grid of the same world: nearest neighbour, and overlap of volumes.

Arrays and affines only. A source arrives in slabs along its last axis, so that a large image need
never be in memory whole; an array that is there already is one slab: ``[voxels]``. It may be
stored in any order: all is decided in the world, where the order is nothing. The target's axes lie
along the world's, in RAS order, as those of all masks do.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .axis_shares import shares_of_axis, weighted
from .boxes import bounding_box
from .orientation import TOLERANCE, displacement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A part of a voxel that is no more than rounding: a header holds positions in single precision,
# so to about 1e-5 mm. What differs by less from a tie is one, and from one half is one half.
ROUNDING = 1e-4


def nearest(
    slabs: "Iterable[NDArray[Any]]",
    source_shape: tuple[int, ...],
    source_affine: "NDArray[np.float64]",
    shape: tuple[int, ...],
    affine: "NDArray[np.float64]",
) -> "NDArray[Any]":
    """Return, for each voxel of a grid, the value of the source's voxel in which its centre lies.

    The faces of a voxel belong to it. A centre on the face between two voxels (a tie) takes the one
    with the lower world coordinate: further left, posterior, inferior; on an outermost face there
    is only one. So from 2 mm to 1 mm, where every second centre is such a tie along each axis,
    all voxels keep their volume and shape and are moved alike, by 0.5 mm to the right, front and
    top. Along the axes of an oblique source, "lower" is in the direction that is closest to these.

    Parameters
    ----------
    slabs
        The source's voxels, in arrays that follow each other along the last axis.
    source_shape, source_affine
        Its whole shape, and its voxel indices to mm (RAS+).
    shape, affine
        The target's; axes along the world's, in RAS order.

    Returns
    -------
    array of `shape`, of the source's type
        0 where the centre lies outside the source.
    """
    import numpy as np

    straight = is_straight(source_shape, source_affine)
    place = _place_straight if straight else _place_oblique
    found: NDArray[Any] | None = None
    start = 0
    for slab in slabs:
        if found is None:
            # As NIfTI stores it, so that it is written as fast as it was read.
            found = np.zeros(shape, slab.dtype, order="F")
        place(slab, start, source_shape, source_affine, found, affine)
        start += slab.shape[2]
    if found is None:
        raise ValueError("there is no slab")
    return found


def overlap(
    slabs: "Iterable[NDArray[np.bool_]]",
    source_shape: tuple[int, ...],
    source_affine: "NDArray[np.float64]",
    shape: tuple[int, ...],
    affine: "NDArray[np.float64]",
) -> "NDArray[np.float64]":
    """Return which fraction of each voxel of a grid the source's voxels that are true cover.

    Exact but for rounding, because the overlap of two boxes is the product of the overlaps along
    the three axes. For `at_least_half`.

    Parameters
    ----------
    slabs
        The source's voxels, in arrays of bool that follow each other along the last axis.
    source_shape, source_affine
        Its whole shape, and its voxel indices to mm (RAS+); `is_straight`.
    shape, affine
        The target's; axes along the world's, in RAS order.

    Returns
    -------
    array of `shape`
        From 0 to 1.

    Raises
    ------
    ValueError
        If the source's axes do not lie along the world's.
    """
    import numpy as np

    if not is_straight(source_shape, source_affine):
        raise ValueError("the axes of the source do not lie along the world's")
    axes = _world_axes(source_affine)
    # For each index of the target, along the world's axis on which the source's axis lies.
    shares = [
        shares_of_axis(
            source_affine, source_shape[axis], axis, shape[axes[axis]], affine, axes[axis]
        )
        for axis in range(3)
    ]
    # In the source's order of axes, the last first: slabs are stored so.
    covered = np.zeros([shape[axes[axis]] for axis in (2, 1, 0)])
    start = 0
    for slab in slabs:
        planes = slab.T
        for k, (indices, weights) in enumerate(zip(*shares[2], strict=True)):
            here = [
                weight * planes[index]
                for index, weight in zip(indices - start, weights, strict=True)
                if weight and 0 <= index < len(planes) and planes[index].any()
            ]
            if here:
                covered[k] += weighted(weighted(sum(here), *shares[1]).T, *shares[0]).T
        start += slab.shape[2]
    return covered.transpose(np.argsort([axes[axis] for axis in (2, 1, 0)]))


def at_least_half(fraction: "NDArray[np.float64]") -> "NDArray[np.bool_]":
    """Return which fractions are one half or more, but for rounding."""
    half: NDArray[np.bool_] = fraction >= 0.5 - ROUNDING
    return half


def count_outside(
    above: "NDArray[np.bool_]",
    start: int,
    source_affine: "NDArray[np.float64]",
    shape: tuple[int, ...],
    affine: "NDArray[np.float64]",
) -> int:
    """Return how many of a slab's voxels that are true have their centre outside a grid's voxels.

    Parameters
    ----------
    above
        The slab.
    start
        Its first index along the last axis.
    source_affine
        Voxel indices of the whole source to mm (RAS+).
    shape, affine
        The grid's.
    """
    import numpy as np
    from nibabel.affines import apply_affine

    last = np.array(shape) - 0.5 + ROUNDING
    to_target = np.linalg.inv(affine) @ source_affine

    def lie_outside(indices: "NDArray[np.intp]") -> "NDArray[np.bool_]":
        at = apply_affine(to_target, indices + np.array([0, 0, start]))
        outside: NDArray[np.bool_] = np.any((at < -0.5 - ROUNDING) | (at > last), axis=1)
        return outside

    box = bounding_box(above)
    if not above[box].size:
        return 0
    corners = np.array([[each.start, each.stop - 1] for each in box])
    # A grid is convex: what lies between corners that are inside is inside.
    if not lie_outside(np.array(np.meshgrid(*corners)).reshape(3, -1).T).any():
        return 0
    outside = 0
    for k in range(box[2].start, box[2].stop):
        i, j = np.nonzero(above[:, :, k])
        indices = np.column_stack([i, j, np.full(len(i), k)])
        outside += int(np.count_nonzero(lie_outside(indices)))
    return outside


def is_straight(shape: tuple[int, ...], affine: "NDArray[np.float64]") -> bool:
    """Return whether a grid's axes lie along the world's, within `TOLERANCE` over its volume."""
    import numpy as np

    axes = _world_axes(affine)
    straight = np.zeros((4, 4))
    straight[:, 3] = affine[:, 3]
    straight[axes, range(3)] = affine[axes, range(3)]
    return displacement(affine, straight, shape) <= TOLERANCE


def _world_axes(affine: "NDArray[np.float64]") -> list[int]:
    """Return the axis of the world that is closest to each axis of a grid, each once."""
    import nibabel as nib

    return [int(axis) for axis in nib.io_orientation(affine)[:, 0]]


def _place_straight(
    slab: "NDArray[Any]",
    start: int,
    source_shape: tuple[int, ...],
    source_affine: "NDArray[np.float64]",
    found: "NDArray[Any]",
    affine: "NDArray[np.float64]",
) -> None:
    """Write the values of a slab to the voxels of a grid that take them, by a look-up per axis."""
    import numpy as np

    axes = _world_axes(source_affine)
    values = slab.T
    there: list[slice] = [slice(0)] * 3
    # The last axis first: it is the one along which whole planes are left out or copied.
    for axis in (2, 1, 0):
        world = axes[axis]
        step, first = source_affine[world, axis], source_affine[world, 3]
        length = source_shape[axis]
        centres = affine[world, world] * np.arange(found.shape[world]) + affine[world, 3]
        lowest = min(first, first + step * (length - 1))
        index = _nearest_index((centres - lowest) / abs(step), length)
        if step < 0:
            index = _from_the_end(index, length)
        if axis == 2:
            index = np.where((index >= start) & (index < start + slab.shape[2]), index - start, -1)
        inside = np.flatnonzero(index >= 0)  # without gaps: the index rises or falls
        if not inside.size:
            return
        there[world] = slice(inside[0], inside[-1] + 1)
        values = values.take(index[there[world]], axis=2 - axis)
    found[tuple(there)] = values.T.transpose(np.argsort(axes))


def _place_oblique(
    slab: "NDArray[Any]",
    start: int,
    source_shape: tuple[int, ...],
    source_affine: "NDArray[np.float64]",
    found: "NDArray[Any]",
    affine: "NDArray[np.float64]",
) -> None:
    """Write the values of a slab to the voxels of a grid that take them, one by one."""
    import nibabel as nib
    import numpy as np

    orientation = nib.io_orientation(source_affine)
    flipped = orientation[:, 1] < 0
    # Where the centres lie in the source, counted in the direction that is closest to RAS.
    to_source = np.linalg.inv(source_affine) @ affine
    to_source[:3][flipped] *= -1
    to_source[:3, 3][flipped] += np.array(source_shape)[flipped] - 1
    for block in _blocks(slab.shape, start, np.linalg.inv(affine) @ source_affine, found.shape):
        i, j, k = np.ogrid[block]
        indices = []
        for axis, length in enumerate(source_shape):
            a, b, c, d = to_source[axis]
            index = _nearest_index(a * i + b * j + c * k + d, length)
            if flipped[axis]:
                index = _from_the_end(index, length)
            indices.append(index)
        indices[2] = indices[2] - start
        here = (indices[0] >= 0) & (indices[1] >= 0)
        here &= (indices[2] >= 0) & (indices[2] < slab.shape[2])
        found[block][here] = slab[tuple(index[here] for index in indices)]


def _blocks(
    slab_shape: tuple[int, ...],
    start: int,
    to_target: "NDArray[np.float64]",
    shape: tuple[int, ...],
) -> "Iterable[tuple[slice, slice, slice]]":
    """Yield the parts of a grid, a plane at a time, of which a slab may hold values."""
    import numpy as np
    from nibabel.affines import apply_affine

    corners = np.array(list(np.ndindex(2, 2, 2))) * slab_shape - 0.5 + [0, 0, start]
    reached = apply_affine(to_target, corners)
    low = np.clip(np.floor(reached.min(axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(reached.max(axis=0)) + 1, 0, shape).astype(int)
    for k in range(low[2], high[2]):
        yield slice(low[0], high[0]), slice(low[1], high[1]), slice(k, k + 1)


def _nearest_index(at: "NDArray[np.float64]", length: int) -> "NDArray[np.intp]":
    """Return the voxel in which each position lies, the lower of two at a tie; -1 outside.

    Parameters
    ----------
    at
        Positions along an axis that leads towards R, A or S; voxel n has its centre at n.
    length
        How many voxels there are.
    """
    import numpy as np

    index = np.clip(np.ceil(at - 0.5 - ROUNDING), 0, length - 1).astype(np.intp)
    inside = (at >= -0.5 - ROUNDING) & (at <= length - 0.5 + ROUNDING)
    return np.where(inside, index, -1)


def _from_the_end(index: "NDArray[np.intp]", length: int) -> "NDArray[np.intp]":
    """Return indices along an axis that is stored in the opposite direction; -1 stays."""
    import numpy as np

    return np.where(index < 0, index, length - 1 - index)
