# SPDX-License-Identifier: MIT
"""Caches that are damaged, read-only, full or shared: right bytes or an honest word, no harm."""

import errno
import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from brainmasks import FetchError
from brainmasks.fetching import verification


def overwrite(data: bytes):
    return lambda path: path.write_bytes(data)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "something").write_text("of somebody's")


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def loop(path: Path) -> None:
    path.symlink_to(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 << 30)


DAMAGE = {
    "empty": (overwrite(b""), "has SHA-256 e3b0c442"),
    "garbage": (overwrite(b"garbage"), "has SHA-256 "),
    "an HTML page": (overwrite(b"<html>"), "has SHA-256 "),
    "a folder": (folder, "is unusable: it is a folder"),
    "a dangling link": (dangling, "is a dangling link"),
    "a link to itself": (loop, "is unusable: Too many levels of symbolic links"),
    "a pipe": (os.mkfifo, "is unusable: it is no regular file"),
    "10 GB": (sparse, "is unusable: it has 10737418240 bytes, more than "),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_entry_is_quarantined_told_and_replaced(bench, caplog, name):
    damage, words = DAMAGE[name]
    bench.cache.mkdir()
    damage(bench.entry)
    bench.run()
    bench.assert_published()
    assert bench.entry.read_bytes() == bench.data
    aside = bench.cache / f"{bench.entry.name}.damaged-1"
    assert os.path.lexists(aside)
    assert f"cached file {bench.entry} {words}" in caplog.text
    assert f"quarantined as {aside.name}" in caplog.text
    bench.run()
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize("name", ["garbage", "a folder"])
def test_at_most_one_damaged_entry_is_kept(bench, name):
    damage, _ = DAMAGE[name]
    for _ in range(3):
        bench.run()
        bench.entry.unlink()
        damage(bench.entry)
    bench.run()
    assert [p.name for p in bench.cache.glob("*.damaged-*")] == [f"{bench.entry.name}.damaged-3"]


def test_link_to_a_good_file_is_a_hit(bench):
    bench.cache.mkdir()
    (bench.folder / "good").write_bytes(bench.data)
    bench.entry.symlink_to(bench.folder / "good")
    bench.run()
    assert bench.entry.is_symlink()
    assert bench.server.asked == []


def listing(folder: Path) -> list:
    return sorted((p, p.lstat().st_mtime_ns, p.lstat().st_size) for p in folder.rglob("*"))


@pytest.mark.parametrize(
    "name",
    [
        "masks/A_2mm_desc-brain_mask_sha256-{}.nii.gz",
        "A_2mm_desc-brain_mask_sha256-{}.nii.gz",
        "masks/A_2mm_desc-brain_mask.nii.gz",
        "A_2mm_desc-brain_mask.nii.gz",
        "A_2mm.nii.gz",
    ],
)
def test_site_cache_is_hit_in_each_layout_and_never_written(bench, name):
    site = bench.folder / "site"
    name = name.format(bench.row["sha256"][:16])
    bench.site_caches = [bench.folder / "not there", site]
    (site / name).parent.mkdir(parents=True)
    (site / name).write_bytes(bench.data)
    before = listing(site)
    bench.run()
    bench.assert_published()
    assert bench.server.asked == []
    assert listing(site) == before
    assert not bench.cache.exists()


def test_damaged_site_cache_is_told_and_passed_over(bench, caplog):
    site, good = bench.folder / "site", bench.folder / "good"
    bench.site_caches = [site, good]
    for place, data in ((site, b"rotten"), (good, bench.data)):
        place.mkdir()
        (place / "A_2mm.nii.gz").write_bytes(data)
    before = listing(site)
    bench.run()
    bench.assert_published()
    assert bench.server.asked == []
    assert listing(site) == before
    assert f"{site}/A_2mm.nii.gz has SHA-256" in caplog.text


def test_cache_goes_before_site_caches(bench, caplog):
    site = bench.folder / "site"
    bench.run()
    site.mkdir()
    (site / "A_2mm.nii.gz").write_bytes(b"not even looked at")
    bench.site_caches = [site]
    caplog.set_level("INFO")
    bench.run()
    assert f"found in the cache, {bench.entry}" in caplog.text
    assert str(site) not in caplog.text
    bench.assert_published()


def test_hit_in_a_site_cache_leaves_the_lock_of_another_run(bench):
    site = bench.folder / "site"
    site.mkdir()
    (site / "A_2mm.nii.gz").write_bytes(bench.data)
    bench.site_caches = [site]
    bench.cache.mkdir()
    lock = bench.cache / ".A_2mm.lock"
    lock.touch()
    bench.run()
    bench.assert_nothing_wrong(kept=[lock])
    assert lock.exists()
    assert bench.server.asked == []


def test_hit_writes_nothing(bench):
    bench.run()
    before = listing(bench.cache)
    bench.run()
    assert listing(bench.cache) == before


def test_cache_that_is_a_file_costs_only_the_cache(bench, caplog):
    bench.cache.write_text("a file")
    bench.run()
    assert bench.mask.read_bytes() == bench.data
    assert f"is not kept in the cache {bench.cache}" in caplog.text


class Mounted:
    """A small file system of its own on a folder, where this process may mount one."""

    def __init__(self, folder: Path, options: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    def __enter__(self) -> "Mounted":
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["umount", self.folder], check=True)

    def fill(self) -> None:
        """Leave no room."""
        command = ["dd", "if=/dev/zero", f"of={self.folder / 'filler'}", "bs=4096"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "No space left on device" in done.stderr


def test_full_cache_is_not_the_end(bench, caplog):
    with Mounted(bench.cache, "size=64k") as mounted:
        mounted.fill()
        bench.run()
        assert bench.mask.read_bytes() == bench.data
        assert not bench.entry.exists()
        assert f"is not kept in the cache {bench.cache}: No space left" in caplog.text
        assert [p.name for p in bench.cache.iterdir()] == ["filler"]


def test_read_only_cache_is_not_the_end(bench, caplog):
    with Mounted(bench.cache, "size=64k"):
        subprocess.run(["mount", "-o", "remount,ro", bench.cache], check=True)
        bench.run()
        assert bench.mask.read_bytes() == bench.data
        assert f"is not kept in the cache {bench.cache}: Read-only file system" in caplog.text


def test_damaged_entry_of_a_read_only_cache_is_told_and_passed_over(bench, caplog):
    with Mounted(bench.cache, "size=64k"):
        bench.entry.write_bytes(b"rotten")
        subprocess.run(["mount", "-o", "remount,ro", bench.cache], check=True)
        bench.run()
        assert bench.mask.read_bytes() == bench.data
        assert "it cannot be quarantined (Read-only file system)" in caplog.text


def test_full_working_folder_is_named(bench):
    with Mounted(bench.folder / "resources", "size=64k") as mounted:
        mounted.fill()
        with pytest.raises(OSError, match="No space left on device") as caught:
            bench.run()
        assert caught.value.filename == str(bench.origin)
        assert [p.name for p in mounted.folder.iterdir()] == ["filler"]
        (mounted.folder / "filler").unlink()
        bench.run()
        bench.assert_published()
    assert bench.entry.read_bytes() == bench.data


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_cache_that_refuses_a_write_costs_only_the_cache(bench, caplog, monkeypatch, number):
    """Quotas cannot be set everywhere, and root may write anywhere: the call itself refuses."""
    real = os.fsync

    def refuse(handle: int) -> None:
        if str(bench.cache) in str(Path(f"/proc/self/fd/{handle}").readlink()):
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", refuse)
    bench.run()
    assert bench.mask.read_bytes() == bench.data
    assert f"is not kept in the cache {bench.cache}: {os.strerror(number)}" in caplog.text
    assert not bench.entry.exists()
    bench.assert_nothing_wrong()
    monkeypatch.undo()
    bench.run()
    assert bench.entry.read_bytes() == bench.data


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_modes_follow_the_umask(bench, umask):
    before = os.umask(umask)
    try:
        bench.run()
    finally:
        os.umask(before)
    for path in (bench.entry, bench.raw, bench.mask, bench.sidecar):
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask, path


def test_temporary_files_of_killed_runs_are_cleared_and_others_are_left(bench):
    host = socket.gethostname()
    bench.cache.mkdir()
    gone = subprocess.Popen(["true"])
    gone.wait()
    stale = bench.cache / f".{bench.entry.name}.{host}.{gone.pid}.abc.part"
    alive = bench.cache / f".{bench.entry.name}.{host}.{os.getpid()}.abc.part"
    elsewhere = bench.cache / f".{bench.entry.name}.other-host.1.abc.part"
    old = bench.cache / f".{bench.entry.name}.other-host.2.abc.part"
    for path in (stale, alive, elsewhere, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    bench.run()
    left = {path for path in bench.cache.iterdir() if path.suffix == ".part"}
    assert left == {alive, elsewhere}


def test_offline_hit_opens_no_socket(bench, no_sockets):
    bench.cache.mkdir()
    bench.entry.write_bytes(bench.data)
    bench.offline = True
    bench.run()
    bench.assert_published()


def test_offline_miss_says_what_to_do_and_opens_no_socket(bench, no_sockets):
    bench.offline = True
    bench.mirrors = ["/no/such/copy.nii.gz", "https://example.org/mirror"]
    bench.site_caches = [bench.folder / "site"]
    with pytest.raises(FetchError) as caught:
        bench.run()
    for words in (
        "mask A_2mm",
        f"cache {bench.cache}: not there",
        f"cache {bench.folder / 'site'}: not there",
        "/no/such/copy.nii.gz does not exist",
        f"registered URL {bench.row['url']}: not asked: offline",
        "mirror https://example.org/mirror: not asked: offline",
        bench.row["sha256"],
        "snakemake prefetch",
    ):
        assert words in str(caught.value)
    assert not bench.cache.exists()


@pytest.fixture
def no_sockets(bench):
    """Fail if this process opens a socket, or looks a name up."""
    opened = []

    def watch(event: str, args) -> None:
        if watching and event.startswith("socket."):
            opened.append((event, args))

    watching = [True]
    sys.addaudithook(watch)
    yield
    # A hook cannot be taken off again.
    watching.clear()
    assert [event for event in opened if event[0] != "socket.gethostname"] == []


def test_leftovers_that_may_not_be_removed_cost_nothing(bench, monkeypatch):
    """In a folder with the sticky bit, those of other users stay."""
    bench.cache.mkdir()
    bench.entry.write_bytes(b"rotten")
    kept = [
        bench.cache / f"{bench.entry.name}.damaged-1",
        bench.cache / f".{bench.entry.name}.{socket.gethostname()}.999999999.abc.part",
    ]
    for path in kept:
        path.write_bytes(b"of somebody else")
    real = os.unlink

    def refuse(path, **options) -> None:
        if Path(path) in kept:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(path))
        real(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    bench.run()
    bench.assert_nothing_wrong(kept)
    assert bench.entry.read_bytes() == bench.data
    assert all(path.exists() for path in kept)


def test_error_of_the_disk_at_one_place_leads_to_the_next(bench, monkeypatch, tmp_path):
    """A copy that is recoded needs room for a temporary file; there is some again for the next."""
    copy = tmp_path / "copy.nii.gz"
    copy.write_bytes(gzip.compress(gzip.decompress(bench.data), 9))
    bench.mirrors = [str(copy)]
    recodings, full = verification.recodings, [True]

    def refuse(*args):
        if full:
            full.clear()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return recodings(*args)

    monkeypatch.setattr(verification, "recodings", refuse)
    bench.run()
    bench.assert_published()
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize("form", ["file://{}", "file://localhost{}"])
def test_local_copy_as_a_file_url(bench, tmp_path, form):
    copy = tmp_path / "a copy.nii.gz"
    copy.write_bytes(bench.data)
    bench.mirrors = [form.format(str(copy).replace(" ", "%20"))]
    bench.run()
    bench.assert_published()
    assert bench.server.asked == []


def test_command_for_an_offline_miss_does_what_it_says(bench):
    import re
    import shlex
    import shutil

    if not shutil.which("curl"):
        pytest.skip("no curl here")
    bench.register_md5(gzip.compress(gzip.decompress(bench.data), 9))
    bench.offline = True
    with pytest.raises(FetchError) as caught:
        bench.run()
    command = re.search(r"`(curl [^`]*)`", str(caught.value))[1]
    subprocess.run([*shlex.split(command), "--silent"], check=True)
    bench.run()
    bench.assert_published()
