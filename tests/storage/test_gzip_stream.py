# SPDX-License-Identifier: MIT
"""Gzip streams: whole, cut off, damaged or something else, told apart within little memory."""

import gzip
import random
import tracemalloc
import zlib

import pytest

from brainmasks import InvalidMaskError
from brainmasks.storage import gunzip, gunzip_whole, is_cut_off

CONTENT = bytes(range(256)) * 100
WHOLE = gzip.compress(CONTENT, mtime=0)
# Bytes of a file that are read at once.
PIECE = 1 << 16
# Does not become smaller, and so is read in several pieces.
NOISE = random.Random(0).randbytes(3 * PIECE)


def test_whole_stream_is_its_content_up_to_the_limit_itself():
    assert gunzip_whole(WHOLE, len(CONTENT)) == CONTENT
    with pytest.raises(InvalidMaskError, match=f"more than {len(CONTENT) - 1} bytes"):
        gunzip_whole(WHOLE, len(CONTENT) - 1)


@pytest.mark.parametrize("limit", [10, 40_000, 100_000])
def test_no_more_is_kept_than_one_byte_beyond_the_limit(limit):
    assert gunzip(gzip.compress(NOISE), limit).content == NOISE[: limit + 1]


def test_of_a_damaged_stream_is_kept_what_came_before_the_damaged_piece():
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    good = packer.compress(NOISE[: PIECE + PIECE // 2]) + packer.flush(zlib.Z_FULL_FLUSH)
    before = gunzip(good[:PIECE], len(NOISE)).content
    # No block begins like this; it comes when much of the second piece has been inflated.
    found = gunzip(good + b"\xff" * 100, len(NOISE))
    assert found.problem.startswith("the gzip stream is damaged: ")
    assert found.content == before


@pytest.mark.parametrize("surplus", [1, PIECE, 5 * PIECE])
def test_bytes_after_a_long_stream_are_counted(surplus):
    problem = gunzip(gzip.compress(NOISE) + bytes(surplus), len(NOISE)).problem
    assert problem.startswith(f"{surplus} bytes follow")


@pytest.mark.parametrize("length", [0, 1, 9, 10, len(WHOLE) // 2, len(WHOLE) - 1])
def test_beginning_of_a_stream_is_cut_off(length):
    assert is_cut_off(WHOLE[:length])


@pytest.mark.parametrize(
    "data",
    [WHOLE, WHOLE + b"x", WHOLE[:-8] + bytes(8), b"<html>", gzip.compress(bytes(1 << 20))],
    ids=["whole", "followed by a byte", "wrong checksum", "HTML", "long"],
)
def test_what_does_not_end_before_its_end_is_not_cut_off(data):
    assert not is_cut_off(data)


def test_stream_is_looked_through_within_little_memory():
    data = gzip.compress(bytes(64 << 20), compresslevel=1)
    tracemalloc.start()
    assert not is_cut_off(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
