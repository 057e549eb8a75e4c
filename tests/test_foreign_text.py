# SPDX-License-Identifier: MIT
"""Text of servers, tables, files and configurations: read in linear time, shown harmlessly.

No time is measured: each test has an alarm, and a text for which a quadratic pattern would take
minutes.
"""

import json
import re
from itertools import product

import pytest
from bench import LIMITS
from faultserver import FaultServer
from hypothesis import given, settings
from hypothesis import strategies as st
from image_cases import compare
from support import REPO, time_bound, tiny_mask

from brainmasks import FetchError, RegistryError
from brainmasks.fetching import Cache, Fetcher
from brainmasks.fetching.diagnose import diagnose
from brainmasks.fetching.http import transfer
from brainmasks.images import read_images
from brainmasks.masks import status
from brainmasks.qc.mask_page import mask_page
from brainmasks.registry import (
    BrainMaskMetadata,
    BrainMaskRegistry,
    Mirror,
    closest,
    read_settings,
    split_name,
    user_path,
)
from brainmasks.registry.schemas import read_schema
from brainmasks.registry.table_reading import read_table
from brainmasks.storage import publish
from brainmasks.urls import escaped, one_line, redact, shown_url

# Seconds; no test comes near.
LONGEST = 60
# Letters of a long text.
LONG = 100_000
SCHEMAS = REPO / "workflow" / "schemas"
DATA, ROW = tiny_mask("A")
MASK = BrainMaskMetadata.from_row(ROW | {"url": "https://example.org/a"})
FUZZ = settings(derandomize=True, database=None, deadline=None, max_examples=150)


@pytest.fixture(autouse=True)
def bounded():
    """End a test that hangs."""
    with time_bound(LONGEST):
        yield


def refusal(work, *args) -> str | None:
    """Return the message with which something is refused, None if it is not."""
    try:
        work(*args)
    except (RegistryError, FetchError) as err:
        return str(err)
    return None


def is_harmless(message: str | None) -> bool:
    """Return whether a terminal may show a message."""
    return message is None or escaped(message, but="\n") == message


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder for all examples of a test."""
    return tmp_path_factory.mktemp("foreign")


def patterns(rules, where: str) -> dict[str, str]:
    """Return each pattern of a schema, by where it stands."""
    found = {}
    for key, value in rules.items():
        if key == "pattern" and isinstance(value, str):
            found[where] = value
        elif isinstance(value, dict):
            found |= patterns(value, f"{where}.{key}")
    return found


PATTERNS = {
    where.replace(".properties", ""): pattern
    for path in sorted(SCHEMAS.glob("*.json"))
    for where, pattern in patterns(json.loads(path.read_text()), path.name.split(".")[0]).items()
}
# What the patterns are made of: how a long text begins, what it repeats, how it ends.
STARTS = ("", "https://", "doi:10.", "package:a/", "file:///", "a_", "1")
REPEATED = ("a", "/", "1", "1.", "a.", ":", "1x", "-1,", "_", "\u00e9")
ENDS = ("", " ", "\x01")


def long_texts() -> list[str]:
    return [
        start + repeated * (LONG // len(repeated)) + end
        for start, repeated, end in product(STARTS, REPEATED, ENDS)
    ]


@pytest.mark.parametrize("where", PATTERNS)
def test_pattern_of_a_cell_is_linear(where):
    """With `re.search`, as jsonschema asks."""
    for text in long_texts():
        re.search(PATTERNS[where], text)


def test_every_schema_of_a_table_is_tried():
    assert {where.split(".")[0] for where in PATTERNS} == {
        "aliases",
        "backgrounds",
        "config",
        "grids",
        "images",
        "lookalikes",
        "mirrors",
        "other_names",
        "references",
        "registry",
    }
    assert len(PATTERNS) > 15


def test_functions_on_text_are_linear():
    for text in long_texts():
        split_name(text)
        split_name(f"{text}mm")
        closest(text, ["A_2mm", "B_2mm"])
        redact(text)
        shown_url(text)
        assert len(one_line(text)) <= 300
    for text in long_texts()[:: len(ENDS)]:
        for each in (text, "${" + text, text.replace("a", "${a"), "$" + text):
            assert Mirror(each).remedy is None or isinstance(Mirror(each).remedy, str)
            with pytest.raises(FetchError):
                Mirror(f"/nowhere/{each}").find()


def test_pages_link_nothing_but_addresses_however_long():
    sidecar = {
        "SpaceRequested": "A",
        "SpaceServed": "A",
        "Grid": {
            "Shape": [1, 1, 1],
            "VoxelSize": [2, 2, 2],
            "Origin": [0, 0, 0],
            "Units": "mm",
            "Orientation": "RAS",
        },
        "Voxels": 1,
        "VolumeML": 1.0,
        "Sources": long_texts()[:40],
        "Recoded": False,
        "VerifiedBy": "sha256",
        "SHA256": "a",
        "ContentSHA256": "b",
        "License": "https://" + "a" * LONG + " <",
        "ReferencesAndLinks": ["https://" * (LONG // 8)],
    }
    page = mask_page({"A_2mm": sidecar})
    assert " <</" not in page


# --- Tables and configurations ------------------------------------------------------------------

CELLS = st.lists(
    st.sampled_from(
        [
            *("\t", "\n", "\r", "\x00", "\x1b[2J", "\x9b2J", "\u202e", "\ufeff", "\x85"),
            *("space", "resolution", "url", "mask", "location", "image", "id", "A", "2", "A_2mm"),
            *("https://", "[", "]", ":", "@", "?", "..", "/", "${", "}", "BRAINMASKS_X", "doi:10."),
            *("package:", "file:///", "~", "nan", "1e9", "-", ",", "x", "'", '"', "\\", " "),
        ]
    ),
    max_size=60,
).map("".join)
KINDS = ("registry", "mirrors", "images")


def read(path, kind: str) -> str | None:
    """Read a table of one kind; return the message with which it is refused, if it is."""
    message = refusal(read_table, path, read_schema(SCHEMAS / f"{kind}.schema.json"))
    assert is_harmless(message)
    return message


@FUZZ
@given(text=CELLS, kind=st.sampled_from(KINDS), named=st.booleans())
def test_table_of_any_text_is_read_or_refused(folder, text, kind, named):
    path = folder / "table.tsv"
    columns = read_schema(SCHEMAS / f"{kind}.schema.json")["required"]
    path.write_text("\t".join(columns) + f"\n{text}" if named else text, encoding="utf-8")
    read(path, kind)


WIDE = {
    "one line of tabs": lambda row: row + "\t" * 10**6 + "\n" * 10**4,
    "one line of cells": lambda row: row + "\tx" * 10**6 + "\n" * 10**4,
    "many empty lines": lambda row: row + "\n" * 10**6,
    "a column many times": lambda row: "mask\t" * 10**6,
}


@pytest.mark.parametrize("name", WIDE)
def test_table_takes_time_and_memory_by_its_length_and_not_by_its_widest_line(folder, name):
    path = folder / "wide.tsv"
    path.write_text(WIDE[name]("mask\tlocation\nA_2mm\t/x"))
    refused = read(path, "mirrors")
    assert (refused is None) == (name in ("one line of tabs", "many empty lines"))


@pytest.mark.parametrize("location", ["https://" + "a" * LONG + " ", "doi:10." + "/" * LONG + " "])
def test_long_cell_is_refused(folder, location):
    path = folder / "mirrors.tsv"
    path.write_text(f"mask\tlocation\nA_2mm\t{location}.\n".replace(" .", " "))
    assert "line 2, column 'location' is" in read(path, "mirrors")


@pytest.mark.parametrize("control", ["\x1b", "\x7f", "\x80", "\x9b", "\x9f"])
def test_no_cell_holds_what_a_terminal_may_obey(folder, control):
    path = folder / "controls.tsv"
    path.write_text(f"mask\tlocation\nA_2mm\t/x{control}2J\n", encoding="utf-8")
    assert "line 2, column 'location' is" in read(path, "mirrors")
    path.write_text(f"image\tmask\nx{control}2J.nii\tA_2mm\n", encoding="utf-8")
    assert "line 2, column 'image' is" in read(path, "images")


@FUZZ
@given(text=CELLS)
def test_name_of_an_image_is_the_name_of_files_or_refused(folder, text):
    path = folder / "images.tsv"
    path.write_text(f"image\tmask\n{text.split(chr(10))[0]}\tA_2mm\n", encoding="utf-8")
    images = {}

    def work() -> None:
        registry = BrainMaskRegistry([MASK], aliases={})
        images.update(read_images(str(path), SCHEMAS / "images.schema.json", registry))

    assert is_harmless(refusal(work))
    assert all(re.fullmatch(r"[\w.+-]+", name, re.ASCII) for name in images)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELLS, inner, max_size=3),
    max_leaves=5,
)
KEYS = ("masks", "registry", "mirrors", "aliases", "cache_dir", "accept", "resample", "offlien")


@FUZZ
@given(config=st.dictionaries(st.sampled_from(KEYS) | CELLS, VALUES, max_size=4))
def test_configuration_of_anything_is_taken_or_refused(config):
    defaults = REPO / "config" / "config.yaml"
    assert is_harmless(refusal(read_settings, defaults, SCHEMAS / "config.schema.json", config))


@FUZZ
@given(text=CELLS)
def test_path_of_a_configuration_is_filled_in_or_refused(text):
    assert is_harmless(refusal(user_path, text))


@pytest.mark.parametrize("piece", ["${", "$HOME", "~", "${a", "\x1b"])
def test_path_that_no_system_takes_is_refused_before_it_is_filled_in(piece):
    with pytest.raises(RegistryError, match="is longer than") as caught:
        user_path(piece * LONG)
    assert len(str(caught.value)) < 2000


# --- Servers ------------------------------------------------------------------------------------

# As long as http.client lets a line be.
LINE = 65_000


def answers() -> dict[str, str]:
    """Return the head of an answer for each text that a header may hold."""
    texts = [
        start + repeated * (LINE // len(repeated)) + end
        for start, repeated, end in product(
            ("", "1", "Mon, 01 Jan 2024 "),
            ("1", " ", ":", "(", "-", "Mon,", "\xe9", "//"),
            ("", "x"),
        )
    ]
    heads = ("HTTP/1.1 503 {}", "HTTP/1.1 503 Busy\r\nRetry-After: {}")
    heads += (
        "HTTP/1.1 302 Found\r\nLocation: http://{}",
        "HTTP/1.1 200 OK\r\nContent-Encoding: {}",
    )
    return {
        f"{head.split(': ')[0].split(chr(10))[-1].strip('{}')}, {number}": head.format(text)
        for head in heads
        for number, text in enumerate(texts)
    }


def test_header_of_any_length_ends_in_one_line():
    heads = answers()

    def behave(connection) -> None:
        # Some of these lead to this server again.
        head = heads.get(connection.path.strip("/").replace("%20", " "), "HTTP/1.1 404 Gone")
        connection.send(f"{head}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))

    server = FaultServer(behave)
    limits = LIMITS.__class__(retries=0, pause=0.1, backoff=0.01, deadline=5)
    for name in heads:
        message = refusal(transfer, f"{server.url}/{name}", 10, limits)
        assert is_harmless(message), name
        assert message is None or len(message) < 1000, name
    server.close()


PIECES = st.sampled_from(
    [
        *(b"<html", b"<title>", b"<title", b"</title", b">", b"<", b"&#", b"1" * 5000, b"&lt;"),
        *(b"<?xml", b"<Error>", b"{", b"[", b'"message":', b'"', b"\\ud800", b"]", b"}", b","),
        *(b"annex/objects/", b"a/", b" ", b"\x1b[2J", b"\x9b", b"\xe2\x80\xae", b"\xff", b"\x00"),
        *(b"version https://git-lfs.github.com/spec/", b"\x1f\x8b", b"http://u:SECRET@h/?SECRET"),
    ]
)


@FUZZ
@given(parts=st.lists(PIECES, max_size=30), times=st.sampled_from([1, 50, 3000]))
def test_body_of_anything_is_named_in_one_line(parts, times):
    body = (b"".join(parts) * times)[:LONG]
    text = diagnose(body, MASK, {})
    assert text.isprintable()
    assert "SECRET" not in text
    assert len(text) < 600


# --- Files --------------------------------------------------------------------------------------

NOTE = {"sha256": MASK.sha256, "location": "x", "recoded": False, "verified_by": "sha256"}
NOTES = {
    "lists in lists": "[" * 60_000,
    "objects in objects": '{"a":' * 10_000,
    "a number of 60 000 digits": "1" * 60_000,
    "a number for a location": json.dumps(NOTE | {"location": 5}),
    "a word for yes or no": json.dumps(NOTE | {"recoded": "x"}),
    "a list for a hash": json.dumps(NOTE | {"verified_by": ["sha256"]}),
    "a hash that nobody knows": json.dumps(NOTE | {"verified_by": "md4"}),
    "text": json.dumps("sha256"),
}


@pytest.fixture
def entry(tmp_path):
    """Return a cache, and the path of the mask that is in it."""
    cache = Cache(tmp_path / "cache")
    path = cache.path(MASK)
    publish(DATA, path)
    return cache, path


@pytest.mark.parametrize("name", NOTES)
def test_note_that_is_none_costs_only_the_origin(entry, name):
    """Whoever may write into a shared cache may write a note."""
    cache, path = entry
    path.with_name(path.name.replace(".nii.gz", ".source.json")).write_text(NOTES[name])
    _, found = cache.load(MASK)
    assert found.data == DATA
    assert found.origin.location == f"cache:{path.name}"


def test_note_says_no_hash_that_the_bytes_have_not(tmp_path):
    """Else the next step would refuse the file, and the one before bring it again, for ever."""
    row = ROW | {"url": "https://example.org/a", "sha256": "0" * 64}
    mask = BrainMaskMetadata.from_row(row)
    cache = Cache(tmp_path)
    path = cache.path(mask, "content_sha256")
    path.write_bytes(DATA)
    path.with_name(path.name.replace(".nii.gz", ".source.json")).write_text(json.dumps(NOTE))
    _, found = cache.load(mask)
    assert found.origin.verified_by == "content_sha256"


def test_names_of_files_beside_an_entry_may_be_any(entry):
    cache, path = entry
    path.write_bytes(b"rotten")
    names = [f"{path.name}.damaged-" + "9" * 100, f"{path.name}.damaged-9\n", f".{path.name}.a\nb"]
    names += [f".{path.name}." + ".1" * 80 + ".part", f".{path.name}.h.{'9' * 150}.a.part"]
    for name in names:
        path.with_name(name).touch()
    assert cache.load(MASK) is None
    publish(DATA, path)
    assert cache.load(MASK)[1].data == DATA


def test_status_prints_nothing_that_a_terminal_may_obey(tmp_path):
    cache = Cache(tmp_path / "\x1b[2J \udce9", [tmp_path / "site\x9b2J"])
    publish(DATA, cache.path(MASK))
    missing = Fetcher(MASK, Cache(tmp_path), [Mirror(f"{cache.folder}/\u202e")])
    for fetcher in (Fetcher(MASK, cache), missing):
        text = status([fetcher], [MASK.name])
        assert escaped(text, but="\n") == text


def test_what_a_reader_quotes_of_an_image_is_cut_and_on_one_line(tmp_path):
    """The text header of AFNI's format is quoted whole by the error about it."""
    path = tmp_path / "image+orig.HEAD"
    path.write_text("\x1b[2J http://u:SECRET@h/ " + "long " * LONG, encoding="utf-8")
    path.with_suffix(".BRIK").write_bytes(b"")
    found = compare(path)
    assert found.verdict == "not_an_image"
    assert "Offending attribute" in found.detail
    assert found.detail.isprintable()
    assert "SECRET" not in found.detail
    assert len(found.detail) < 600
