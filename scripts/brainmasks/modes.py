"""Who may use a file that was just made: as the umask says, or as the folder says."""

import os
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from .files import is_there


def umask() -> int:
    """Return the umask of this process."""
    with suppress(OSError, StopIteration):
        status = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("Umask:")).split()[1], 8)
    # Elsewhere the only way to read it is to set it.
    found = os.umask(0o077)
    os.umask(found)
    return found


def follow_umask(handle: int) -> None:
    """Give a file that was made private the mode that the umask asks for."""
    os.fchmod(handle, 0o666 & ~umask())


def share(handle: int, folder: Path) -> None:
    """Let everybody who may use a folder use a file that was made private in it.

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
    # Who may not replace a file in the folder shall not write into it either.
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
    if not is_there(parent):
        make_shared_folder(parent)
    bits = stat.S_IMODE(parent.stat().st_mode)
    if bits & stat.S_ISGID and bits & stat.S_IWGRP:
        # With its bits from the first moment, or another user could not get in just then; and by
        # a process of its own, because the umask of this one is that of all its threads.
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                ["mkdir", folder.absolute()],
                umask=0o777 & ~bits,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            return
    # Another run may have been first; if not, this says why it cannot be made.
    folder.mkdir(exist_ok=True)


def _has_default_acl(folder: Path) -> bool:
    """Return whether an ACL decides about new files; their group bits then limit it, no more."""
    try:
        return bool(os.getxattr(folder, "system.posix_acl_default"))
    except (OSError, AttributeError):
        return False
