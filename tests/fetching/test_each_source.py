# SPDX-License-Identifier: MIT
"""Each kind of source by itself: what it takes for the mask, and what it says if it has none."""

import gzip
import hashlib
import os
import struct
import zlib
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from bench import Bench

from brainmasks import FetchError, InvalidMaskError
from brainmasks.fetching import Origin
from brainmasks.fetching.sources import LocalCopy, Server
from brainmasks.nifti import CONTENT_SHA256, MD5, SHA256, content_limit
from brainmasks.registry.mirrors import Mirror


def registered_url(bench: Bench, offline: bool = False) -> Server:
    """Return the source that a registered URL is."""
    mask = bench.metadata
    options = (bench.registered, offline, bench.limits)
    return Server(mask, mask.url, *options, kind="registered URL")


def mirror_server(bench: Bench, offline: bool = False) -> Server:
    """Return the source that a mirror on the same server is."""
    url = f"{bench.server.url}/copy?token=secret"
    return Server(bench.metadata, url, bench.registered, offline, bench.limits)


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
    assert [source.is_server for source in (Server, LocalCopy)] == [True, False]


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
        (gzip.compress, None, "a gzip file"),
        (gzip.compress, "br", "a gzip file"),
        (lambda data: b"no gzip", "gzip", "a text file"),
        (lambda data: gzip.compress(data + b"x"), "gzip", "1 bytes follow the end"),
        (lambda data: gzip.compress(b"<html><title>Hi</title>"), "gzip", 'titled "Hi"'),
    ],
    ids=["not stated", "another one", "not encoded", "one byte more", "another file"],
)
def test_what_is_not_the_registered_file_once_decoded_is_refused(bench, encode, encoding, said):
    answering(bench, encode(bench.data), **{"Content_Encoding": encoding} if encoding else {})
    with pytest.raises(InvalidMaskError, match=said) as caught:
        registered_url(bench).read()
    assert str(caught.value).startswith(f"expected SHA-256 {bench.row['sha256']}, found ")


@pytest.mark.parametrize("published", [False, True], ids=["grid", "published file"])
def test_decoded_file_is_no_longer_than_any_copy(bench, published):
    """Of a bomb one byte more than that is unpacked, and the rest is not there to be hashed."""
    bomb = gzip.compress(bytes(1 << 24))
    most = content_limit(bench.metadata.size)
    if published:
        bench.register_md5(bytes(len(bomb)))
        most = len(bomb)
    answering(bench, bomb, Content_Encoding="gzip")
    with pytest.raises(InvalidMaskError, match=f"more than {most} bytes|found {most + 1} bytes"):
        registered_url(bench).read()


def test_other_registered_mask_is_named(bench):
    answering(bench, bench.other)
    for source in (registered_url(bench), mirror_server(bench), local_copy(bench, bench.other)):
        with pytest.raises(InvalidMaskError, match="B_2mm"):
            source.read()


# --- Any source, the registered one too ----------------------------------------------------------


def sources(bench: Bench, copy: bytes) -> list[tuple[Server | LocalCopy, str]]:
    """Return each kind of source, all of which have a copy, and its location as it is shown."""
    answering(bench, copy)
    return [
        (registered_url(bench), bench.row["url"]),
        (mirror_server(bench), f"{bench.server.url}/copy?***"),
        (local_copy(bench, copy), str(bench.folder / "copy")),
    ]


ENCODINGS = {
    "packed otherwise": repacked,
    "not compressed": lambda bench: gzip.decompress(bench.data),
    "LAS": lambda bench: encoded(bench, flip=True),
    "float64": lambda bench: encoded(bench, dtype=np.float64),
    "0 and 255": lambda bench: encoded(bench, slope=1 / 255),
    "LAS, float64, 0 and 255": lambda bench: encoded(bench, True, np.float64, 1 / 255),
}


def encoded(bench: Bench, flip: bool = False, dtype=np.uint8, slope: float = 1) -> bytes:
    """Return the mask as others store it."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(bench.data))
    voxels = np.asarray(image.dataobj) * np.uint8(round(1 / slope))
    image = nib.Nifti1Image(voxels.astype(dtype), image.affine)
    if flip:
        image = image.as_reoriented([[0, -1], [1, 1], [2, 1]])
    content = bytearray(image.to_bytes())
    content[112:120] = struct.pack("<ff", slope, 0)
    return gzip.compress(bytes(content), 9)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_copy_in_another_encoding_becomes_the_registered_file(bench, encoding):
    for source, location in sources(bench, ENCODINGS[encoding](bench)):
        found = source.read()
        assert found.data == bench.data
        assert found.origin == Origin(location, True, SHA256)
    assert bench.server.asked == ["GET /mask.nii.gz HTTP/1.1", "GET /copy?token=secret HTTP/1.1"]


@pytest.mark.parametrize("recoded", [False, True], ids=["as it is", "recoded"])
def test_where_another_library_packed_the_registered_file_the_content_counts(bench, recoded):
    theirs = repacked(bench)
    bench.row |= {"sha256": hashlib.sha256(theirs).hexdigest(), "bytes": str(len(theirs))}
    copy = gzip.decompress(bench.data) if recoded else bench.data
    for source, location in sources(bench, copy):
        found = source.read()
        assert found.data == bench.data
        assert found.origin == Origin(location, recoded, CONTENT_SHA256)


@pytest.mark.parametrize("more", [-1, 1, 1000])
def test_wrong_size_of_the_very_file_is_named_as_the_mistake(bench, more):
    size = len(bench.data)
    bench.row["bytes"] = str(size + more)
    for source, _ in sources(bench, bench.data):
        with pytest.raises(InvalidMaskError) as caught:
            source.read()
        assert str(caught.value) == (
            f"the file with the registered SHA-256 has {size} bytes, and its row states "
            f"{size + more}: correct its column `bytes`"
        )


@pytest.mark.parametrize("more", [1, 1000])
def test_wrong_size_of_the_very_published_file_is_named_as_the_mistake(bench, more):
    original = encoded(bench, flip=True)
    bench.register_md5(original, bytes=str(len(original) + more))
    for source, _ in sources(bench, original):
        with pytest.raises(InvalidMaskError) as caught:
            source.read()
        assert str(caught.value) == (
            f"the file with the registered MD5 has {len(original)} bytes, and its row states "
            f"{len(original) + more}: correct its column `bytes`"
        )


def test_published_file_is_kept_as_it_is_from_each_source(bench):
    original = encoded(bench, True, np.float64, 1 / 255)
    bench.register_md5(original)
    for source, location in sources(bench, original):
        found = source.read()
        assert found.data == original
        assert found.origin == Origin(location, False, MD5)


@pytest.mark.parametrize(
    "change",
    [lambda bench: bench.data, repacked, lambda bench: bench.other, lambda bench: b"<html>"],
    ids=["the canonical mask", "packed otherwise", "another mask", "a page"],
)
def test_nothing_but_the_published_file_is_taken_where_its_md5_is_registered(bench, change):
    original = encoded(bench, flip=True)
    bench.register_md5(original)
    expected = f"expected {len(original)} bytes of MD5 {bench.row['md5']}, found "
    for source, _ in sources(bench, change(bench)):
        with pytest.raises(InvalidMaskError) as caught:
            source.read()
        assert str(caught.value).startswith(expected)


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


def test_file_that_is_cut_off_is_asked_for_again_whoever_serves_it(bench):
    answering(bench, bench.data[:-9])
    for times, source in enumerate((registered_url(bench), mirror_server(bench)), start=1):
        with pytest.raises(InvalidMaskError, match="damaged gzip file"):
            source.read()
        assert len(bench.server.asked) == times * (bench.limits.retries + 1)
