# SPDX-License-Identifier: MIT
"""Read a file that somebody else may have put there."""

import errno
import os
import stat

from ..paths import StrPath


def read_bounded(path: StrPath, largest: int) -> bytes:
    """Return the bytes of a regular file that is not larger than expected.

    Parameters
    ----------
    path
        The file; links are followed.
    largest
        Most bytes that it may have.

    Raises
    ------
    OSError
        If it is not there, no regular file, too large (EFBIG), or not readable. `strerror` says
        which, in words.
    """
    # Never waits, as opening a pipe without a writer would.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise OSError(errno.EINVAL, f"it is {kind}", str(path))
        if status.st_size > largest:
            reason = f"it has {status.st_size} bytes, more than {largest}"
            raise OSError(errno.EFBIG, reason, str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(largest + 1)
    finally:
        os.close(handle)
