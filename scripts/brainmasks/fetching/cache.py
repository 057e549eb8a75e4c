# SPDX-License-Identifier: MIT
"""Caches of masks: lacuna's folder and file names, every file hashed at every use."""

import errno
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..errors import MaskError
from ..nifti import CONTENT_SHA256, SHA256, content_limit, difference
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import publish, read_bounded
from .verification import Origin, Verified

log = logging.getLogger(__name__)


class _Damaged(Exception):
    """A cached file is not what its name says."""


class Cache:
    """Verified masks in one folder that may be written, and in folders that may only be read.

    A file under lacuna's name always has the registered SHA-256. A mask that only has the
    registered content (another deflate library made the file) is kept under a name of its own,
    because lacuna would take it for damaged.

    Parameters
    ----------
    folder
        The folder that is written; it need not exist.
    site_folders
        Folders that are looked at after it, in order: laid out as lacuna's cache, or holding the
        files directly.
    """

    def __init__(self, folder: StrPath, site_folders: Sequence[StrPath] = ()) -> None:
        self.folder = Path(folder)
        self.site_folders = [Path(site) for site in site_folders]

    def path(self, mask: BrainMaskMetadata, verified_by: str = SHA256) -> Path:
        """Return the path at which a mask is kept."""
        return self.folder / _name(mask, verified_by)

    def load(self, mask: BrainMaskMetadata) -> tuple[Path, Verified] | None:
        """Return a mask that verifies, and its path, or None; writes nothing for a hit.

        A damaged file in the first folder is quarantined; one in a site's folder is left there.
        """
        for path, verified_by in self._entries(mask):
            before = _identity(path)
            try:
                if found := _read(path, mask, verified_by):
                    return path, found
            except _Damaged as damage:
                if path.parent == self.folder:
                    # Another run may have replaced it meanwhile by a file that verifies.
                    if _identity(path) == before:
                        _quarantine(path, str(damage))
                else:
                    log.warning("mask %s: %s %s; it is not used", mask.name, path, damage)
        return None

    def look(self, mask: BrainMaskMetadata) -> Iterator[tuple[Path, str | None]]:
        """Yield each cached file of a mask, and what is wrong with it; changes nothing."""
        for path, verified_by in self._entries(mask):
            try:
                if _read(path, mask, verified_by):
                    yield path, None
            except _Damaged as damage:
                yield path, str(damage)

    def has(self, mask: BrainMaskMetadata) -> bool:
        """Return whether a mask is cached and verifies; changes nothing, logs nothing."""
        return any(damage is None for _, damage in self.look(mask))

    def folders(self) -> list[Path]:
        """Return the folders that are looked at."""
        return [self.folder, *self.site_folders]

    def store(self, mask: BrainMaskMetadata, found: Verified) -> Path:
        """Keep a verified mask, and a note of where it came from.

        Everybody who may use the folder may use them, whatever the umask.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        path = self.path(mask, found.origin.verified_by)
        try:
            _put(found, path)
        except PermissionError:
            # A damaged file of another user may hold the name, in a folder where only its owner
            # may remove it. Whatever has the registered bytes has the registered content, too.
            path = self.path(mask, CONTENT_SHA256)
            _put(found, path)
        return path

    def _entries(self, mask: BrainMaskMetadata) -> Iterator[tuple[Path, str]]:
        for verified_by in (SHA256, CONTENT_SHA256):
            yield self.path(mask, verified_by), verified_by
        for site in self.site_folders:
            yield site / "masks" / _name(mask, SHA256), SHA256
            yield site / _name(mask, SHA256), SHA256
            yield site / f"{mask.name}.nii.gz", SHA256


def _name(mask: BrainMaskMetadata, verified_by: str) -> str:
    suffix = "" if verified_by == SHA256 else "_recoded"
    return f"{mask.name}_desc-brain_mask{suffix}.nii.gz"


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _put(found: Verified, path: Path) -> None:
    # The note first: one without its mask says nothing, a mask without it loses its origin.
    note = json.dumps(found.origin.note(found.sha256))
    with suppress(OSError, MaskError):
        publish(note.encode(), _note(path), shared=True)
    publish(found.data, path, shared=True)


def _read(path: Path, mask: BrainMaskMetadata, verified_by: str) -> Verified | None:
    """Return a cached mask, None if there is none; raises _Damaged if it does not verify."""
    limit = mask.bytes if verified_by == SHA256 else content_limit(mask.size)
    try:
        data = read_bounded(path, limit)
    except OSError as err:
        # A parent folder that cannot be entered, or is a file, says nothing about the mask.
        if not os.path.lexists(path):
            return None
        reason = (
            "is a dangling link" if err.errno == errno.ENOENT else f"is unusable: {err.strerror}"
        )
        raise _Damaged(reason) from err
    if damage := difference(data, mask, verified_by):
        raise _Damaged(damage)
    sha256 = hashlib.sha256(data).hexdigest()
    # What the bytes are, and not what their note says of them, decides by what they are verified.
    return Verified(
        data, _origin(path, sha256, SHA256 if sha256 == mask.sha256 else CONTENT_SHA256)
    )


def _note(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".source.json")


def _origin(path: Path, sha256: str, verified_by: str) -> Origin:
    """Return the origin that was noted for a cached file, or the cache itself if none was."""
    try:
        note = json.loads(read_bounded(_note(path), largest=1 << 16))
        if note.pop("sha256") == sha256:
            return replace(Origin.from_note(note), verified_by=verified_by)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # lacuna, or a person, put the file there
    return Origin(f"cache:{path.name}", recoded=False, verified_by=verified_by)


def _quarantine(path: Path, reason: str) -> None:
    """Rename a damaged entry out of the way, and drop the one that was quarantined before."""
    form = re.compile(re.escape(path.name) + r"\.damaged-([0-9]+)")
    try:
        earlier = {
            int(match[1]): entry
            for entry in path.parent.iterdir()
            if (match := form.fullmatch(entry.name))
        }
        quarantined = path.with_name(f"{path.name}.damaged-{max(earlier, default=0) + 1}")
        path.rename(quarantined)
    except FileNotFoundError:
        # Another run has done so.
        return
    except OSError as err:
        log.warning(
            "cached file %s %s; it cannot be quarantined (%s)%s",
            path,
            reason,
            err.strerror,
            _other_owner(path),
        )
        return
    log.warning("cached file %s %s; quarantined as %s", path, reason, quarantined.name)
    for entry in earlier.values():
        # One of another user may have to stay.
        with suppress(OSError):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def _other_owner(path: Path) -> str:
    """Return whom to ask about a file of another user."""
    try:
        if path.lstat().st_uid == os.geteuid():
            return ""
        import pwd  # not on every system

        return f"; ask its owner, {pwd.getpwuid(path.lstat().st_uid).pw_name}, to remove it"
    except (ImportError, OSError, KeyError):
        return ""
