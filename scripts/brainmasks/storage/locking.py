# SPDX-License-Identifier: MIT
"""One process at a time: for files that are read, changed and written again."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..paths import StrPath


@contextmanager
def alone_in(folder: StrPath) -> Iterator[None]:
    """Wait until no other process of this package is changing a table in a folder.

    Nothing is left behind: the folder itself is locked, and the system frees it if the process
    ends in whatever way.

    Raises
    ------
    OSError
        If the folder cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems have no locks; two people who add rows at once are rare.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
