"""Put a file in its place whole, or not at all."""

import hashlib
import os
import tempfile
from pathlib import Path

from .errors import MaskError

_SUFFIX = ".part"


def publish(data: bytes, path) -> None:
    """Write a file so that its name only ever stands for all of its bytes.

    A private temporary file in the same folder is written, flushed to disk, renamed, and read
    again through its final name. The mode follows the umask.

    Parameters
    ----------
    data
        The whole content.
    path
        The final name; an existing file is replaced.

    Raises
    ------
    OSError
        If the folder cannot be written.
    MaskError
        If the disk gave back other bytes than were written; the file is then removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_SUFFIX, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            # mkstemp makes it private, which would shut a group out of a shared cache.
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    if hashlib.sha256(path.read_bytes()).digest() != hashlib.sha256(data).digest():
        path.unlink()
        raise MaskError(f"{path}: the disk does not hold what was written to it; it was removed")


def _umask() -> int:
    # The only portable way to read it is to set it.
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems cannot; the rename itself has succeeded.
        pass
    finally:
        os.close(handle)
