# SPDX-License-Identifier: MIT
"""Put a file in its place whole, or not at all."""

import json
import os
import re
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import MaskError
from ..paths import StrPath
from .permissions import make_shared_folder, share

_SUFFIX = ".part"
# A temporary file of a run on another host is stale after this many seconds.
_STALE = 3600.0


def publish(data: bytes, path: StrPath, shared: bool = False) -> None:
    """Write a file so that its name only ever stands for all of its bytes.

    A private temporary file in the same folder is written, flushed to disk, read again and
    renamed. Temporary files that killed runs left behind are cleared.

    Parameters
    ----------
    data
        The whole content.
    path
        The final name; an existing file is replaced.
    shared
        Whether everybody who may use the folder may use the file. Else its mode follows the
        umask.

    Raises
    ------
    OSError
        If the folder cannot be written; names the file.
    MaskError
        If the disk gave back other bytes than were written; the name then stands for what it
        did before.
    """
    path = Path(path)
    try:
        if shared:
            make_shared_folder(path.parent)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
        _clear_stale(path)
        _write(data, path, shared)
    except OSError as err:
        # What goes wrong while writing names no file by itself.
        raise type(err)(err.errno, err.strerror, str(path)) from err


def to_json(content: Any) -> bytes:
    """Return a JSON text as it is written to a file: indented, with a line end."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _write(data: bytes, path: Path, shared: bool) -> None:
    name = f".{path.name}.{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}{_SUFFIX}"
    temporary = path.with_name(name)
    # The system itself takes the umask off this mode; `share` opens the file to others.
    mode = 0o600 if shared else 0o666
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            if shared:
                share(file.fileno(), path.parent)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Before it has the name: nobody reads, and no kill leaves, other bytes under it.
        _require_written(data, temporary, path)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _require_written(data: bytes, temporary: Path, path: Path) -> None:
    if temporary.read_bytes() != data:
        raise MaskError(f"{path}: the disk does not hold what was written to it; use another one")


def _sync_folder(folder: Path) -> None:
    # Some network file systems cannot; the rename itself has succeeded.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _clear_stale(path: Path) -> None:
    """Remove temporary files for this name whose process is gone."""
    form = re.compile(
        rf"\.{re.escape(path.name)}\.(?P<host>.+)\.(?P<pid>[0-9]+)\.[^.]+{re.escape(_SUFFIX)}"
    )
    for entry in path.parent.iterdir():
        if (match := form.fullmatch(entry.name)) and _is_stale(entry, match["host"], match["pid"]):
            # One of another user may have to stay.
            with suppress(OSError):
                entry.unlink()


def _is_stale(entry: Path, host: str, pid: str) -> bool:
    if host == socket.gethostname():
        return not Path("/proc", pid).exists() if Path("/proc").is_dir() else _is_old(entry)
    return _is_old(entry)


def _is_old(entry: Path) -> bool:
    try:
        return time.time() - entry.stat().st_mtime > _STALE
    except FileNotFoundError:
        return False
