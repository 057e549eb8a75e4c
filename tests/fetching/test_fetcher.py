# SPDX-License-Identifier: MIT
"""A fetcher as a workflow's job makes it: of plain values, each in its place."""

from pathlib import Path

from support import tiny_mask

from brainmasks.fetching import Fetcher


def test_plain_values_describe_mask_cache_and_sources():
    _, row = tiny_mask("A")
    recorded = row | {"url": "https://host/a"}
    fetcher = Fetcher.from_settings(
        recorded,
        "https://user:secret@host/a",
        "/cache",
        ["/site", "/other"],
        ["/copy", "https://mirror/a"],
        True,
        {row["sha256"]: "A_2mm"},
    )
    assert fetcher.mask.name == "A_2mm"
    assert fetcher.mask.url == "https://user:secret@host/a"
    assert fetcher.cache.folders() == [Path("/cache"), Path("/site"), Path("/other")]
    assert [mirror.location for mirror in fetcher.mirrors] == ["/copy", "https://mirror/a"]
    assert fetcher.offline
    assert fetcher.registered == {row["sha256"]: "A_2mm"}
    assert [source.name for source in fetcher.sources()] == [
        "local copy /copy",
        "registered URL https://host/a",
        "mirror https://mirror/a",
    ]
