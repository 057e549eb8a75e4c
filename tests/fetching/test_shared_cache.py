# SPDX-License-Identifier: MIT
"""A cache that several users and many processes share: one request, and nobody is shut out."""

import logging
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from crowd import GROUP, fetch_at_once
from support import entry_of, sha256, tiny_mask

from brainmasks.fetching.single_flight import polite_delay, single_flight
from brainmasks.storage import make_shared_folder, publish

DATA, ROW = tiny_mask("A")
NAME = "A_2mm"
ENTRY = entry_of(ROW).name
NOTE = ENTRY.replace(".nii.gz", ".source.json")
LOCK = f".{NAME}.lock"

ANNE, BERT, CARL = 61101, 61102, 61103
UMASKS = {ANNE: 0o022, BERT: 0o002, CARL: 0o077}

as_others = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become other users"
)


class SlowFiles(dict):
    """Files of a server that takes a while to find one."""

    def get(self, path, default=None):
        time.sleep(0.3)
        return super().get(path, default)


@pytest.fixture
def row(server):
    """Return the row of a mask on a server that is slow enough for everybody to meet there."""
    server.files = SlowFiles({"/A": DATA})
    return ROW | {"url": f"{server.url}/A"}


@pytest.fixture
def place():
    """Return a folder that other users can reach; that of pytest is private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def shared(place):
    """Return a function that makes a folder of the group with the given bits."""

    def make(bits: int) -> Path:
        folder = place / "group"
        folder.mkdir()
        os.chown(folder, -1, GROUP)
        folder.chmod(bits)
        return folder

    return make


def bits(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def become(user: int, work) -> None:
    """Call a function as another user."""
    # Imports what it needs while it may still be read.
    with tempfile.TemporaryDirectory() as folder, single_flight(Path(folder, "lock"), bool, 1):
        pass
    child = os.fork()
    if not child:
        try:
            os.setgroups([GROUP])
            os.setgid(user)
            os.setuid(user)
            os.umask(UMASKS[user])
            work()
            os._exit(0)
        except BaseException as err:  # noqa: BLE001, the child must never return
            print(repr(err), file=sys.stderr)
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@as_others
@pytest.mark.parametrize(
    ("top", "folder", "file"),
    [(0o2770, 0o2770, 0o660), (0o2775, 0o2775, 0o664), (0o3770, 0o2770, 0o660)],
)
def test_users_with_different_umasks_share_one_request_and_every_file(
    shared, row, server, top, folder, file
):
    cache = shared(top) / "lacuna" / "masks"
    fetch_at_once(row, cache, list(UMASKS.items()) * 3)
    assert server.asked == ["/A"]
    assert names(cache) == {ENTRY, NOTE}
    for path in (cache, cache.parent):
        assert (bits(path), path.stat().st_gid) == (folder, GROUP), path
    for path in (cache / ENTRY, cache / NOTE):
        assert (bits(path), path.stat().st_gid) == (file, GROUP), path
    assert names(cache.parent) == {"masks"}


@as_others
@pytest.mark.parametrize("owner", UMASKS)
def test_damaged_entry_of_another_user_is_mended_by_whoever_meets_it(shared, row, server, owner):
    cache = shared(0o2770)
    become(owner, lambda: publish(b"rotten", cache / ENTRY, shared=True))
    others = [(user, umask) for user, umask in UMASKS.items() if user != owner]
    fetch_at_once(row, cache, others * 3)
    assert server.asked == ["/A"]
    assert sha256(cache / ENTRY) == ROW["sha256"]
    assert names(cache) == {ENTRY, NOTE, f"{ENTRY}.damaged-1"}


@as_others
@pytest.mark.parametrize("damage", ["rotten", "private"])
def test_entry_that_only_its_owner_may_remove_is_told_and_fetched_once_more(
    shared, row, server, damage
):
    cache = shared(0o3770)

    def spoil() -> None:
        (cache / ENTRY).write_bytes(b"rotten")
        (cache / ENTRY).chmod(0o600 if damage == "private" else 0o644)

    become(ANNE, spoil)
    said = fetch_at_once(row, cache, [(BERT, 0o077)])
    assert said.count("it cannot be quarantined (Operation not permitted)") == 1
    assert (cache / ENTRY).read_bytes() == b"rotten"
    fetch_at_once(row, cache, [(BERT, 0o077), (CARL, 0o022)] * 3)
    assert server.asked == ["/A"]


@as_others
def test_user_who_may_only_read_the_site_cache_is_served_by_it(place, row, server):
    site = place / "site"
    site.mkdir()
    (site / ENTRY).write_bytes(DATA)
    said = fetch_at_once(row, place / "cache", [(ANNE, 0o022), (CARL, 0o077)], [site])
    assert f"found in the cache, {site / ENTRY}" in said
    assert server.asked == []
    assert names(place) == {"site"}


@as_others
def test_user_who_may_only_read_the_cache_waits_politely_and_has_the_mask(place, row, server):
    cache = place / "cache"
    cache.mkdir()
    said = fetch_at_once(row, cache, [(ANNE, 0o022)], spread=0.1)
    assert f"no lock on {cache / LOCK}" in said
    assert "without a lock" in said
    assert f"is not kept in the cache {cache}: Permission denied" in said
    assert server.asked == ["/A"]


@as_others
@pytest.mark.parametrize("folder", [0o2770, 0o2775])
def test_lock_that_another_user_left_when_killed_is_taken_over(shared, row, server, folder):
    cache = shared(folder)

    def die() -> None:
        if not os.fork():
            with single_flight(cache / LOCK, lambda: False, 1) as alone:
                assert alone
                os.kill(os.getpid(), signal.SIGKILL)
        os.wait()

    become(CARL, die)
    assert names(cache) == {LOCK}
    said = fetch_at_once(row, cache, [(ANNE, 0o022), (BERT, 0o002)] * 3)
    assert "without a lock" not in said
    assert server.asked == ["/A"]
    assert names(cache) == {ENTRY, NOTE}


@as_others
def test_lock_that_stays_in_the_way_costs_a_limited_wait(shared, row, server):
    """As an empty one does that a run left when it was killed in between two calls."""
    cache = shared(0o3770)
    become(ANNE, lambda: (cache / LOCK).touch(mode=0o644))
    said = fetch_at_once(row, cache, [(BERT, 0o002)], spread=0.1)
    assert f"lock {cache / LOCK} was left by a killed run, and stays: Operation not" in said
    assert server.asked == ["/A"]
    assert sha256(cache / ENTRY) == ROW["sha256"]


def test_empty_lock_that_a_killed_run_left_is_removed(row, server, cache):
    cache.mkdir(parents=True)
    (cache / LOCK).touch()
    said = fetch_at_once(row, cache, [(None, 0o022)] * 4)
    assert f"lock {cache / LOCK} was left by a killed run; it is removed" in said
    assert "without a lock" not in said
    assert server.asked == ["/A"]
    assert names(cache) == {ENTRY, NOTE}


def test_wait_for_another_run_is_told_and_limited(bench, caplog):
    """Of another machine, nobody here can tell whether it lives."""
    caplog.set_level(logging.INFO)
    bench.cache.mkdir()
    lock = bench.cache / LOCK
    lock.write_text("filelock/2\npid=7\nhost=elsewhere\nmode=lease\ntoken=aa\nduration=30.0\n")
    bench.run()
    assert bench.mask.read_bytes() == bench.data
    assert f"waiting for it, at most {bench.limits.patience:.0f} s (lock {lock}, " in caplog.text
    assert "held by process 7 on elsewhere" in caplog.text
    assert f"no lock on {lock} so far" in caplog.text
    assert "without a lock, 0." in caplog.text


SHIM = """
#include <errno.h>
#include <unistd.h>

int flock(int handle, int operation) {
#if defined(MISSING)
    errno = ENOSYS;
    return -1;
#elif defined(HANGS)
    for (;;) pause();
#else
    return 0; /* each node for itself */
#endif
}
"""


@pytest.mark.parametrize("flock", ["WORKS", "MISSING", "HANGS", "LOCAL"])
def test_one_request_whatever_flock_does(row, server, cache, tmp_path, flock):
    env = {}
    if flock != "WORKS":
        if sys.platform != "linux" or not shutil.which("gcc"):
            pytest.skip("flock() is replaced on Linux, with gcc")
        (tmp_path / "shim.c").write_text(SHIM)
        command = ["gcc", "-shared", "-fPIC", f"-D{flock}", "-o", "shim.so", "shim.c"]
        subprocess.run(command, cwd=tmp_path, check=True)
        env["LD_PRELOAD"] = str(tmp_path / "shim.so")
    fetch_at_once(row, cache, [(None, 0o022)] * 16, env=env)
    assert server.asked == ["/A"]
    assert names(cache) == {ENTRY, NOTE}


def test_few_requests_where_there_is_no_lock(row, server, cache):
    (cache / LOCK).mkdir(parents=True)
    fetch_at_once(row, cache, [(None, 0o022)] * 16, spread=3)
    print(f"{len(server.asked)} requests of 16 processes")
    # One or two, where the machine has nothing else to do.
    assert len(server.asked) <= 12
    assert sha256(cache / ENTRY) == ROW["sha256"]


def test_delay_is_within_its_bounds_and_mostly_long():
    delays = sorted(polite_delay(10) for _ in range(10_000))
    assert 0 <= delays[0] < 1
    assert 8.5 < delays[5_000] <= delays[-1] <= 10


def test_no_delay_for_a_local_copy(bench, tmp_path):
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(bench.data)
    bench.mirrors = [str(copy)]
    (bench.cache / LOCK).mkdir(parents=True)
    before = time.monotonic()
    bench.limits = bench.limits.__class__(spread=10**6)
    bench.run()
    assert time.monotonic() - before < 60
    assert bench.server.asked == []


@pytest.mark.parametrize(
    ("parent", "umask", "made", "file"),
    [
        (0o755, 0o077, 0o700, 0o600),  # a home
        (0o755, 0o002, 0o775, 0o664),
        (0o775, 0o022, 0o755, 0o644),
        (0o777, 0o022, 0o755, 0o644),
        (0o1777, 0o002, 0o775, 0o664),  # /tmp
        (0o2755, 0o077, 0o2700, 0o600),  # the group may not write
        (0o2770, 0o077, 0o2770, 0o660),
        (0o2777, 0o022, 0o2777, 0o664),
    ],
)
def test_new_folder_follows_that_of_a_group_and_else_the_umask(tmp_path, parent, umask, made, file):
    top = tmp_path / "top"
    top.mkdir()
    top.chmod(parent)
    folder = top / "a" / "b"
    before = os.umask(umask)
    try:
        make_shared_folder(folder)
        publish(b"data", folder / "file", shared=True)
    finally:
        os.umask(before)
    assert (bits(folder.parent), bits(folder), bits(folder / "file")) == (made, made, file)


def test_file_in_a_folder_that_was_there_follows_it_whatever_the_umask(tmp_path):
    for folder, file in ((0o755, 0o644), (0o700, 0o600), (0o775, 0o664), (0o3770, 0o640)):
        tmp_path.chmod(folder)
        for umask in UMASKS.values():
            before = os.umask(umask)
            try:
                publish(b"data", tmp_path / "file", shared=True)
            finally:
                os.umask(before)
            assert bits(tmp_path / "file") == file


@as_others
@pytest.mark.parametrize(("folder", "file"), [(0o775, 0o644), (0o770, 0o600)])
def test_group_of_strangers_gets_no_more_than_strangers(place, folder, file):
    """Without the setgid bit, and for one who is not in the folder's group."""
    place.chmod(folder)
    os.chown(place, ANNE, GROUP + 1)
    become(ANNE, lambda: publish(b"data", place / "file", shared=True))
    assert (bits(place / "file"), (place / "file").stat().st_gid) == (file, ANNE)


@as_others
def test_acl_of_the_folder_decides(place, row, server):
    """Anne's folder, on which an ACL lets Bert in."""
    everything = 7
    entries = [(0x01, 7, -1), (0x02, everything, BERT), (0x04, 0, -1), (0x10, 7, -1), (0x20, 0, -1)]
    acl = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, may, who & 0xFFFFFFFF) for tag, may, who in entries
    )
    os.chown(place, ANNE, ANNE)
    try:
        for kind in ("access", "default"):
            os.setxattr(place, f"system.posix_acl_{kind}", acl)
    except OSError as err:
        pytest.skip(f"no ACLs here: {err.strerror}")
    fetch_at_once(row, place, [(ANNE, 0o077)])
    become(BERT, lambda: (place / ENTRY).read_bytes())
    fetch_at_once(row, place, [(BERT, 0o077)])
    assert server.asked == ["/A"]


def test_published_files_still_follow_the_umask(bench):
    """In the working folder of one person, whatever its bits."""
    bench.folder.chmod(0o2775)
    before = os.umask(0o077)
    try:
        bench.run()
    finally:
        os.umask(before)
    assert bits(bench.mask) == bits(bench.sidecar) == bits(bench.raw) == 0o600
    assert bits(bench.entry) == 0o664
