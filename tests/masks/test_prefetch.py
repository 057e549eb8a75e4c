# SPDX-License-Identifier: MIT
"""The cache is filled beforehand: every mask is tried, and what is missing is named."""

import json
from dataclasses import replace

import pytest
from support import Server, entry_of, tiny_mask

from brainmasks import BrainMaskMetadata, FetchError
from brainmasks.fetching import Cache, Fetcher
from brainmasks.masks import prefetch

MASKS = {space: tiny_mask(space, seed=seed) for seed, space in enumerate("ABC")}
ROWS = {space: row for space, (_, row) in MASKS.items()}


@pytest.fixture
def fetchers(server: Server, cache) -> list[Fetcher]:
    """Return fetchers of three masks that are served."""
    fetchers = []
    for space, (data, row) in MASKS.items():
        server.files[f"/{space}"] = data
        mask = BrainMaskMetadata.from_row(row | {"url": f"{server.url}/{space}"})
        fetchers.append(Fetcher(mask, Cache(cache)))
    return fetchers


def cached(cache) -> set[str]:
    return {path.name for path in cache.iterdir()} if cache.is_dir() else set()


def files(*spaces: str) -> set[str]:
    """Return the names of masks, and of the notes of their origin, in the cache."""
    return {entry_of(ROWS[space]).name for space in spaces}


def masks_in(cache) -> set[str]:
    return {name for name in cached(cache) if name.endswith(".nii.gz")}


def test_every_mask_is_in_the_cache_and_its_path_is_logged(fetchers, server, cache, caplog):
    caplog.set_level("INFO")
    prefetch(fetchers)
    assert masks_in(cache) == files("A", "B", "C")
    for space in "ABC":
        path = entry_of(ROWS[space], cache)
        assert path.read_bytes() == server.files[f"/{space}"]
        assert f"{space}_2mm: verified, in the cache, {path}" in caplog.text
    assert server.asked == ["/A", "/B", "/C"]


def test_what_is_cached_is_not_asked_for_again(fetchers, server):
    prefetch(fetchers)
    prefetch(fetchers)
    assert server.asked == ["/A", "/B", "/C"]


def test_nothing_to_fetch_is_no_failure(cache):
    prefetch([])
    assert cached(cache) == set()


def test_all_are_tried_before_the_missing_are_named(fetchers, server, cache, caplog):
    del server.files["/A"]
    server.files["/B"] = b"a page"
    with pytest.raises(FetchError) as caught:
        prefetch(fetchers)
    assert str(caught.value) == "2 of 3 masks are not in the cache: A_2mm, B_2mm"
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 2
    assert "mask A_2mm is not available" in errors[0]
    assert "404" in errors[0]
    assert "mask B_2mm is not available" in errors[1]
    assert f"expected SHA-256 {fetchers[1].mask.sha256}" in errors[1]
    assert masks_in(cache) == files("C")


def test_mask_that_cannot_be_kept_is_missing_though_it_was_fetched(fetchers, server, cache, caplog):
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(FetchError, match="3 of 3 masks are not in the cache: A_2mm, B_2mm, C_2mm"):
        prefetch(fetchers)
    assert "mask C_2mm is not kept in the cache" in caplog.text
    assert server.asked == ["/A", "/B", "/C"]


def test_mask_of_a_site_cache_is_copied_into_the_cache(fetchers, server, cache, tmp_path, caplog):
    """From there, without asking a server; what is damaged there is not."""
    site = tmp_path / "site"
    for space, data in (("A", MASKS["A"][0]), ("B", b"rotten")):
        path = entry_of(ROWS[space], site)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    before = {path: path.read_bytes() for path in site.iterdir()}
    prefetch([replace(each, cache=Cache(cache, [site])) for each in fetchers[:2]])
    for space in "AB":
        assert entry_of(ROWS[space], cache).read_bytes() == MASKS[space][0]
    assert server.asked == ["/B"]
    assert {path: path.read_bytes() for path in site.iterdir()} == before
    assert "it is not used" in caplog.text


def test_mask_of_a_site_cache_is_missing_where_the_cache_cannot_keep_it(fetchers, cache, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    entry_of(ROWS["A"], site).write_bytes(MASKS["A"][0])
    cache.parent.mkdir(parents=True)
    cache.write_bytes(b"a file where the folder should be")
    with pytest.raises(FetchError, match="1 of 1 masks are not in the cache: A_2mm"):
        prefetch([replace(fetchers[0], cache=Cache(cache, [site]))])


def test_offline_nothing_is_asked_and_what_to_do_is_said(fetchers, server, caplog):
    with pytest.raises(FetchError, match="1 of 1 masks"):
        prefetch([replace(fetchers[0], offline=True)])
    assert "not asked: offline" in caplog.text
    assert "snakemake prefetch" in caplog.text
    assert server.asked == []


def test_origin_is_noted_beside_the_mask(fetchers, cache):
    prefetch(fetchers[:1])
    (note,) = cached(cache) - files("A")
    assert json.loads((cache / note).read_text())["location"] == fetchers[0].mask.url
