# SPDX-License-Identifier: MIT
"""The three steps of a mask in a working folder: what each writes, refuses and leaves behind."""

import gzip
import hashlib
import json
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bench import Bench
from faultserver import refused_port
from support import TINY_AFFINE, tiny_mask

from brainmasks import FetchError, InvalidMaskError
from brainmasks.fetching import Origin
from brainmasks.masks import checksum, download, generated_by, validate
from brainmasks.nifti import recode
from brainmasks.telling import is_told
from brainmasks.version import __version__


def fetch(bench: Bench, asked: str = "A_2mm") -> None:
    download(asked, bench.fetcher(), bench.raw, bench.origin)


def verify(bench: Bench) -> None:
    checksum(bench.metadata, bench.raw, bench.origin, bench.checksum)


def check(bench: Bench, asked: str = "A_2mm") -> None:
    validate(asked, bench.metadata, "7", bench.raw, bench.origin, bench.mask, bench.sidecar)


def names(folder: Path) -> set[str]:
    """Return the names in a folder, hidden ones included."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def as_json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def fetched(bench) -> Bench:
    """Return a working folder into which the mask was fetched."""
    fetch(bench)
    return bench


@pytest.fixture
def recoded(bench) -> Bench:
    """Register the mask as another library compresses it; a mirror has it as ours does."""
    bench.leave_only_the_content()
    return bench


# --- download ----------------------------------------------------------------------------------


def test_download_brings_the_mask_and_a_note_of_its_origin(bench, caplog):
    fetch(bench)
    assert bench.raw.read_bytes() == bench.data
    note = as_json(bench.origin)
    assert len(note.pop("digest")) == 16
    assert note == {
        "location": bench.row["url"],
        "recoded": False,
        "verified_by": "sha256",
        "sha256": bench.row["sha256"],
    }
    assert names(bench.raw.parent) == {bench.raw.name, bench.origin.name}
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


def test_download_of_a_copy_in_another_encoding_brings_the_registered_bytes(bench):
    # As the registered files were made: by nibabel.
    bench.data = recode(bench.data, bench.metadata)
    bench.row |= {
        "sha256": hashlib.sha256(bench.data).hexdigest(),
        "content_sha256": hashlib.sha256(gzip.decompress(bench.data)).hexdigest(),
        "bytes": str(len(bench.data)),
    }
    copy = bench.folder / "copy.nii.gz"
    copy.write_bytes(gzip.compress(gzip.decompress(bench.data), 9, mtime=1))
    bench.mirrors = [str(copy)]
    fetch(bench)
    assert bench.raw.read_bytes() == bench.data
    origin = Origin(location=str(copy), recoded=True, verified_by="sha256")
    assert as_json(bench.origin) == origin.note(bench.row["sha256"])
    assert bench.server.asked == []


def test_download_notes_that_only_the_content_is_the_registered_one(recoded, caplog):
    caplog.set_level("INFO")
    fetch(recoded)
    assert recoded.raw.read_bytes() == recoded.data
    assert as_json(recoded.origin)["verified_by"] == "content_sha256"
    check(recoded)
    assert "A_2mm: verified by its content, from the file copy.nii.gz, " in caplog.messages[-1]
    assert [is_told(record) for record in caplog.records[-2:]] == [False, True]


@pytest.mark.parametrize("way", ["sha256", "eye", None])
def test_download_does_not_believe_a_cached_note_of_how_it_was_verified(recoded, way):
    """What it believed, the next step would refuse; and each run would find it there again."""
    fetch(recoded)
    (path,) = recoded.cache.glob("*.source.json")
    path.write_text(json.dumps(as_json(path) | {"verified_by": way}))
    fetch(recoded)
    assert as_json(recoded.origin)["verified_by"] == "content_sha256"
    verify(recoded)
    check(recoded)


def test_download_replaces_what_stands_there(bench):
    for path in (bench.raw, bench.origin):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"of an earlier run")
    fetch(bench)
    assert bench.raw.read_bytes() == bench.data
    assert as_json(bench.origin)["location"] == bench.row["url"]


def test_download_under_an_alias_says_what_is_served(bench, caplog):
    fetch(bench, "Other_2mm")
    warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["mask Other_2mm: A_2mm is served under this name"]


def test_download_that_fails_leaves_nothing(bench):
    bench.row["url"] = f"http://127.0.0.1:{refused_port()}/mask.nii.gz"
    with pytest.raises(FetchError, match="mask A_2mm is not available from any source"):
        fetch(bench)
    assert names(bench.folder) <= {"cache"}
    assert names(bench.cache) == set()


def test_download_into_a_folder_that_cannot_be_made_names_the_file(bench):
    bench.raw.parent.write_bytes(b"a file")
    with pytest.raises(OSError, match=r"exists|Not a directory") as caught:
        fetch(bench)
    assert caught.value.filename == str(bench.origin)


# --- checksum ----------------------------------------------------------------------------------


def sha256sum(bench: Bench) -> int:
    """Return the status with which sha256sum checks the file, in the working folder."""
    path = bench.checksum.relative_to(bench.folder)
    command = ["sha256sum", "--check", "--strict", "--quiet", path]
    return subprocess.run(command, cwd=bench.folder, capture_output=True, check=False).returncode


def test_checksum_file_is_one_that_sha256sum_checks(fetched, monkeypatch):
    monkeypatch.chdir(fetched.folder)
    raw, origin, path = (
        each.relative_to(fetched.folder) for each in (fetched.raw, fetched.origin, fetched.checksum)
    )
    checksum(fetched.metadata, raw, origin, path)
    assert path.read_text() == f"{fetched.row['sha256']}  resources/A_2mm.nii.gz\n"
    assert sha256sum(fetched) == 0
    fetched.raw.write_bytes(fetched.other)
    assert sha256sum(fetched) == 1


def test_checksum_of_a_mask_with_the_registered_content_is_that_of_the_file(recoded):
    fetch(recoded)
    verify(recoded)
    found = recoded.checksum.read_text().split()[0]
    assert found == hashlib.sha256(recoded.data).hexdigest()
    assert found != recoded.row["sha256"]


def test_checksum_says_in_the_log_which_mask_and_file_has_which_hash(fetched, caplog):
    caplog.set_level("INFO")
    verify(fetched)
    assert caplog.messages == [f"mask A_2mm: {fetched.raw} has the registered sha256"]


DAMAGES = {
    "cut short": lambda bench: bench.data[:-9],
    "empty": lambda bench: b"",
    "one bit flipped": lambda bench: (
        bench.data[:60] + bytes([bench.data[60] ^ 1]) + bench.data[61:]
    ),
    "longer": lambda bench: bench.data + b"\0",
    "another mask": lambda bench: bench.other,
    "a page": lambda bench: b"<html>not found</html>",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_checksum_of_a_damaged_file_names_both_hashes(fetched, damage):
    wrong = DAMAGES[damage](fetched)
    fetched.raw.write_bytes(wrong)
    with pytest.raises(InvalidMaskError) as caught:
        verify(fetched)
    found, expected = hashlib.sha256(wrong).hexdigest(), fetched.row["sha256"]
    assert str(caught.value) == (
        f"mask A_2mm: {fetched.raw} has SHA-256 {found}, expected {expected}; "
        "run again to have it fetched again"
    )
    assert not fetched.checksum.exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_checksum_of_a_damaged_file_of_registered_content_is_refused(recoded, damage):
    fetch(recoded)
    recoded.raw.write_bytes(DAMAGES[damage](recoded))
    with pytest.raises(InvalidMaskError, match=r"A_2mm\.nii\.gz (is damaged|has content of SHA)"):
        verify(recoded)
    assert not recoded.checksum.exists()


def test_checksum_of_a_file_that_is_not_there_names_it(fetched):
    fetched.raw.unlink()
    with pytest.raises(InvalidMaskError) as caught:
        verify(fetched)
    assert f"{fetched.raw} is unusable (No such file or directory)" in str(caught.value)


@pytest.mark.parametrize("step", [verify, check], ids=["checksum", "validate"])
def test_note_of_other_bytes_is_refused(fetched, step):
    note = as_json(fetched.origin) | {"sha256": hashlib.sha256(fetched.other).hexdigest()}
    fetched.origin.write_text(json.dumps(note))
    with pytest.raises(InvalidMaskError, match="is the note of other bytes than"):
        step(fetched)
    assert not fetched.checksum.exists()
    assert names(fetched.mask.parent) == set()


NOTES = {
    "empty": b"",
    "no JSON": b"from somewhere",
    "no text": b"\xff\xfe",
    "changed": b'{"location": "x", "recoded": false, "verified_by": "sha256", "digest": "of y"}',
    "a list": b"[]",
    "a number": b"1",
    "lacks a key": b'{"location": "x", "recoded": false}',
    "verified by eye": b'{"location": "x", "recoded": false, "verified_by": "eye"}',
    "nested": b"[" * 100_000,
    "not there": None,
}


@pytest.mark.parametrize("step", [verify, check], ids=["checksum", "validate"])
@pytest.mark.parametrize("note", NOTES)
def test_damaged_note_of_the_origin_is_said_with_what_to_do(fetched, note, step):
    fetched.origin.unlink()
    if NOTES[note] is not None:
        fetched.origin.write_bytes(NOTES[note])
    with pytest.raises(InvalidMaskError) as caught:
        step(fetched)
    assert str(caught.value) == (
        f"mask A_2mm: {fetched.origin} is no note of a mask's origin; "
        "run again to have it fetched again"
    )
    assert not fetched.checksum.exists()
    assert names(fetched.mask.parent) == set()


# --- validate ----------------------------------------------------------------------------------


def test_validate_publishes_the_bytes_and_a_sidecar_that_says_everything(fetched, caplog):
    caplog.set_level("INFO")
    check(fetched)
    assert fetched.mask.read_bytes() == fetched.data
    assert names(fetched.mask.parent) == {"A_2mm.nii.gz", "A_2mm.json"}
    described = as_json(fetched.sidecar)
    checks = described.pop("Checks")
    assert len(checks) >= 10
    assert set(checks.values()) == {"passed"}
    count = int(fetched.row["voxels"])
    assert described == {
        "Type": "Brain",
        "Description": "Brain mask of A, 2 mm",
        "Desc": "brain",
        "SpatialReference": "A",
        "SpaceRequested": "A",
        "SpaceServed": "A",
        "Resolution": "2 mm isotropic",
        "Sources": [fetched.row["url"]],
        "RegisteredURL": fetched.row["url"],
        "Recoded": False,
        "VerifiedBy": "sha256",
        "Verification": "The file has the registered SHA-256.",
        "SHA256": fetched.row["sha256"],
        "RegisteredSHA256": fetched.row["sha256"],
        "ContentSHA256": fetched.row["content_sha256"],
        "Bytes": len(fetched.data),
        "Grid": {
            "Shape": [6, 7, 5],
            "VoxelSize": [2, 2, 2],
            "Origin": [-6, -8, -4],
            "Affine": TINY_AFFINE.tolist(),
            "Orientation": "RAS",
            "Units": "mm",
        },
        "Voxels": count,
        "VolumeML": round(count * 8 / 1000, 6),
        "License": "CC0",
        "ReferencesAndLinks": ["unknown"],
        "Source": "test",
        "ChecksVersion": "7",
        "GeneratedBy": generated_by(),
    }
    assert [(each["Name"], each["Version"]) for each in described["GeneratedBy"]] == [
        ("brainmasks", __version__),
        ("nibabel", nib.__version__),
    ]
    assert f"mask A_2mm: {len(checks)} checks passed" in caplog.text


def test_sidecar_of_an_alias_says_which_space_was_asked_for(bench, caplog):
    caplog.set_level("INFO")
    fetch(bench, "Other_2mm")
    check(bench, "Other_2mm")
    described = as_json(bench.sidecar)
    assert (described["SpaceRequested"], described["SpaceServed"]) == ("Other", "A")
    assert described["SpatialReference"] == "A"
    assert "space asked for: Other; space served: A" in caplog.text


def test_each_reference_stands_for_itself_in_the_sidecar(fetched):
    fetched.row["citation"] = "Fonov et al. 2011; Fonov et al. 2009"
    check(fetched)
    references = as_json(fetched.sidecar)["ReferencesAndLinks"]
    assert references == ["Fonov et al. 2011", "Fonov et al. 2009"]


def test_sidecar_of_a_mask_with_the_registered_content_has_both_hashes(recoded):
    fetch(recoded)
    verify(recoded)
    check(recoded)
    described = as_json(recoded.sidecar)
    assert described["VerifiedBy"] == "content_sha256"
    assert described["SHA256"] == hashlib.sha256(recoded.mask.read_bytes()).hexdigest()
    assert described["RegisteredSHA256"] == recoded.row["sha256"] != described["SHA256"]


def test_validate_writes_the_same_bytes_again(fetched):
    check(fetched)
    before = fetched.sidecar.read_bytes()
    check(fetched)
    assert fetched.sidecar.read_bytes() == before


def test_every_problem_of_a_file_is_listed_and_nothing_is_published(bench):
    """Registered, by mistake, with the hashes of a file that is not the mask of its row."""
    voxels = np.zeros((6, 7, 4), np.float32)
    voxels[0, 0, :3] = (2, np.nan, 1)
    content = nib.Nifti1Image(voxels, np.diag([-2.0, 2, 2, 1])).to_bytes()
    bench.data = gzip.compress(content, 1, mtime=0)
    bench.row |= {"sha256": hashlib.sha256(bench.data).hexdigest(), "bytes": str(len(bench.data))}
    bench.original = bench.data
    bench.heal_server()
    fetch(bench)
    verify(bench)
    with pytest.raises(InvalidMaskError) as caught:
        check(bench)
    message = str(caught.value)
    assert message.startswith(f"mask A_2mm: {bench.raw} is not the registered mask: ")
    for words in (
        "its shape is (6, 7, 4), registered (6, 7, 5)",
        "its affine is [[-2.0",
        "1 voxels are NaN or infinite",
        "2 stored values are neither 0 nor 1",
        f"1 voxels are 1, registered {bench.row['voxels']}",
        f"its content has SHA-256 {hashlib.sha256(content).hexdigest()}",
        "Correct its row in the registry",
    ):
        assert words in message
    assert names(bench.mask.parent) == set()


@pytest.mark.parametrize("damage", DAMAGES)
def test_validate_publishes_nothing_of_a_damaged_file(fetched, damage):
    fetched.raw.write_bytes(DAMAGES[damage](fetched))
    with pytest.raises(InvalidMaskError, match=r"A_2mm\.nii\.gz has SHA-256 "):
        check(fetched)
    assert names(fetched.mask.parent) == set()


def test_no_file_holds_what_only_the_owner_of_a_url_should_know(bench):
    bench.row["url"] = bench.row["url"].replace("//", "//anne:pass-word@") + "?token=top-secret"
    bench.run()
    bench.assert_published()
    assert bench.server.asked == ["GET /mask.nii.gz?token=top-secret HTTP/1.1"]
    written = [path for path in bench.folder.rglob("*") if path.is_file()]
    assert len(written) >= 6
    for path in written:
        content = path.read_bytes()
        assert b"pass-word" not in content, path
        assert b"top-secret" not in content, path


def test_masks_of_one_folder_do_not_mix(bench):
    """Another mask on the same grid, whose file stands where this one belongs."""
    data, _ = tiny_mask("B", seed=1)
    fetch(bench)
    bench.raw.write_bytes(data)
    for step in (verify, check):
        with pytest.raises(InvalidMaskError):
            step(bench)
    assert names(bench.mask.parent) == set()
