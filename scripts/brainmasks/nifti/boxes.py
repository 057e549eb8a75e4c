# SPDX-License-Identifier: MIT
"""The smallest boxes that hold what is true."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def bounding_box(above: "NDArray[np.bool_]") -> tuple[slice, slice, slice]:
    """Return the slices of the smallest box that holds every voxel that is true."""
    import numpy as np

    # Across the axis along which whole planes are stored; then at once of the planes that hold any.
    axis = int(np.argmax(np.abs(above.strides)))
    planes = np.moveaxis(above, axis, 0)
    first = extent(planes.any(axis=(1, 2)))
    seen: NDArray[np.bool_] = np.any(planes[first], axis=0)
    slices = [extent(seen.any(axis=1)), extent(seen.any(axis=0))]
    slices.insert(axis, first)
    x, y, z = slices
    return x, y, z


def extent(met: Any) -> slice:
    """Return the slice from the first to the last that is true, of an array of bool."""
    import numpy as np

    indices = np.flatnonzero(met)
    return slice(int(indices[0]), int(indices[-1]) + 1) if indices.size else slice(0, 0)
