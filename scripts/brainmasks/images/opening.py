"""Images as they come from anywhere: opened, read to the end, their values taken."""

import math
import os
from pathlib import Path

from ..nifti import HEADER_ROOM
from .verdicts import times

_PIECE = 1 << 20


class Unreadable(Exception):
    """The image cannot be read; says why."""


def open_image(image):
    """Return an image whose header is readable and states at least one voxel.

    Parameters
    ----------
    image
        A path, or a nibabel image.

    Raises
    ------
    Unreadable
        If it is not there, or no image.
    """
    import nibabel as nib

    if isinstance(image, str | os.PathLike):
        path = Path(image)
        try:
            image = nib.load(path)
        except MemoryError:
            raise
        except Exception as err:  # nibabel raises many kinds for bad files
            if path.is_file():
                _length(path, _PIECE)  # a damaged stream is the better reason
            raise Unreadable(reason(err)) from err
    if not isinstance(image, nib.spatialimages.SpatialImage):
        raise Unreadable(f"it holds no volume ({type(image).__name__})")
    if not image.shape or any(n < 1 for n in image.shape):
        raise Unreadable(f"its header states the shape {times(image.shape)}")
    return image


def require_whole(image) -> None:
    """Read the image's files to their ends, checksums included, and keep nothing of them.

    Raises
    ------
    Unreadable
        If a file is damaged, shorter than its header says, or much longer.
    """
    import nibabel as nib

    if not isinstance(image.dataobj, nib.arrayproxy.ArrayProxy):
        return
    stated = image.dataobj.offset + math.prod(image.shape) * image.dataobj.dtype.itemsize
    least = {"image": stated, "header": 0}
    for role, holder in image.file_map.items():
        if role in least and holder.filename is not None:
            most = least[role] + HEADER_ROOM
            size = _length(holder.filename, most)
            if size < least[role]:
                raise Unreadable(f"its header calls for {stated} bytes, it has {size}")
            if size > most:
                raise Unreadable(f"it has more than the {most} bytes that its header explains")


def _length(path, most: int) -> int:
    """Return how many bytes a file has, uncompressed; stops reading if they are more than most."""
    from nibabel.openers import ImageOpener

    size = 0
    try:
        with ImageOpener(path) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > most:
                    break
    except Exception as err:  # each kind of compression has its own
        raise Unreadable(reason(err)) from err
    return size


def values_of(image):
    """Return the voxels with slope and intercept applied.

    Raises
    ------
    Unreadable
        If that fails.
    """
    import numpy as np

    try:
        return np.asanyarray(image.dataobj)
    except MemoryError:
        raise
    except Exception as err:  # whatever a file of any format may bring
        raise Unreadable(reason(err)) from err


def stored_type(image):
    """Return the numpy type of the voxels as they are stored."""
    import numpy as np

    return np.dtype(image.dataobj.dtype)


def reason(err: Exception) -> str:
    """Return one line on why a file could not be read."""
    return " ".join(str(err).split()).rstrip(".") or type(err).__name__
