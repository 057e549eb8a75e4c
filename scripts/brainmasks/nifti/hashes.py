# SPDX-License-Identifier: MIT
"""The hash that says whether a file is what is registered: of the file, or of its content."""

import hashlib

from ..registry import BrainMaskMetadata
from ..storage import gunzip
from .reading import content_limit

SHA256 = "sha256"
CONTENT_SHA256 = "content_sha256"
# Of the file as it is published, and its size: the publisher states nothing else.
MD5 = "md5"


def difference(data: bytes, mask: BrainMaskMetadata, verified_by: str) -> str | None:
    """Return in what a file is not the registered one, None if it is.

    Parameters
    ----------
    data
        The file.
    mask
        What is registered.
    verified_by
        Which hash counts: `CONTENT_SHA256`, `MD5`, or else `SHA256`. One that is not registered
        is that of no file.
    """
    if verified_by == CONTENT_SHA256:
        stream = gunzip(data, content_limit(mask.size))
        if stream.problem:
            return f"is {'another file' if stream.too_long else 'damaged'}: {stream.problem}"
        found, expected, of = _sha256(stream.content), mask.content_sha256, "content of SHA-256"
    elif verified_by == MD5:
        if len(data) != mask.bytes:
            return f"has {len(data)} bytes, expected {mask.bytes}"
        found, expected, of = md5(data), mask.md5, "MD5"
    else:
        found, expected, of = _sha256(data), mask.sha256, "SHA-256"
    return None if found == expected else f"has {of} {found}, expected {expected or 'none'}"


def md5(data: bytes) -> str:
    """Return the MD5 of a file: what its publisher states, no protection against forgery."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
