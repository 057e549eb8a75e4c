# SPDX-License-Identifier: MIT
"""Files appear under their names whole, with the mode that the umask asks for."""

import errno
import hashlib
import os
import resource
from pathlib import Path

import pytest
from support import sha256

from brainmasks import MaskError
from brainmasks.storage import publish, to_json


@pytest.fixture
def umask():
    """Return a function that sets the umask until the test ends."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def small_files_only():
    """Let no file of this process grow beyond 64 KiB until the test ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_mode_follows_the_umask(tmp_path, umask, mask, mode):
    umask(mask)
    publish(b"data", tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode
    assert umask(0o022) == mask


@pytest.mark.parametrize("data", [b"", b"data", bytes(range(256)) * 4096])
def test_bytes_arrive_and_nothing_else(tmp_path, data):
    path = tmp_path / "file.nii.gz"
    publish(data, path)
    assert sha256(path) == hashlib.sha256(data).hexdigest()
    assert list(tmp_path.iterdir()) == [path]


def test_existing_file_is_replaced(tmp_path, umask):
    umask(0o022)
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    path.chmod(0o400)
    publish(b"new", path)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_reader_of_the_old_file_keeps_it(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        publish(b"new", path)
        assert reader.read() == b"old"


def test_link_is_replaced_and_its_target_left_alone(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"somebody else's")
    link.symlink_to(target)
    publish(b"new", link)
    assert target.read_bytes() == b"somebody else's"
    assert (link.read_bytes(), link.is_symlink()) == (b"new", False)


def test_folders_are_made(tmp_path):
    publish(b"data", str(tmp_path / "a" / "b" / "file"))
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"data"


def test_folder_that_cannot_be_made_is_an_oserror(tmp_path):
    (tmp_path / "file").write_bytes(b"a file")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        publish(b"data", tmp_path / "file" / "below")
    assert (tmp_path / "file").read_bytes() == b"a file"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_no_temporary_is_left_if_the_name_cannot_be_taken(tmp_path):
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises((IsADirectoryError, FileExistsError)):
        publish(b"data", tmp_path / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_failed_write_leaves_the_old_file_and_no_temporary(tmp_path, small_files_only):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="File too large") as caught:
        publish(bytes(1 << 20), path)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_the_disk_does_not_hold_is_removed_and_named(tmp_path, monkeypatch):
    """No disk here loses a byte: what is read again is another file."""
    path = tmp_path / "file"
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"other")
    with pytest.raises(MaskError, match=f"{path}: the disk does not hold"):
        publish(b"data", path)
    assert list(tmp_path.iterdir()) == []


def test_json_is_written_for_people():
    assert to_json({"a": ["ü"]}).decode() == '{\n  "a": [\n    "ü"\n  ]\n}\n'
