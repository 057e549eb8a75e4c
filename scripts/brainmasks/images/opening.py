# SPDX-License-Identifier: MIT
"""Images as they come from anywhere: opened, read to the end, their values taken."""

import hashlib
import logging
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..fetching import what_is
from ..nifti import (
    HEADER_ROOM,
    HEADER_SIZE,
    nifti_version,
    offset_problem,
    reason,
    times,
    voxel_size_problem,
)
from ..paths import StrPath
from ..storage import is_gzip

if TYPE_CHECKING:
    import numpy as np
    from nibabel.filebasedimages import FileBasedImage
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

_PIECE = 1 << 20
# Bytes of a file that tell what it is.
_BEGINNING = 1 << 16
# Bytes of the smallest header.
_SMALLEST = 348


class UnreadableImage(Exception):
    """The image cannot be read; says why."""


def open_image(image: "StrPath | FileBasedImage") -> "SpatialImage":
    """Return an image whose header is readable and states at least one voxel.

    Parameters
    ----------
    image
        A path, or a nibabel image.

    Raises
    ------
    UnreadableImage
        If it is not there, or no image.
    """
    import nibabel as nib

    if isinstance(image, str | os.PathLike):
        path = Path(image)
        beginning, single = _header(path)
        # nibabel would load such a file without a word.
        if problem := offset_problem(beginning, single=single) or voxel_size_problem(beginning):
            raise UnreadableImage(problem)
        try:
            image = nib.load(path)
        except MemoryError:
            raise
        except Exception as err:  # nibabel raises many kinds for bad files
            raise UnreadableImage(_why_unreadable(path, err)) from err
    elif isinstance(image, nib.Nifti1Pair) and nib.is_proxy(image.dataobj) and image.get_filename():
        # Its voxel sizes may have been set since it was loaded, but not where its voxels are.
        beginning, single = _header(Path(str(image.get_filename())))
        if problem := offset_problem(beginning, single=single):
            raise UnreadableImage(problem)
    if not isinstance(image, nib.spatialimages.SpatialImage):
        raise UnreadableImage(f"it holds no volume ({type(image).__name__})")
    if not image.shape or any(n < 1 for n in image.shape):
        raise UnreadableImage(f"its header states the shape {times(image.shape)}")
    return image


def _header(path: Path) -> tuple[bytes, bool]:
    """Return the beginning of the file with the header, and whether the voxels are in it, too."""
    import nibabel as nib
    from nibabel.openers import ImageOpener

    single = True
    # Of a pair, either file may be named.
    with suppress(nib.filebasedimages.ImageFileError):
        files = nib.Nifti1Pair.filespec_to_file_map(path)
        path, single = Path(str(files["header"].filename)), False
    try:
        if path.is_file():  # to open a pipe would wait
            with ImageOpener(os.fspath(path)) as file:
                return file.read(HEADER_SIZE), single
    except Exception as err:  # noqa: BLE001, why it cannot be read is found when it is loaded
        log.debug("%s: %s", path, err)
    return b"", single


def _why_unreadable(path: Path, err: Exception) -> str:
    """Return why nibabel could not load a file: what it is instead, or what is wrong with it."""
    import nibabel as nib

    if not path.is_file():
        return _no_file(path)
    try:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError as problem:
        return f"the file cannot be read ({problem.strerror})"
    if found := what_is(beginning, f"{path.stat().st_size} bytes"):
        return f"it is {found}"
    gzipped, suffix = is_gzip(beginning), path.suffix.lower()
    unknown = f"it has no known format: it begins with {beginning[:8].hex(' ')}"
    if gzipped and suffix in (".nii", ".mgh"):
        return f"it is gzipped, though its name ends in {suffix}: rename it"
    if not gzipped and suffix in (".gz", ".mgz"):
        wrong_name = f"it is not gzipped, though its name ends in {suffix}: rename it"
        return wrong_name if nifti_version(beginning) else unknown
    if nifti_version(beginning) and len(beginning) < _SMALLEST:
        return f"its header is cut off: it has {len(beginning)} bytes"
    _length(path, _PIECE)  # a damaged stream is the better reason
    if isinstance(err, nib.spatialimages.HeaderDataError):
        return f"its header is not usable ({reason(err)})"
    if isinstance(err, nib.filebasedimages.ImageFileError):
        return unknown
    return reason(err)


def _no_file(path: Path) -> str:
    """Return what there is instead of a file."""
    if path.is_dir():
        return "it is a folder"
    if path.exists():
        return "it is no regular file"
    if path.is_symlink():
        target = str(path.readlink())
        # A file of git-annex of which the content is not here.
        if "annex/objects/" in target and (found := what_is(target.encode(), "a link")):
            return f"it is {found}"
        return "it is a link to nowhere"
    return "there is no such file"


def require_whole(image: "SpatialImage") -> None:
    """Read the image's files to their ends, checksums included, and keep nothing of them.

    Raises
    ------
    UnreadableImage
        If a file is damaged, shorter than its header says, or much longer.
    """
    from nibabel.arrayproxy import ArrayProxy

    proxy = image.dataobj
    if not isinstance(proxy, ArrayProxy):
        return
    stated = proxy.offset + math.prod(image.shape) * proxy.dtype.itemsize
    least = {"image": stated, "header": 0}
    for role, holder in image.file_map.items():
        if role in least and holder.filename is not None:
            most = least[role] + HEADER_ROOM
            size = _length(holder.filename, most)
            if size < least[role]:
                raise UnreadableImage(f"its header calls for {stated} bytes, it has {size}")
            if size > most:
                raise UnreadableImage(f"it has more than the {most} bytes that its header explains")


def _length(path: StrPath, most: int) -> int:
    """Return how many bytes a file has, uncompressed; stops reading if they are more than most."""
    from nibabel.openers import ImageOpener

    size = 0
    try:
        with ImageOpener(os.fspath(path)) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > most:
                    break
    except EOFError as err:
        raise UnreadableImage("its compressed stream is cut off: the file is not whole") from err
    except Exception as err:  # each kind of compression has its own
        why = f"its compressed stream is damaged ({reason(err)})"
        if str(err).startswith("Not a gzipped file"):  # it began as one, or was not compressed
            why = "its gzip stream is followed by something else"
        raise UnreadableImage(why) from err
    return size


def values_of(image: "SpatialImage") -> "NDArray[Any]":
    """Return the voxels with slope and intercept applied.

    Raises
    ------
    UnreadableImage
        If that fails.
    """
    import numpy as np

    try:
        return np.asanyarray(image.dataobj)
    except MemoryError:
        raise
    except Exception as err:  # whatever a file of any format may bring
        raise UnreadableImage(reason(err)) from err


def stored_type(image: "SpatialImage") -> "np.dtype[Any]":
    """Return the numpy type of the voxels as they are stored."""
    import numpy as np

    # Every array has a type, and so has every proxy; nibabel's protocol does not say so.
    return np.dtype(image.dataobj.dtype)  # type: ignore[attr-defined]


def sha256_of(path: StrPath) -> str | None:
    """Return the SHA-256 of a file, None if it cannot be read."""
    try:
        # To open a pipe is to wait for whoever writes into it.
        if not Path(path).is_file():
            return None
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
