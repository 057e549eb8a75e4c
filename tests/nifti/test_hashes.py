# SPDX-License-Identifier: MIT
"""In what a file is not the registered one."""

import gzip
import hashlib
from dataclasses import replace

import pytest
from support import tiny_mask

from brainmasks.nifti import CONTENT_SHA256, MD5, SHA256, content_limit, difference, md5
from brainmasks.registry import BrainMaskMetadata

DATA, ROW = tiny_mask("A")
MASK = BrainMaskMetadata.from_row(ROW | {"url": "https://example.org/A"})
OTHER, _ = tiny_mask("B", seed=1)
LONG = gzip.compress(bytes(content_limit(MASK.size) + 1))


@pytest.mark.parametrize(
    ("data", "by", "said"),
    [
        (DATA, SHA256, None),
        (DATA, CONTENT_SHA256, None),
        (gzip.compress(gzip.decompress(DATA), 9), CONTENT_SHA256, None),
        (gzip.compress(gzip.decompress(DATA), 9), SHA256, "has SHA-256 "),
        (OTHER, CONTENT_SHA256, "has content of SHA-256 "),
        (DATA[:-4], CONTENT_SHA256, "is damaged: "),
        (LONG, CONTENT_SHA256, "is another file: "),
    ],
    ids=[
        "itself",
        "itself, by content",
        "packed again, by content",
        "packed again",
        "another mask",
        "cut off",
        "longer than any copy",
    ],
)
def test_difference_is_told_from_damage(data, by, said):
    found = difference(data, MASK, by)
    assert (found is None) if said is None else found.startswith(said)


def test_published_file_is_told_by_its_size_and_its_md5():
    digest = hashlib.md5(DATA).hexdigest()
    mask = replace(MASK, sha256="", content_sha256="", md5=digest)
    assert md5(DATA) == digest
    assert difference(DATA, mask, MD5) is None
    assert difference(DATA + b"x", mask, MD5) == (
        f"has {len(DATA) + 1} bytes, expected {len(DATA)}"
    )
    other = bytes([DATA[0] ^ 1]) + DATA[1:]
    assert difference(other, mask, MD5) == f"has MD5 {md5(other)}, expected {digest}"
    # A hash that is not registered is that of no file.
    assert difference(DATA, mask, SHA256).endswith(", expected none")
    assert difference(DATA, MASK, MD5).endswith(", expected none")
