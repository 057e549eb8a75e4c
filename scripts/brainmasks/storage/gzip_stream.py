# SPDX-License-Identifier: MIT
"""Gzip streams: read to the end, with a limit, and every defect named."""

import io
import zlib
from dataclasses import dataclass

from ..errors import InvalidMaskError

# Bytes of the file that are read at once.
_PIECE = 1 << 16
# Bytes of content that are inflated at once: zlib would join more than that from several parts.
_INFLATED = 1 << 15


@dataclass(frozen=True)
class Stream:
    """What a gzip file holds: as much content as could be read, and what is wrong with it."""

    content: bytes
    problem: str | None
    # Whether reading stopped at the limit: there is no saying whether the rest is whole.
    too_long: bool = False


def is_gzip(data: bytes) -> bool:
    """Return whether data begin as a gzip file does."""
    return data[:2] == b"\x1f\x8b"


def gunzip_whole(data: bytes, limit: int) -> bytes:
    """Return the content of a gzip file that is whole; the parameters are those of `gunzip`.

    Raises
    ------
    InvalidMaskError
        If anything is wrong with it; says what.
    """
    stream = gunzip(data, limit)
    if stream.problem:
        raise InvalidMaskError(stream.problem)
    return stream.content


def gunzip(data: bytes, limit: int) -> Stream:
    """Read one gzip member to its end, checksum and length included.

    Parameters
    ----------
    data
        The file.
    limit
        Most bytes that the content may have; reading stops there.
    """
    if not data:
        return Stream(b"", "the file is empty")
    if not is_gzip(data):
        return Stream(b"", f"it is not gzip: it begins with {data[:4].hex(' ')}")
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    # Holds the content once, and hands it out without a copy: joined pieces are there twice.
    content = io.BytesIO()
    for start in range(0, len(data), _PIECE):
        read = content.tell()
        pending = data[start : start + _PIECE]
        full = True
        # A full piece may have more behind it, in what is pending or in the reader itself.
        while full and not reader.eof:
            # One byte more than allowed tells a full stream from one that is too long.
            room = min(_INFLATED, limit + 1 - content.tell())
            try:
                piece = reader.decompress(pending, room)
            except zlib.error as err:
                content.truncate(read)
                return Stream(content.getvalue(), f"the gzip stream is damaged: {err}")
            content.write(piece)
            if content.tell() > limit:
                return Stream(content.getvalue(), f"it inflates to more than {limit} bytes", True)
            pending = reader.unconsumed_tail
            full = len(piece) == room
        if reader.eof:
            surplus = len(reader.unused_data) + max(0, len(data) - start - _PIECE)
            problem = f"{surplus} bytes follow the end of the gzip stream" if surplus else None
            return Stream(content.getvalue(), problem)
    return Stream(content.getvalue(), f"the gzip stream is cut off after {len(data)} bytes")


def is_cut_off(data: bytes) -> bool:
    """Return whether a file is empty, or gzip that ends before its end; keeps no content."""
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        pending = data
        while pending and not reader.eof:
            reader.decompress(pending, _PIECE)
            pending = reader.unconsumed_tail
    except zlib.error:
        return False
    return not reader.eof
