# SPDX-License-Identifier: MIT
"""What is cached comes back as it was, with its origin, for everybody who may use the folder."""

import errno
import hashlib
import json
import os
import pwd
import re
from dataclasses import replace

import pytest
from bench import Bench

from brainmasks import FetchError
from brainmasks.fetching import Cache, Origin, Verified
from brainmasks.nifti import CONTENT_SHA256, SHA256, content_limit

WAYS = (SHA256, CONTENT_SHA256)
NOTE_LIMIT = 1 << 16


@pytest.fixture(params=WAYS)
def kept(request, bench) -> tuple[Bench, Cache, Verified]:
    """Return a mask that was kept by the hash that verifies it."""
    if request.param == CONTENT_SHA256:
        bench.leave_only_the_content()
    found = Verified(bench.data, Origin("https://host/a", True, request.param))
    cache = Cache(bench.cache)
    cache.store(bench.metadata, found)
    return bench, cache, found


def entry_of(bench: Bench, verified_by: str):
    """Return where a mask is kept that is verified by a hash, by its full name."""
    ending = {SHA256: ".nii.gz", CONTENT_SHA256: "_recoded.nii.gz"}[verified_by]
    stem = f"A_2mm_desc-brain_mask_sha256-{bench.row['sha256'][:16]}"
    return bench.cache / f"{stem}{ending}"


def note_of(bench: Bench, found: Verified):
    """Return the path of the note beside what was kept."""
    entry = entry_of(bench, found.origin.verified_by)
    return entry.with_name(entry.name.replace(".nii.gz", ".source.json"))


def from_cache(found: Verified) -> Verified:
    """Return what was kept, as it comes back."""
    return replace(found, origin=replace(found.origin, cached=True))


def undigested(note: dict) -> bytes:
    """Return a note as it was written before notes had a digest."""
    return json.dumps({key: value for key, value in note.items() if key != "digest"}).encode()


def test_mask_comes_back_with_its_origin(kept):
    bench, cache, found = kept
    entry = entry_of(bench, found.origin.verified_by)
    note = note_of(bench, found)
    assert cache.load(bench.metadata) == (entry, from_cache(found))
    assert list(cache.look(bench.metadata)) == [(entry, None)]
    assert cache.has(bench.metadata)
    assert set(bench.cache.iterdir()) == {entry, note}
    said = {
        "location": "https://host/a",
        "recoded": True,
        "verified_by": found.origin.verified_by,
    }
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    assert json.loads(note.read_text()) == said | {"sha256": found.sha256, "digest": digest}


@pytest.mark.parametrize(
    "change",
    [
        lambda note: None,
        lambda note: b"no JSON",
        lambda note: b"[]",
        lambda note: json.dumps(note | {"sha256": "0" * 64}).encode(),
        lambda note: json.dumps({"sha256": note["sha256"]}).encode(),
        lambda note: json.dumps(note | {"location": "https://host/b"}).encode(),
        lambda note: json.dumps(note | {"recoded": False}).encode(),
        lambda note: undigested(note | {"location": 1}),
        lambda note: undigested(note | {"recoded": 1}),
        lambda note: undigested(note | {"verified_by": "eye"}),
        lambda note: json.dumps(note).encode().ljust(NOTE_LIMIT + 1),
    ],
    ids=[
        "no note",
        "no JSON",
        "a list",
        "of other bytes",
        "lacks keys",
        "another location than when it was written",
        "recoded no longer",
        "a location that is no text",
        "recoded that is no bool",
        "another hash",
        "too large",
    ],
)
def test_without_a_note_of_these_bytes_the_cache_is_the_origin(kept, change):
    bench, cache, found = kept
    note = note_of(bench, found)
    content = change(json.loads(note.read_text()))
    note.unlink()
    if content is not None:
        note.write_bytes(content)
    (path, loaded) = cache.load(bench.metadata)
    assert loaded.data == found.data
    expected = Origin(f"cache:{path.name}", False, found.origin.verified_by, cached=True)
    assert loaded.origin == expected


def test_note_of_an_earlier_version_without_a_digest_is_read(kept):
    bench, cache, found = kept
    note = note_of(bench, found)
    note.write_bytes(undigested(json.loads(note.read_text())))
    assert cache.load(bench.metadata)[1] == from_cache(found)


def test_note_of_the_largest_size_is_read(kept):
    bench, cache, found = kept
    note = note_of(bench, found)
    note.write_bytes(note.read_bytes().ljust(NOTE_LIMIT))
    assert cache.load(bench.metadata)[1] == from_cache(found)


def test_entry_that_is_too_large_is_damaged_and_says_what_it_may_have(kept):
    bench, cache, _ = kept
    mask = bench.metadata
    # Not the size in the row, which may be wrong.
    largest = content_limit(mask.size)
    (entry, _) = cache.load(mask)
    os.truncate(entry, largest + 1)
    assert list(cache.look(mask)) == [
        (entry, f"is unusable: it has {largest + 1} bytes, more than {largest}")
    ]
    assert not cache.has(mask)


def test_mask_and_note_are_for_the_group_of_the_folder(bench):
    bench.cache.mkdir()
    bench.cache.chmod(0o2770)
    before = os.umask(0o077)
    try:
        Cache(bench.cache).store(bench.metadata, Verified(bench.data, Origin("x", False, SHA256)))
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in bench.cache.iterdir()] == [0o660, 0o660]


def test_note_that_cannot_be_written_keeps_no_mask_from_being_kept(bench):
    found = Verified(bench.data, Origin("x", False, SHA256))
    note_of(bench, found).mkdir(parents=True)
    cache = Cache(bench.cache)
    cache.store(bench.metadata, found)
    assert cache.load(bench.metadata)[1].data == bench.data


def test_log_says_of_each_source_what_came_of_it(bench, caplog):
    caplog.set_level("INFO")
    bench.mirrors = ["/no/such/copy"]
    bench.fetcher().fetch()
    url = bench.row["url"]
    assert caplog.messages == [
        "mask A_2mm: local copy /no/such/copy: /no/such/copy does not exist",
        f"mask A_2mm: registered URL {url}, verified by sha256",
    ]
    caplog.clear()
    bench.fetcher().fetch()
    assert caplog.messages == [f"mask A_2mm: found in the cache, {bench.entry}"]


def test_reasons_are_numbered_from_the_cache_on(bench, caplog):
    caplog.set_level("INFO")
    bench.offline = True
    with pytest.raises(FetchError) as caught:
        bench.fetcher().fetch()
    assert "without a lock" not in caplog.text
    url = bench.row["url"]
    reasons = f"any source:\n(1) cache {bench.cache}: not there\n(2) registered URL {url}: "
    assert reasons in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "A_2mm_desc-brain_mask_sha256-{}.nii.gz",
        "masks/A_2mm_desc-brain_mask.nii.gz",
        "A_2mm_desc-brain_mask.nii.gz",
        "A_2mm.nii.gz",
    ],
)
def test_damaged_file_of_a_site_is_told_and_left(bench, caplog, name):
    site = bench.folder / "site"
    damaged = site / name.format(bench.row["sha256"][:16])
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"x")
    cache = Cache(bench.cache, [site])
    ((path, damage),) = cache.look(bench.metadata)
    assert path == damaged
    assert cache.load(bench.metadata) is None
    assert caplog.messages == [f"mask A_2mm: {damaged} {damage}; it is not used"]
    assert damaged.read_bytes() == b"x"


def test_hash_of_the_bytes_decides_by_what_they_are_verified_and_not_the_note(bench):
    found = Verified(bench.data, Origin("https://host/a", False, CONTENT_SHA256))
    cache = Cache(bench.cache)
    cache.store(bench.metadata, found)
    (path, loaded) = cache.load(bench.metadata)
    assert path == entry_of(bench, CONTENT_SHA256)
    assert loaded.origin == Origin("https://host/a", False, SHA256, cached=True)


@pytest.mark.parametrize("owner", ["this user", "another user", "a user without a name"])
def test_damaged_entry_that_cannot_be_renamed_is_told_with_its_owner(bench, caplog, owner):
    """A file system takes names of 255 bytes, and `.damaged-1` is too much here."""
    mask = replace(bench.metadata, space="A" * 201)
    entry = Cache(bench.cache).path(mask)
    bench.cache.mkdir(parents=True)
    entry.write_bytes(b"x")
    ask = ""
    if owner != "this user":
        if os.geteuid():
            pytest.skip("only root gives files away")
        named = owner == "another user"
        os.chown(entry, pwd.getpwnam("nobody").pw_uid if named else 4_000_000, -1)
        ask = "; ask its owner, nobody, to remove it" * named
    ((_, damage),) = Cache(bench.cache).look(mask)
    assert Cache(bench.cache).load(mask) is None
    reason = os.strerror(errno.ENAMETOOLONG)
    assert caplog.messages == [
        f"cached file {entry} {damage}; it cannot be quarantined ({reason}){ask}"
    ]
    assert list(bench.cache.iterdir()) == [entry]


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"location": 1}, TypeError, "no note of an origin: Origin(location=1, recoded=True,"),
        ({"location": "https://b"}, ValueError, "the note has another digest than it states"),
        ({"cached": 1}, TypeError, "no note of an origin: Origin("),
        ({"cached": True}, ValueError, "the note has another digest than it states"),
    ],
    ids=["no text", "changed", "no bool", "cached all of a sudden"],
)
def test_note_that_is_no_origin_is_an_error_that_says_so(change, kind, said):
    note = Origin("https://host/a", True, SHA256).note("0" * 64)
    with pytest.raises(kind, match=re.escape(said)):
        Origin.from_note(note | change)


@pytest.mark.parametrize(
    ("origin", "recoded", "words"),
    [
        (Origin("https://host/a", False, SHA256), False, "host"),
        (Origin("package:nimare/a", True, SHA256), True, "nimare's copy (recoded)"),
        (Origin("https://host/a", False, SHA256, True), False, "the cache (first from host)"),
        (
            Origin("https://host/a", True, SHA256, True),
            True,
            "the cache (first from host, recoded)",
        ),
        (Origin("cache:a.nii.gz", False, SHA256, True), False, "the cache"),
        # As an earlier version noted it.
        (Origin("cache:a.nii.gz", False, SHA256), True, "the cache (recoded)"),
    ],
)
def test_origin_in_words(origin, recoded, words):
    note = origin.note("0" * 64)
    assert Origin.from_note(note) == origin
    assert ("cached" in note) == origin.cached
    assert origin.in_words(recoded) == words
