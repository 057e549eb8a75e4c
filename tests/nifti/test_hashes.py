# SPDX-License-Identifier: MIT
"""In what a file is not the registered one."""

import gzip

import pytest
from support import tiny_mask

from brainmasks.nifti import CONTENT_SHA256, SHA256, content_limit, difference
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
