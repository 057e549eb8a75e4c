# SPDX-License-Identifier: MIT
"""The sources of a mask beyond the cache: copies on this machine, its URL, other servers."""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..errors import FetchError, InvalidMaskError
from ..nifti import SHA256, content_limit
from ..registry import BrainMaskMetadata, Mirror
from ..storage import read_bounded
from ..urls import shown_url
from .http import transfer
from .limits import Limits
from .verification import Origin, Verified, accept, mismatch


class Source(Protocol):
    """Where a mask may come from."""

    is_server: ClassVar[bool]

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def location(self) -> str:
        """Its URL as it may be shown, or the copy as the table of mirrors writes it."""

    def read(self) -> Verified:
        """Return the mask from there, verified.

        Raises
        ------
        FetchError
            If the mask is not available there.
        InvalidMaskError
            If what is there is not the mask.
        """


@dataclass(frozen=True)
class LocalCopy:
    """A copy on this machine, in any encoding.

    Attributes
    ----------
    mask : BrainMaskMetadata
    mirror : Mirror
    registered : mapping
        Name of each registered mask by SHA-256 of its file and of its content.
    """

    is_server: ClassVar[bool] = False

    mask: BrainMaskMetadata
    mirror: Mirror
    registered: Mapping[str, str]

    @property
    def location(self) -> str:
        """See `Source`."""
        return self.mirror.location

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"local copy {self.location}"

    def read(self) -> Verified:
        """See `Source`."""
        path = self.mirror.find()
        try:
            data = read_bounded(path, content_limit(self.mask.size))
        except OSError as err:
            raise FetchError(f"{path} cannot be read: {err.strerror}") from err
        return accept(data, self.mask, self.location, self.registered)


@dataclass(frozen=True)
class _Server:
    """A URL on another machine.

    Attributes
    ----------
    mask : BrainMaskMetadata
    url : str
    registered : mapping
        Name of each registered mask by SHA-256 of its file and of its content.
    offline : bool
        Whether to do without network: no socket is opened.
    limits : Limits
        How long to wait for servers.
    """

    is_server: ClassVar[bool] = True

    mask: BrainMaskMetadata
    url: str
    registered: Mapping[str, str]
    offline: bool
    limits: Limits

    @property
    def location(self) -> str:
        """The URL as it may be shown."""
        return shown_url(self.url)

    def transfer(self, largest: int, expected: int | None = None) -> tuple[bytes, str]:
        """Return body and Content-Encoding; see `http.transfer`."""
        if self.offline:
            raise FetchError("not asked: offline")
        return transfer(self.url, largest, expected, self.limits)


class RegisteredURL(_Server):
    """The URL of the registry: what is there must be the registered file itself."""

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"registered URL {self.location}"

    def read(self) -> Verified:
        """See `Source`."""
        mask = self.mask
        data, encoding = self.transfer(mask.bytes, mask.bytes)
        if _sha256(data) != mask.sha256 and encoding:
            data = _decoded(data, encoding, mask.bytes)
        if _sha256(data) != mask.sha256:
            raise InvalidMaskError(mismatch(data, mask, self.registered, mask.bytes))
        return Verified(data, Origin(self.location, False, SHA256))


class MirrorServer(_Server):
    """A mirror on another machine: a copy, in any encoding."""

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"mirror {self.location}"

    def read(self) -> Verified:
        """See `Source`."""
        data, _ = self.transfer(content_limit(self.mask.size))
        return accept(data, self.mask, self.location, self.registered)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _decoded(data: bytes, encoding: str, largest: int) -> bytes:
    """Undo a Content-Encoding that a server applied although it was asked not to."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return data
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        return reader.decompress(data, largest + 1)
    except zlib.error:
        return data
