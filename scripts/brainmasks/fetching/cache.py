# SPDX-License-Identifier: MIT
"""Caches of masks: lacuna's folder, names by content, every file hashed at every use."""

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
from ..nifti import CONTENT_SHA256, MD5, SHA256, canonical_file, content_limit, difference
from ..paths import StrPath
from ..registry import BrainMaskMetadata, lacunas_masks, mask_name
from ..storage import publish, read_bounded
from .verification import IN_CACHE, Origin, Verified

# What is added to the name of a mask that only has the registered content.
RECODED = "_recoded"
# Digits of a hash from which files are told apart.
DIGITS = 16

log = logging.getLogger(__name__)


class _Damaged(Exception):
    """A cached file is not what its name says."""


class Cache:
    """Verified masks in one folder that may be written, and in folders that may only be read.

    lacuna's masks have lacuna's names. All others have a name with the hash that is registered, so
    that what two projects register under one name is two files. A file always has the hash that is
    registered. A mask that only has the registered content (another deflate library made the file)
    is kept under a name of its own, because lacuna would take it for damaged.

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

    def path(self, mask: BrainMaskMetadata, verified_by: str | None = None) -> Path:
        """Return the path at which a mask is kept."""
        return self.folder / _name(mask, verified_by or _registered_hash(mask))

    def lock(self, mask: BrainMaskMetadata) -> Path:
        """Return the path of the file that says that a run fetches a mask."""
        return self.folder / f".{mask.name}.lock"

    def hit(self, mask: BrainMaskMetadata) -> tuple[Path, Verified] | None:
        """Return a mask that verifies, and its path, or None; says so in the log.

        As `load`, and a lock that a killed run has left is removed.
        """
        hit = self.load(mask)
        if hit:
            log.info("mask %s: found in the cache, %s", mask.name, hit[0])
            if hit[0].parent == self.folder:
                # Who still holds it has nothing more to fetch.
                with suppress(OSError):
                    self.lock(mask).unlink(missing_ok=True)
        return hit

    def load(self, mask: BrainMaskMetadata) -> tuple[Path, Verified] | None:
        """Return a mask that verifies, and its path, or None; writes nothing for a hit.

        A damaged file in the first folder is quarantined; one in a site's folder is left there.
        """
        for path, verified_by, is_own in self._entries(mask):
            before = _identity(path)
            try:
                if found := _read(path, mask, verified_by):
                    return path, found
            except _Damaged as damage:
                if not is_own:
                    log.warning("mask %s: %s %s; it is not used", mask.name, path, damage)
                # Another run may have replaced it meanwhile by a file that verifies.
                elif _identity(path) == before:
                    _quarantine(path, str(damage))
        return self._under_old_name(mask)

    def look(self, mask: BrainMaskMetadata) -> Iterator[tuple[Path, str | None]]:
        """Yield each cached file of a mask, and what is wrong with it; changes nothing."""
        for path, verified_by, _ in self._entries(mask):
            try:
                if _read(path, mask, verified_by):
                    yield path, None
            except _Damaged as damage:
                yield path, str(damage)
        if hit := self._under_old_name(mask):
            yield hit[0], None

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
            if not mask.is_complete:
                raise
            # A damaged file of another user may hold the name, in a folder where only its owner
            # may remove it. Whatever has the registered bytes has the registered content, too.
            path = self.path(mask, CONTENT_SHA256)
            _put(found, path)
        if not mask.is_complete:
            # For those who may only read the folder, and want the mask and not its source.
            with suppress(OSError, MaskError):
                publish(canonical_file(found.data, mask)[0], canonical_path(path), shared=True)
        return path

    def _entries(self, mask: BrainMaskMetadata) -> Iterator[tuple[Path, str, bool]]:
        """Yield where a mask may be, by which hash, and whether none but its file has that name."""
        for verified_by in _possible_hashes(mask):
            yield self.path(mask, verified_by), verified_by, True
        registered = _registered_hash(mask)
        for site in self.site_folders:
            names = {
                _name(mask, verified_by): verified_by for verified_by in _possible_hashes(mask)
            }
            for name, verified_by in {**names, f"{_stem(mask)}.nii.gz": registered}.items():
                yield site / "masks" / name, verified_by, False
                yield site / name, verified_by, False
            yield site / f"{mask.name}.nii.gz", registered, False

    def _under_old_name(self, mask: BrainMaskMetadata) -> tuple[Path, Verified] | None:
        """Return a mask that an earlier version kept under a name without its hash, if it verifies.

        Another file there may be what another project registers under the name of the mask.
        """
        if is_lacunas(mask) or not mask.is_complete:
            return None
        for verified_by, suffix in ((SHA256, ""), (CONTENT_SHA256, RECODED)):
            path = self.folder / f"{_stem(mask)}{suffix}.nii.gz"
            with suppress(_Damaged):
                if found := _read(path, mask, verified_by):
                    return path, found
        return None


def canonical_path(original: Path) -> Path:
    """Return where a canonical mask is kept beside the file as it was published."""
    return original.with_name(original.name.removesuffix(".nii.gz") + "_canonical.nii.gz")


def is_lacunas(mask: BrainMaskMetadata) -> bool:
    """Return whether lacuna has the very mask, too, and so a name for its file."""
    return lacunas_masks().get(mask.name) == mask.sha256


def _registered_hash(mask: BrainMaskMetadata) -> str:
    return SHA256 if mask.is_complete else MD5


def _possible_hashes(mask: BrainMaskMetadata) -> tuple[str, ...]:
    return (SHA256, CONTENT_SHA256) if mask.is_complete else (MD5,)


def _stem(mask: BrainMaskMetadata) -> str:
    """Return the name of a file of a mask without its ending, in BIDS's order of entities."""
    return f"{mask_name(mask.space, mask.resolution)}_desc-{mask.desc}_mask"


def _name(mask: BrainMaskMetadata, verified_by: str) -> str:
    key = ""
    if verified_by == MD5:
        key = f"_md5-{mask.md5}"
    elif not is_lacunas(mask):
        key = f"_sha256-{mask.sha256[:DIGITS]}"
    return f"{_stem(mask)}{key}{RECODED if verified_by == CONTENT_SHA256 else ''}.nii.gz"


def _identity(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def _put(found: Verified, path: Path) -> None:
    # The note first: one without its mask says nothing, a mask without it loses its origin.
    note = json.dumps(replace(found.origin, cached=False).note(found.sha256))
    with suppress(OSError, MaskError):
        publish(note.encode(), _note(path), shared=True)
    publish(found.data, path, shared=True)


def _read(path: Path, mask: BrainMaskMetadata, verified_by: str) -> Verified | None:
    """Return a cached mask, None if there is none; raises _Damaged if it does not verify."""
    try:
        data = read_bounded(path, content_limit(mask.size))
    except OSError as err:
        # A parent folder that cannot be entered, or is a file, says nothing about the mask.
        if not os.path.lexists(path):
            return None
        reason = (
            "is a dangling link" if err.errno == errno.ENOENT else f"is unusable: {err.strerror}"
        )
        raise _Damaged(reason) from err
    is_exact = verified_by == CONTENT_SHA256 or len(data) == (mask.bytes or len(data))
    if not is_exact and difference(data, replace(mask, bytes=len(data)), verified_by) is None:
        # The file is right, and its size in the row is wrong: the sources say so.
        return None
    if damage := difference(data, mask, verified_by):
        raise _Damaged(damage)
    sha256 = hashlib.sha256(data).hexdigest()
    # What the bytes are, and not what their note says of them, decides by what they are verified.
    if verified_by != MD5:
        verified_by = SHA256 if sha256 == mask.sha256 else CONTENT_SHA256
    return Verified(data, _origin(path, sha256, verified_by))


def _note(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".nii.gz") + ".source.json")


def _origin(path: Path, sha256: str, verified_by: str) -> Origin:
    """Return the origin that was noted for a cached file, or the cache itself if none was."""
    try:
        note = json.loads(read_bounded(_note(path), largest=1 << 16))
        if note.pop("sha256") == sha256:
            return replace(Origin.from_note(note), verified_by=verified_by, cached=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # lacuna, or a person, put the file there
    return Origin(f"{IN_CACHE}{path.name}", recoded=False, verified_by=verified_by, cached=True)


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
