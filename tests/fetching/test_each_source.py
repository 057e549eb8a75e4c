# SPDX-License-Identifier: MIT
"""Each kind of source by itself: what it takes for the mask, and what it says if it has none."""

import gzip
import os
import zlib
from dataclasses import replace

import pytest
from bench import Bench

from brainmasks import FetchError, InvalidMaskError
from brainmasks.fetching import Origin
from brainmasks.fetching.sources import LocalCopy, MirrorServer, RegisteredURL
from brainmasks.nifti import CONTENT_SHA256, SHA256, content_limit
from brainmasks.registry.mirrors import Mirror


def registered_url(bench: Bench, **options) -> RegisteredURL:
    """Return the source that a registered URL is."""
    mask = bench.metadata
    return RegisteredURL(
        mask, mask.url, bench.registered, options.get("offline", False), bench.limits
    )


def mirror_server(bench: Bench, offline: bool = False) -> MirrorServer:
    """Return the source that a mirror on the same server is."""
    url = f"{bench.server.url}/copy?token=secret"
    return MirrorServer(bench.metadata, url, bench.registered, offline, bench.limits)


def local_copy(bench: Bench, data: bytes | None = None) -> LocalCopy:
    """Return the source that a copy in a folder is; a file of these bytes, if there are any."""
    path = bench.folder / "copy"
    if data is not None:
        path.write_bytes(data)
    return LocalCopy(bench.metadata, Mirror(str(path)), bench.registered)


def answering(bench: Bench, data: bytes, **headers) -> None:
    """Let the server answer every request with these bytes."""
    bench.server.behaviour = lambda c: c.answer("200 OK", data, **headers)


def repacked(bench: Bench) -> bytes:
    return gzip.compress(gzip.decompress(bench.data), 9, mtime=1)


def test_sources_have_names_and_locations_without_secrets(bench):
    bench.row["url"] = "https://user:secret@host/a"
    found = registered_url(bench)
    assert (found.name, found.location) == ("registered URL https://host/a", "https://host/a")
    found = mirror_server(bench)
    location = f"{bench.server.url}/copy?***"
    assert (found.name, found.location) == (f"mirror {location}", location)
    found = local_copy(bench)
    location = str(bench.folder / "copy")
    assert (found.name, found.location) == (f"local copy {location}", location)
    assert [source.is_server for source in (RegisteredURL, MirrorServer, LocalCopy)] == [
        True,
        True,
        False,
    ]


# --- The registered URL --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encode", "encoding"),
    [
        (lambda data: data, None),
        (lambda data: data, "gzip"),
        (lambda data: data, "br"),
        (lambda data: gzip.compress(data, 1), "gzip"),
        (lambda data: gzip.compress(data, 1), "X-GZIP"),
        (lambda data: zlib.compress(data, 1), "deflate"),
    ],
    ids=["as it is", "said to be gzip", "said to be br", "gzip", "x-gzip", "deflate"],
)
def test_registered_file_is_taken_whatever_encoding_the_server_applied(bench, encode, encoding):
    answering(bench, encode(bench.data), **{"Content_Encoding": encoding} if encoding else {})
    found = registered_url(bench).read()
    assert found.data == bench.data
    assert found.origin == Origin(bench.row["url"], False, SHA256)


@pytest.mark.parametrize(
    ("encode", "encoding", "said"),
    [
        (gzip.compress, None, "more than"),
        (gzip.compress, "br", "more than"),
        (lambda data: b"no gzip", "gzip", "a text file"),
        (lambda data: gzip.compress(data + b"x"), "gzip", "more than"),
        (lambda data: gzip.compress(b"<html><title>Hi</title>"), "gzip", 'titled "Hi"'),
    ],
    ids=["not stated", "another one", "not encoded", "one byte more", "another file"],
)
def test_what_is_not_the_registered_file_once_decoded_is_refused(bench, encode, encoding, said):
    answering(bench, encode(bench.data), **{"Content_Encoding": encoding} if encoding else {})
    with pytest.raises(InvalidMaskError, match=said) as caught:
        registered_url(bench).read()
    assert str(caught.value).startswith(f"expected SHA-256 {bench.row['sha256']}, found ")


def test_decoded_file_is_no_longer_than_the_registered_one(bench):
    """Of a bomb one byte more than that is unpacked, and the rest is not there to be hashed."""
    bomb = gzip.compress(bytes(1 << 24))
    assert len(bomb) < 1024 + (1 << 15)
    bench.row["bytes"] = str(len(bomb))
    answering(bench, bomb, Content_Encoding="gzip")
    with pytest.raises(InvalidMaskError, match=f"more than {len(bomb)} bytes"):
        registered_url(bench).read()


def test_other_registered_mask_is_named(bench):
    bench.row["bytes"] = str(len(bench.other))
    answering(bench, bench.other)
    for source in (registered_url(bench), mirror_server(bench), local_copy(bench, bench.other)):
        with pytest.raises(InvalidMaskError, match="B_2mm"):
            source.read()


def test_same_content_that_is_packed_otherwise_is_not_the_registered_file(bench):
    bench.row["bytes"] = str(len(bench.data) + 99)
    answering(bench, repacked(bench))
    with pytest.raises(InvalidMaskError, match="expected SHA-256"):
        registered_url(bench).read()


# --- Copies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("recoded", [False, True], ids=["as it is", "recoded"])
def test_copy_in_another_encoding_is_taken_by_its_content(bench, recoded):
    copy = gzip.decompress(bench.data) if recoded else repacked(bench)
    answering(bench, copy)
    url = f"{bench.server.url}/copy?***"
    path = str(bench.folder / "copy")
    for source, location in ((mirror_server(bench), url), (local_copy(bench, copy), path)):
        found = source.read()
        assert gzip.decompress(found.data) == gzip.decompress(bench.data)
        assert found.origin == Origin(location, recoded, CONTENT_SHA256)
    assert bench.server.asked == ["GET /copy?token=secret HTTP/1.1"]


def test_copy_of_the_very_file_is_taken_by_its_hash(bench):
    answering(bench, bench.data)
    for source in (mirror_server(bench), local_copy(bench, bench.data)):
        found = source.read()
        assert (found.data, found.origin.verified_by) == (bench.data, SHA256)


@pytest.mark.parametrize("more", [0, 1])
def test_copy_may_have_as_many_bytes_as_the_widest_type_takes(bench, more):
    """So large a file is no mask here, and is looked at or not."""
    limit = content_limit(bench.metadata.size)
    source = local_copy(bench, b"")
    os.truncate(bench.folder / "copy", limit + more)
    with pytest.raises(FetchError if more else InvalidMaskError) as caught:
        source.read()
    said = f"{bench.folder / 'copy'} cannot be read: it has {limit + 1} bytes, more than {limit}"
    assert (str(caught.value) == said) == bool(more)
    answering(bench, bytes(limit + more))
    with pytest.raises(InvalidMaskError) as caught:
        mirror_server(bench).read()
    assert (f"more than {limit} bytes" in str(caught.value)) == bool(more)


def test_copy_that_is_a_folder_cannot_be_read(bench):
    (bench.folder / "copy").mkdir()
    with pytest.raises(FetchError) as caught:
        local_copy(bench).read()
    assert str(caught.value).startswith(f"{bench.folder / 'copy'} cannot be read: ")
    assert "None" not in str(caught.value)


# --- Limits --------------------------------------------------------------------------------------


def test_offline_no_server_is_asked(bench):
    for source in (registered_url(bench, offline=True), mirror_server(bench, offline=True)):
        with pytest.raises(FetchError, match=r"^not asked: offline$"):
            source.read()
    assert bench.server.asked == []


def test_servers_are_asked_as_often_as_the_limits_say(bench):
    bench.server.behaviour = lambda c: c.answer("503 Busy")
    bench.limits = replace(bench.limits, retries=1, backoff=0)
    for source in (registered_url(bench), mirror_server(bench)):
        with pytest.raises(FetchError, match=r"503 Busy \(asked 2 times\)$"):
            source.read()
    assert len(bench.server.asked) == 4


def test_registered_file_that_comes_short_is_asked_for_again(bench):
    """Its size is known, that of a copy is not."""
    answering(bench, bench.data[:-9])
    with pytest.raises(InvalidMaskError, match="damaged gzip file"):
        registered_url(bench).read()
    assert len(bench.server.asked) == bench.limits.retries + 1
    with pytest.raises(InvalidMaskError):
        mirror_server(bench).read()
    assert len(bench.server.asked) == bench.limits.retries + 2
