# SPDX-License-Identifier: MIT
"""The sources of a mask beyond the cache: copies on this machine, its URL, other servers."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..errors import FetchError, InvalidMaskError
from ..nifti import content_limit
from ..registry import BrainMaskMetadata, Mirror
from ..storage import read_bounded
from ..urls import shown_url
from .http import transfer
from .limits import Limits
from .verification import Verified, accept


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
    kind : str
        What to call it.
    """

    is_server: ClassVar[bool] = False

    mask: BrainMaskMetadata
    mirror: Mirror
    registered: Mapping[str, str]
    kind: str = "local copy"

    @property
    def location(self) -> str:
        """See `Source`."""
        return self.mirror.location

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"{self.kind} {self.location}"

    def read(self) -> Verified:
        """See `Source`."""
        path = self.mirror.find()
        try:
            data = read_bounded(path, content_limit(self.mask.size))
        except OSError as err:
            raise FetchError(f"{path} cannot be read: {err.strerror}") from err
        return accept(data, self.mask, self.location, self.registered)


@dataclass(frozen=True)
class Server:
    """A copy on another machine, in any encoding.

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
    kind : str
        What to call it.
    """

    is_server: ClassVar[bool] = True

    mask: BrainMaskMetadata
    url: str
    registered: Mapping[str, str]
    offline: bool
    limits: Limits
    kind: str = "mirror"

    @property
    def location(self) -> str:
        """See `Source`."""
        return shown_url(self.url)

    @property
    def name(self) -> str:
        """See `Source`."""
        return f"{self.kind} {self.location}"

    def read(self) -> Verified:
        """See `Source`."""
        if self.offline:
            raise FetchError("not asked: offline")
        mask = self.mask
        largest = content_limit(mask.size) if mask.is_complete else mask.bytes
        data, encoding = transfer(self.url, largest, self.limits)
        try:
            return accept(data, mask, self.location, self.registered)
        except InvalidMaskError:
            decoded = _decoded(data, encoding, largest)
            if decoded is data:
                raise
            return accept(decoded, mask, self.location, self.registered)


def _decoded(data: bytes, encoding: str, largest: int) -> bytes:
    """Undo a Content-Encoding that a server applied although it was asked not to."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return data
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        return reader.decompress(data, largest + 1)
    except zlib.error:
        return data
