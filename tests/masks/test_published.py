# SPDX-License-Identifier: MIT
"""Published masks and sidecars as others read them: what is registered, or what is wrong."""

import gzip
import hashlib
import json

import pytest
from bench import Bench

from brainmasks import InvalidMaskError
from brainmasks.masks import read_published, read_sidecar
from brainmasks.nifti import content_limit


@pytest.fixture
def made(bench) -> Bench:
    """Return a working folder in which the mask was made."""
    bench.run()
    return bench


def refusal(bench: Bench) -> str:
    """Return the message with which a published mask is refused."""
    with pytest.raises(InvalidMaskError) as caught:
        read_published(bench.mask, bench.metadata)
    return str(caught.value)


def test_published_mask_is_read_as_its_content(made):
    assert read_published(made.mask, made.metadata) == gzip.decompress(made.data)


OTHER = gzip.compress(b"other")
STATES = {
    "not there": (None, "it cannot be read: No such file or directory"),
    "cut off": (lambda bench: bench.data[:-1], "cut off after"),
    "another mask": (lambda bench: OTHER, hashlib.sha256(b"other").hexdigest()),
    "inflates to too much": (
        lambda bench: gzip.compress(bytes(content_limit(bench.metadata.size) + 1)),
        "inflates to more than",
    ),
    "too large": (
        lambda bench: bytes(content_limit(bench.metadata.size) + 1),
        "more than",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_published_mask_that_changed_is_refused_with_what_it_is(made, state):
    change, found = STATES[state]
    made.mask.unlink()
    if change:
        made.mask.write_bytes(change(made))
    message = refusal(made)
    for words in ("mask A_2mm: ", str(made.mask), found, "Run again"):
        assert words in message


def test_published_mask_with_other_content_is_told_with_what_was_expected(made):
    made.mask.write_bytes(OTHER)
    assert f"expected {made.row['content_sha256']}" in refusal(made)


def test_sidecar_is_read_as_it_was_written(made):
    assert read_sidecar(made.sidecar, made.metadata) == json.loads(made.sidecar.read_text())


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "cannot be read: [Errno 2] No such file"),
        (b"{", "cannot be read: Expecting property name"),
        (b"[]", "cannot be read: it holds no JSON object"),
        (b"[" * 100_000, "cannot be read: it is nested too deeply"),
        (b" " * ((1 << 20) + 1), "more than 1048576"),
        (b"{}", "does not say what is registered"),
    ],
    ids=["not there", "no JSON", "a list", "nested", "too large", "empty"],
)
def test_sidecar_that_changed_is_refused_with_what_it_is(made, content, found):
    made.sidecar.unlink()
    if content is not None:
        made.sidecar.write_bytes(content)
    with pytest.raises(InvalidMaskError) as caught:
        read_sidecar(made.sidecar, made.metadata)
    for words in ("mask A_2mm: ", str(made.sidecar), found, "Run again"):
        assert words in str(caught.value)
