# SPDX-License-Identifier: MIT
"""Where each mask is cached, and what is missing."""

import errno
import gzip
import os

from support import tiny_mask

from brainmasks.fetching import Cache, Fetcher
from brainmasks.masks import status
from brainmasks.registry import BrainMaskMetadata, Mirror


def test_status_goes_on_after_a_copy_that_cannot_be_looked_at(tmp_path, monkeypatch):
    """A copy in another encoding needs room for a temporary file."""
    data, row = tiny_mask("A")
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(gzip.compress(gzip.decompress(data), 9))
    mask = BrainMaskMetadata.from_row(row | {"url": "https://example.org/A"})
    fetcher = Fetcher(mask, Cache(tmp_path / "cache"), [Mirror(str(copy))])

    def refuse(*_, **__) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("brainmasks.fetching.verification.recodings", refuse)
    _, first, last = status([fetcher]).splitlines()
    assert first.split(maxsplit=3)[1:3] == ["local", "copy"]
    assert f"{copy}: [Errno 28] No space left on device" in first
    assert "would come from https://example.org/A" in last
