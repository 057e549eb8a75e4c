# SPDX-License-Identifier: MIT
"""The voxels of an image, read slab by slab: once, in order, and to the end of the file."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..nifti import HEADER_ROOM, reason
from .opening import UnreadableImage, require_whole, values_of

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

# Voxels of a slab: 32 MB as float64, and some copies of that.
SLAB = 1 << 22
# Voxels that are read at once if there is no need for more: zlib would hold several copies.
AT_ONCE = 1 << 20


def slabs_of(image: "SpatialImage", most: int = SLAB) -> "Iterator[NDArray[Any]]":
    """Yield the voxels of an image, slope and intercept applied, in slabs along its last axis.

    Only after the last one is it known that the file is whole.

    Parameters
    ----------
    image
        Of three dimensions, as `open_image` returns it.
    most
        How many voxels a slab has at most, if that is a plane or more.

    Raises
    ------
    UnreadableImage
        If a file is damaged, shorter than its header says, or much longer.
    """
    import numpy as np
    from nibabel.arrayproxy import ArrayProxy
    from nibabel.openers import ImageOpener

    proxy = image.dataobj
    path = image.file_map["image"].filename if "image" in image.file_map else None
    # Some formats scale their voxels otherwise, in a class of their own.
    if type(proxy) is not ArrayProxy or path is None:
        require_whole(image)
        yield values_of(image)
        return
    if len(image.file_map) > 1:
        require_whole(image)  # the header's file, too
    planes = max(1, most // math.prod(image.shape[:2]))
    stored = (image.shape, proxy.dtype, proxy.offset, proxy.slope, proxy.inter)
    try:
        with ImageOpener(path) as file:
            # On an open file a compressed stream is not begun anew for each slab. To map an open
            # file into memory would map the compressed bytes.
            voxels = ArrayProxy(file, stored, mmap=False)
            if planes >= image.shape[2]:
                yield np.asanyarray(voxels)
            else:
                for start in range(0, image.shape[2], planes):
                    yield voxels[:, :, start : start + planes]
            whole = len(file.read(HEADER_ROOM + 1)) <= HEADER_ROOM
    except MemoryError:
        raise
    except Exception as err:  # each format and each kind of compression has its own
        require_whole(image)  # has the better reason, if the file is too short
        raise UnreadableImage(reason(err)) from err
    if not whole:
        require_whole(image)


def whole_voxels(image: "SpatialImage") -> "NDArray[Any]":
    """Return all voxels of an image of three dimensions, of which the file is whole.

    Raises
    ------
    UnreadableImage
        As `slabs_of`.
    """
    import numpy as np

    values: NDArray[Any] | None = None
    start = 0
    # To the last slab: only then is it known that the file is whole.
    for slab in slabs_of(image, AT_ONCE):
        if values is None:
            values = np.empty(image.shape, slab.dtype, order="F")
        values[:, :, start : start + slab.shape[2]] = slab
        start += slab.shape[2]
    if values is None:
        raise ValueError("there is no slab")
    return values
