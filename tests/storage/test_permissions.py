# SPDX-License-Identifier: MIT
"""Files and folders of a group, as one of its users makes them."""

import os
import shutil
import stat
import struct
import tempfile
from pathlib import Path

import pytest

from brainmasks.storage import make_shared_folder, publish, readable_as

# Users and groups that no machine has.
ANNE, BERT, GROUP = 61101, 61102, 61000


def bits(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def place():
    """Return Anne's folder of a group in which she is not; that of pytest is private."""
    if os.geteuid() != 0:
        pytest.skip("only root can become other users")
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, ANNE, GROUP)
    folder.chmod(0o770)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def let_bert_in(place) -> None:
    """Let an ACL of the folder, and of what is made in it, decide who may use it."""
    entries = [(0x01, 7, -1), (0x02, 7, BERT), (0x04, 0, -1), (0x10, 7, -1), (0x20, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, may, who & 0xFFFFFFFF) for tag, may, who in entries
    )
    try:
        for kind in ("access", "default"):
            os.setxattr(place, f"system.posix_acl_{kind}", acl)
    except OSError as err:
        pytest.skip(f"no ACLs here: {err.strerror}")


@pytest.fixture
def anne(place):
    """Be Anne until the test ends."""
    os.setegid(ANNE)
    os.seteuid(ANNE)
    yield
    os.seteuid(0)
    os.setegid(0)


@pytest.mark.parametrize(("folder", "file"), [(0o770, 0o600), (0o775, 0o644)])
def test_group_of_the_user_may_do_what_strangers_may(place, folder, file, request):
    place.chmod(folder)
    request.getfixturevalue("anne")
    publish(b"data", place / "file", shared=True)
    assert ((place / "file").stat().st_gid, bits(place / "file")) == (ANNE, file)


@pytest.mark.parametrize(("folder", "file"), [(0o770, 0o660), (0o775, 0o664), (0o1775, 0o644)])
def test_file_gets_the_group_of_its_folder_and_keeps_its_owner(place, folder, file):
    place.chmod(folder)
    publish(b"data", place / "file", shared=True)
    status = (place / "file").stat()
    assert (status.st_uid, status.st_gid, bits(place / "file")) == (0, GROUP, file)


def test_folder_that_may_not_be_made_is_said_to_be(place, request):
    os.chown(place, 0, GROUP)
    place.chmod(0o2775)
    request.getfixturevalue("anne")
    with pytest.raises(PermissionError):
        make_shared_folder(place / "folder")


@pytest.mark.parametrize(("folder", "mode"), [(0o755, 0o644), (0o2777, 0o644), (0o700, 0o600)])
def test_those_may_read_who_may_read_the_folder(tmp_path, folder, mode):
    tmp_path.chmod(folder)
    assert readable_as(tmp_path) == mode


@pytest.mark.usefixtures("let_bert_in", "anne")
def test_acl_of_the_folder_lets_in_whom_it_names(place):
    publish(b"data", place / "file", shared=True)
    assert ((place / "file").stat().st_gid, bits(place / "file")) == (ANNE, 0o660)


def test_folder_of_a_group_is_made_beside_its_name_and_nowhere_else(tmp_path, monkeypatch):
    tmp_path.chmod(0o2770)
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    before = os.umask(0o077)
    try:
        make_shared_folder(tmp_path / "folder")
    finally:
        os.umask(before)
    assert bits(tmp_path / "folder") == 0o2770
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
