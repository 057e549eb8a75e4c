# SPDX-License-Identifier: MIT
"""Verified bytes of a mask: by which hash, and where they came from."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from ..errors import InvalidMaskError
from ..nifti import (
    CONTENT_SHA256,
    MD5,
    SHA256,
    canonical_file,
    content_limit,
    difference,
    md5,
    recodings,
)
from ..registry import BrainMaskMetadata, Mirror
from ..urls import one_line

# Before the name of a cached file of which nobody has noted where it came from.
IN_CACHE = "cache:"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Origin:
    """Where the bytes of a mask came from, and how they were verified.

    Attributes
    ----------
    location : str
        The URL, or the copy as the table of mirrors writes it.
    recoded : bool
        Whether it was stored differently there, and recoded to the canonical encoding.
    verified_by : str
        ``"sha256"``; ``"content_sha256"`` if only the gunzipped bytes are the registered ones;
        ``"md5"`` if that is what is registered, of the file as it is published.
    cached : bool
        Whether they were taken from the cache, and came from there when they were cached.
    """

    location: str
    recoded: bool
    verified_by: str
    cached: bool = False

    @classmethod
    def from_note(cls, note: Mapping[str, Any]) -> "Origin":
        """Return what a note says, whatever else another version wrote into it.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no such note, or says something else than when it was written.
        """
        cached = note.get("cached", False)
        origin = cls(note["location"], note["recoded"], note["verified_by"], cached)
        if not (
            isinstance(origin.location, str)
            and isinstance(origin.recoded, bool)
            and isinstance(origin.cached, bool)
            and origin.verified_by in (SHA256, CONTENT_SHA256, MD5)
        ):
            raise TypeError(f"it is no note of an origin: {one_line(repr(origin))}")
        # An earlier version wrote none.
        if "digest" in note and note["digest"] != origin._digest:
            raise ValueError("the note has another digest than it states")
        return origin

    def note(self, sha256: str) -> dict[str, Any]:
        """Return the note of this origin, for the bytes of a SHA-256."""
        return {**self._stated, "sha256": sha256, "digest": self._digest}

    def in_words(self, recoded: bool) -> str:
        """Return from where they came, for people: the sidecar has it in full.

        Parameters
        ----------
        recoded
            Whether they are another encoding of what is there.
        """
        place, remarks = "the cache", []
        if not self.location.startswith(IN_CACHE):
            first = one_line(Mirror(self.location).place)
            if self.cached:
                remarks.append(f"first from {first}")
            else:
                place = first
        if recoded:
            remarks.append("recoded")
        return f"{place} ({', '.join(remarks)})" if remarks else place

    @property
    def _stated(self) -> dict[str, Any]:
        """What a note states; that bytes were cached if they were, as earlier versions never do."""
        stated = asdict(self)
        if not self.cached:
            del stated["cached"]
        return stated

    @property
    def _digest(self) -> str:
        """Tells whether a bit of a note has changed; nothing else says where bytes came from."""
        return hashlib.sha256(json.dumps(self._stated).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Verified:
    """The bytes of a mask, verified, and where they came from."""

    data: bytes
    origin: Origin

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


def accept(
    data: bytes,
    mask: BrainMaskMetadata,
    location: str,
    registered: Mapping[str, str] = MappingProxyType({}),
) -> Verified:
    """Return a copy from elsewhere if it is the mask, recoded where it is encoded differently.

    Parameters
    ----------
    data
        The copy.
    mask
        What is registered.
    location
        Where the copy comes from.
    registered
        Name of each registered mask by SHA-256 of its file and of its content.

    Raises
    ------
    InvalidMaskError
        If it is not the mask.
    """
    if not mask.is_complete:
        return _accept_published(data, mask, location, registered)
    candidates = [(data, False)]
    try:
        if difference(data, mask, SHA256):
            candidates += [(candidate, True) for candidate in recodings(data, mask)]
    except InvalidMaskError as err:
        log.debug("%s: %s", location, err)
    # The registered file itself, if possible; else the registered content.
    for verified_by in (SHA256, CONTENT_SHA256):
        for candidate, recoded in candidates:
            if difference(candidate, mask, verified_by) is None:
                if verified_by == SHA256 and len(candidate) != (mask.bytes or len(candidate)):
                    raise InvalidMaskError(
                        f"the file with the registered SHA-256 has {len(candidate)} bytes, and its "
                        f"row states {mask.bytes}: correct its column `bytes`"
                    )
                return Verified(candidate, Origin(location, recoded, verified_by))
    raise InvalidMaskError(mismatch(data, mask, registered, content_limit(mask.size)))


def _accept_published(
    data: bytes, mask: BrainMaskMetadata, location: str, registered: Mapping[str, str]
) -> Verified:
    """Return a file as it was published if it has the registered MD5, and holds the mask."""
    if difference(data, mask, MD5):
        if md5(data) == mask.md5:
            raise InvalidMaskError(
                f"the file with the registered MD5 has {len(data)} bytes, and its row states "
                f"{mask.bytes}: correct its column `bytes`"
            )
        raise InvalidMaskError(mismatch(data, mask, registered, content_limit(mask.size)))
    try:
        canonical_file(data, mask)
    except InvalidMaskError as err:
        raise InvalidMaskError(
            f"the file has the registered MD5, but does not hold what its row states: {err}"
        ) from err
    return Verified(data, Origin(location, recoded=False, verified_by=MD5))


def mismatch(
    data: bytes, mask: BrainMaskMetadata, registered: Mapping[str, str], largest: int
) -> str:
    """Return what was expected, and what was found instead; see `diagnose`."""
    from .diagnose import diagnose

    try:
        diagnosis = diagnose(data, mask, registered, largest)
    except Exception as err:  # noqa: BLE001, a courtesy never keeps the next from being tried
        diagnosis = f"something that cannot be described ({type(err).__name__})"
    if mask.is_complete:
        found = hashlib.sha256(data[:largest]).hexdigest()
        return f"expected SHA-256 {mask.sha256}, found {found}: {diagnosis}"
    return (
        f"expected {mask.bytes} bytes of MD5 {mask.md5}, found {len(data)} bytes of MD5 "
        f"{md5(data)}: {diagnosis}"
    )
