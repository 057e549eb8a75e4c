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
    _, first, last = status([fetcher], ["A_2mm"]).splitlines()
    assert first.split(maxsplit=3)[1:3] == ["local", "copy"]
    assert f"{copy}: [Errno 28] No space left on device" in first
    assert "would come from https://example.org/A" in last


def test_masks_that_nobody_asked_for_have_a_line_only_if_they_are_here(tmp_path):
    cache = Cache(tmp_path / "cache")
    fetchers = []
    for seed, space in enumerate("ABCD"):
        data, row = tiny_mask(space, seed=seed)
        mask = BrainMaskMetadata.from_row(row | {"url": f"https://example.org/{space}"})
        fetchers.append(Fetcher(mask, cache))
        if space == "C":
            path = cache.path(mask)
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
    _, *lines, last = status(fetchers, ["A_2mm"]).splitlines()
    assert [line.split()[:2] for line in lines] == [["A_2mm", "nowhere"], ["C_2mm", "cache"]]
    assert last == "Registered, too, and nowhere on this machine: B_2mm, D_2mm"


def test_size_is_that_of_the_file_a_link_leads_to(tmp_path):
    data, row = tiny_mask("A")
    cache = Cache(tmp_path / "cache")
    fetcher = Fetcher(BrainMaskMetadata.from_row(row | {"url": "https://example.org/A"}), cache)
    path = cache.path(fetcher.mask)
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    assert status([fetcher], []).splitlines()[1].split()[:4] == ["A_2mm", "cache", "no", str(path)]
    (tmp_path / "elsewhere").write_bytes(data)
    assert status([fetcher], []).splitlines()[1].split()[1:4] == ["cache", "yes", str(len(data))]
