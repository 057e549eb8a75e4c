"""Gzip streams: read to the end, with a limit, and every defect named."""

import zlib
from dataclasses import dataclass

_PIECE = 1 << 16


@dataclass(frozen=True)
class Stream:
    """What a gzip file holds: as much content as could be read, and what is wrong with it."""

    content: bytes
    problem: str | None


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
    if data[:2] != b"\x1f\x8b":
        return Stream(b"", f"it is not gzip: it begins with {data[:4].hex(' ')}")
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    pieces: list[bytes] = []
    room = limit
    for start in range(0, len(data), _PIECE):
        try:
            # One byte more than allowed tells a full stream from one that is too long.
            piece = reader.decompress(data[start : start + _PIECE], room + 1)
        except zlib.error as err:
            return Stream(b"".join(pieces), f"the gzip stream is damaged: {err}")
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            return Stream(b"".join(pieces), f"it inflates to more than {limit} bytes")
        if reader.eof:
            surplus = len(reader.unused_data) + max(0, len(data) - start - _PIECE)
            problem = f"{surplus} bytes follow the end of the gzip stream" if surplus else None
            return Stream(b"".join(pieces), problem)
    return Stream(b"".join(pieces), f"the gzip stream is cut off after {len(data)} bytes")


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
