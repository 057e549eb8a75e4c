# SPDX-License-Identifier: MIT
"""Who may use a file or folder that was just made: as its folder says."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def share(handle: int, folder: Path) -> None:
    """Let everybody who may use a folder use a file that was just made in it.

    The umask of whoever happens to come first would shut the others out, or let strangers in.

    Parameters
    ----------
    handle
        The file, open.
    folder
        Where it lies; its permission bits decide.
    """
    status = folder.stat()
    if os.fstat(handle).st_gid != status.st_gid:
        # Without the setgid bit the file has the primary group of its owner.
        with suppress(OSError):
            os.fchown(handle, -1, status.st_gid)
    # Who may not replace a file in the folder must not write into it either.
    bits = status.st_mode & (0o644 if status.st_mode & stat.S_ISVTX else 0o664)
    if os.fstat(handle).st_gid != status.st_gid and not _has_default_acl(folder):
        # To the folder, the members of this other group are strangers.
        bits = bits & 0o604 | (bits & 0o004) << 3
    os.fchmod(handle, bits | 0o600)


def readable_as(folder: Path) -> int:
    """Return the mode of a file that its owner writes, and that those read who read the folder."""
    return 0o600 | folder.stat().st_mode & 0o044


def make_shared_folder(folder: Path) -> None:
    """Make a folder, and those above it, if need be.

    Inside the folder of a group (setgid, and the group may write) a new folder is the group's,
    too: it gets the same permission bits, but not the sticky bit. Anywhere else, such as in a home
    or in /tmp, the umask decides.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    if folder.is_dir():
        return
    parent = folder.parent
    if not os.path.lexists(parent):
        make_shared_folder(parent)
    bits = stat.S_IMODE(parent.stat().st_mode) & ~stat.S_ISVTX
    if bits & stat.S_ISGID and bits & stat.S_IWGRP:
        with suppress(OSError):
            _make_with_bits(folder, bits)
    # Another run may have been first; if not, this says why it cannot be made.
    folder.mkdir(exist_ok=True)


def _make_with_bits(folder: Path, bits: int) -> None:
    """Make a folder that has its permission bits from the moment it has its name.

    Made under its name it would have those of the umask first, and another user could not get in
    just then.
    """
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        made.chmod(bits)
        made.rename(folder)
    except OSError:
        made.rmdir()
        raise


def _has_default_acl(folder: Path) -> bool:
    """Return whether an ACL decides about new files; their group bits then limit it, no more."""
    try:
        return bool(os.getxattr(folder, "system.posix_acl_default"))
    except (OSError, AttributeError):
        return False
