# SPDX-License-Identifier: MIT
"""In what a file of the working folder is not the registered mask: every state it may be in."""

import hashlib
import json
import os

import pytest
from bench import Bench

from brainmasks.masks import fetched_damage, published_damage
from brainmasks.masks.published import STATED


@pytest.fixture
def made(bench) -> Bench:
    """Return a working folder in which the mask was made."""
    bench.run()
    return bench


@pytest.fixture
def recoded(bench) -> Bench:
    """Make a mask of which only the content is the registered one."""
    bench.leave_only_the_content()
    bench.run()
    return bench


def fetched(bench: Bench) -> str | None:
    return fetched_damage(bench.metadata, bench.raw, bench.origin)


def published(bench: Bench) -> str | None:
    return published_damage(bench.metadata, bench.mask, bench.sidecar, bench.raw, bench.origin)


LOOKS = {"fetched": (fetched, "raw"), "published": (published, "mask")}


def describe(bench: Bench, **changed) -> None:
    """Let the sidecar say something else; None takes a key out."""
    described = json.loads(bench.sidecar.read_text()) | changed
    kept = {key: value for key, value in described.items() if value is not None}
    bench.sidecar.write_text(json.dumps(kept))


@pytest.mark.parametrize("look", LOOKS)
def test_right_mask_is_undamaged(made, look):
    assert LOOKS[look][0](made) is None


@pytest.mark.parametrize("look", LOOKS)
def test_mask_of_registered_content_is_undamaged(recoded, look):
    assert LOOKS[look][0](recoded) is None


@pytest.mark.parametrize("look", LOOKS)
def test_mask_that_is_not_there_is_not_damaged(bench, look):
    assert LOOKS[look][0](bench) is None


def put_pipe(path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_link(path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def put_folder(path) -> None:
    path.unlink()
    path.mkdir()


STATES = {
    "cut short": (lambda path: path.write_bytes(path.read_bytes()[:-3]), "has SHA-256 "),
    "empty": (lambda path: path.write_bytes(b""), "has SHA-256 e3b0c442"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "has SHA-256 "),
    "huge": (lambda path: os.truncate(path, 1 << 40), "is unusable (it has 1099511627776 bytes"),
    "a folder": (put_folder, "is unusable (it is a folder)"),
    "a pipe": (put_pipe, "is unusable (it is no regular file)"),
    "a link to nowhere": (put_link, "is unusable (No such file or directory)"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("look", LOOKS)
def test_damaged_mask_is_named_with_its_damage(made, look, state):
    damaged, file = LOOKS[look]
    path = getattr(made, file)
    damage, words = STATES[state]
    damage(path)
    assert damaged(made).startswith(f"{path} {words}")


@pytest.mark.parametrize("look", LOOKS)
def test_another_mask_is_told_by_its_hash(made, look):
    damaged, file = LOOKS[look]
    path = getattr(made, file)
    path.write_bytes(made.other)
    found = hashlib.sha256(made.other).hexdigest()
    assert damaged(made) == f"{path} has SHA-256 {found}, expected {made.row['sha256']}"


@pytest.mark.parametrize("look", LOOKS)
def test_damaged_mask_of_registered_content_is_told_by_its_content(recoded, look):
    damaged, file = LOOKS[look]
    path = getattr(recoded, file)
    path.write_bytes(recoded.data[:-3])
    assert damaged(recoded).startswith(f"{path} is damaged: the gzip stream is cut off")
    path.write_bytes(recoded.other)
    expected = recoded.row["content_sha256"]
    assert damaged(recoded).startswith(f"{path} has content of SHA-256 ")
    assert damaged(recoded).endswith(f"expected {expected}")


@pytest.mark.parametrize(
    "note",
    [None, b"", b"\xff", b"[]", b'{"location": "x"}'],
    ids=["no", "empty", "odd", "[]", "{}"],
)
def test_fetched_mask_without_a_note_of_its_origin_is_to_be_fetched_again(made, note):
    made.origin.unlink()
    if note is not None:
        made.origin.write_bytes(note)
    assert fetched(made).startswith(f"{made.origin} is no note of a mask's origin")
    # Nothing is wrong with a note alone.
    made.raw.unlink()
    assert fetched(made) is None


@pytest.mark.parametrize(
    "sidecar",
    [None, b"", b"\xff", b"[]", b'"text"', b"{}", b"[" * 100_000],
    ids=["no", "empty", "odd", "[]", "text", "{}", "nested"],
)
def test_published_mask_without_its_sidecar_is_damaged(made, sidecar):
    made.sidecar.unlink()
    if sidecar is not None:
        made.sidecar.write_bytes(sidecar)
    assert published(made) == f"{made.mask} has no sidecar that describes it"
    made.mask.unlink()
    assert published(made) is None


def test_sidecar_that_lacks_how_it_was_verified_does_not_describe_the_mask(made):
    describe(made, VerifiedBy=None)
    assert published(made) == f"{made.mask} has no sidecar that describes it"


@pytest.mark.parametrize("way", ["eye", ["sha256"], 1], ids=str)
def test_sidecar_that_names_no_hash_by_which_it_was_verified_is_told(made, way):
    """Its bytes are the registered ones; but what it says of them is not true."""
    describe(made, VerifiedBy=way)
    assert published(made) == (
        f"{made.sidecar} does not say by which hash {made.mask} was verified"
    )


# What a mask has that is published as it was fetched, and what is not asked first.
KEYS = sorted({"RegisteredSHA256", "Recoded"} | STATED - {"SHA256"})


@pytest.mark.parametrize("key", KEYS)
def test_sidecar_that_lacks_what_all_of_them_state_is_told(made, key):
    """The page of masks, which reads it, would end with an error at each run."""
    describe(made, **{key: None})
    assert published(made) == f"{made.sidecar} does not say what is registered"


def test_all_that_a_sidecar_states_is_asked_for_or_explains_what_is(made):
    explaining = {"RegisteredURL", "Verification"}
    assert set(json.loads(made.sidecar.read_text())) == {*KEYS, "SHA256", "VerifiedBy", *explaining}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("RegisteredSHA256", "0" * 64),
        ("ContentSHA256", "0" * 64),
        ("Voxels", 1),
        ("Voxels", "x"),
        ("SpaceServed", "B"),
        ("SpatialReference", "B"),
        ("Grid", {"Shape": [6, 7, 5]}),
    ],
)
def test_sidecar_of_another_registration_is_told(made, key, value):
    describe(made, **{key: value})
    assert published(made) == f"{made.sidecar} does not say what is registered"


@pytest.mark.parametrize("key", ["Shape", "VoxelSize", "Origin", "Affine", "Orientation", "Units"])
def test_sidecar_of_another_grid_is_told(made, key):
    describe(made, Grid=json.loads(made.sidecar.read_text())["Grid"] | {key: "LAS"})
    assert published(made) == f"{made.sidecar} does not say what is registered"


def test_other_licence_is_no_damage(made):
    """Validation runs again for it; nothing is removed before."""
    made.row |= {"license": "MIT", "citation": "another"}
    assert published(made) is None


def test_mask_that_was_registered_anew_is_damaged(made):
    made.row |= {"sha256": hashlib.sha256(made.other).hexdigest()}
    assert fetched(made).endswith(f"expected {made.row['sha256']}")
    assert published(made).endswith(f"expected {made.row['sha256']}")


def test_note_of_other_bytes_is_damage(made):
    """Then the file is fetched again; the steps that follow would refuse it for ever."""
    note = json.loads(made.origin.read_text()) | {"sha256": "0" * 64}
    made.origin.write_text(json.dumps(note))
    assert fetched(made) == f"{made.origin} is the note of other bytes than {made.raw} has"


def test_sidecar_of_other_bytes_is_damage(made):
    described = json.loads(made.sidecar.read_text()) | {"SHA256": "0" * 64}
    made.sidecar.write_text(json.dumps(described))
    assert published(made) == f"{made.sidecar} describes other bytes than {made.mask} has"


def test_note_that_does_not_say_of_which_bytes_it_is_is_no_damage(made):
    """As an earlier version wrote it; without network the file may be the last copy there is."""
    note = json.loads(made.origin.read_text())
    del note["sha256"]
    made.origin.write_text(json.dumps(note))
    assert fetched(made) is None
