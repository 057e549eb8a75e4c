# SPDX-License-Identifier: MIT
"""The hash that says whether a file is the registered one: of the file, or of its content."""

import hashlib

from ..registry import BrainMaskMetadata
from ..storage import gunzip
from .reading import content_limit

SHA256 = "sha256"
CONTENT_SHA256 = "content_sha256"


def difference(data: bytes, mask: BrainMaskMetadata, verified_by: str) -> str | None:
    """Return in what a file is not the registered one, None if it is.

    Parameters
    ----------
    data
        The file.
    mask
        What is registered.
    verified_by
        Which hash counts: `CONTENT_SHA256`, or else `SHA256`.
    """
    if verified_by == CONTENT_SHA256:
        stream = gunzip(data, content_limit(mask.size))
        if stream.problem:
            return f"is {'another file' if stream.too_long else 'damaged'}: {stream.problem}"
        found, expected, of = stream.content, mask.content_sha256, "content of SHA-256"
    else:
        found, expected, of = data, mask.sha256, "SHA-256"
    digest = hashlib.sha256(found).hexdigest()
    return None if digest == expected else f"has {of} {digest}, expected {expected}"
