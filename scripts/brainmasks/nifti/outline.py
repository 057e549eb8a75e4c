# SPDX-License-Identifier: MIT
"""What an image of any size is, within little memory: its grid, and how many voxels are 1."""

import gzip
import io
import math
import zlib

from ..errors import InvalidMaskError
from ..storage import gunzip, is_gzip
from .orientation import TOLERANCE
from .reading import HEADER_ROOM, array_proxy, read_header
from .words import reason, times

# Voxels of an image of more bytes are not counted: it would take seconds.
LARGEST = 1 << 28
# Voxels that are read at once.
_PIECE = 1 << 16


def stated_grid(data: bytes) -> str:
    """Return shape and voxel sizes of an image, as in ``91x109x91 voxels of 2x2x2 mm``.

    Parameters
    ----------
    data
        A NIfTI file, gzipped or not; its beginning suffices.

    Raises
    ------
    InvalidMaskError
        If it is no NIfTI image.
    """
    image = read_header(_beginning(data))
    return f"{times(image.shape)} voxels of {times(map(float, image.header.get_zooms()[:3]))} mm"


def count_ones(data: bytes) -> int | None:
    """Return how many voxels of an image are 1, None if it is too large to be read to its end.

    Parameters
    ----------
    data
        A NIfTI file, gzipped or not.

    Raises
    ------
    InvalidMaskError
        If it is no NIfTI image, damaged, or longer or shorter than its header says.
    """
    import numpy as np

    image = read_header(_beginning(data))
    proxy = array_proxy(image)
    left = math.prod(int(n) for n in image.shape)
    if proxy.offset + left * proxy.dtype.itemsize > LARGEST:
        return None
    ones = 0
    with _opened(data) as file, np.errstate(all="ignore"):
        try:
            file.seek(proxy.offset)
            while left:
                number = min(left, _PIECE)
                raw = file.read(number * proxy.dtype.itemsize)
                if len(raw) < number * proxy.dtype.itemsize:
                    raise InvalidMaskError("it is shorter than its header says")
                voxels = np.frombuffer(raw, proxy.dtype) * proxy.slope + proxy.inter
                ones += int(np.count_nonzero(np.abs(voxels - 1) <= TOLERANCE))
                left -= number
            if len(file.read(HEADER_ROOM + 1)) > HEADER_ROOM:
                raise InvalidMaskError("it is longer than its header says")
        except (EOFError, OSError, zlib.error) as err:
            raise InvalidMaskError(reason(err)) from err
    return ones


def _beginning(data: bytes) -> bytes:
    return gunzip(data, HEADER_ROOM).content if is_gzip(data) else data[:HEADER_ROOM]


def _opened(data: bytes) -> gzip.GzipFile | io.BytesIO:
    file = io.BytesIO(data)
    return gzip.GzipFile(fileobj=file) if is_gzip(data) else file
