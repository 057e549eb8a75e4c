# SPDX-License-Identifier: MIT
"""A fetcher: made of plain values as a workflow's job has them, and beside other runs."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faultserver import FaultServer
from support import tiny_mask

from brainmasks import FetchError
from brainmasks.fetching import Cache, Fetcher, Origin, Verified
from brainmasks.nifti import SHA256

# As another machine writes it: nobody here can tell whether its process lives.
HELD_ELSEWHERE = b"filelock/2\npid=7\nhost=elsewhere\nmode=lease\ntoken=aa\nduration=30.0\n"


def test_plain_values_describe_mask_cache_and_sources():
    _, row = tiny_mask("A")
    recorded = row | {"url": "https://host/a"}
    fetcher = Fetcher.from_settings(
        recorded,
        "https://user:secret@host/a",
        "/tables",
        "/cache",
        ["/site", "/other"],
        [{"location": "/copy"}, {"location": "https://mirror/a"}],
        True,
        {row["sha256"]: "A_2mm"},
    )
    assert fetcher.mask.name == "A_2mm"
    assert fetcher.mask.url == "https://user:secret@host/a"
    assert fetcher.mask.folder == "/tables"
    assert fetcher.cache.folders() == [Path("/cache"), Path("/site"), Path("/other")]
    assert [mirror.location for mirror in fetcher.mirrors] == ["/copy", "https://mirror/a"]
    assert fetcher.offline
    assert fetcher.registered == {row["sha256"]: "A_2mm"}
    assert [source.name for source in fetcher.sources()] == [
        "local copy /copy",
        "registered URL https://host/a",
        "mirror https://mirror/a",
    ]


# --- Other runs fetch the same mask --------------------------------------------------------------


def held_by_another_run(bench) -> Path:
    """Hold the lock of the mask, as another run does."""
    lock = bench.cache / ".A_2mm.lock"
    bench.cache.mkdir(parents=True, exist_ok=True)
    lock.write_bytes(HELD_ELSEWHERE)
    return lock


@contextmanager
def cached_by_another_run_after(bench, message: str) -> Iterator[Verified]:
    """Keep the mask in the cache, as another run does, at the moment when this one logs that."""
    found = Verified(bench.data, Origin("https://elsewhere", False, SHA256, cached=True))

    class Run(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if message in record.getMessage():
                Cache(bench.cache).store(bench.metadata, found)

    log, run = logging.getLogger("brainmasks"), Run()
    log.addHandler(run)
    yield found
    log.removeHandler(run)


@pytest.mark.parametrize("message", ["another run is fetching", "without a lock, "])
def test_what_another_run_has_cached_meanwhile_is_taken_and_no_server_asked(bench, caplog, message):
    caplog.set_level("INFO")
    held_by_another_run(bench)
    with cached_by_another_run_after(bench, message) as found:
        assert bench.fetcher().fetch() == found
    assert bench.server.asked == []
    assert caplog.messages[-1] == f"mask A_2mm: found in the cache, {bench.entry}"


def test_wait_without_the_lock_is_told_and_comes_once_before_all_servers(bench, caplog):
    caplog.set_level("INFO")
    held_by_another_run(bench)
    busy = FaultServer(lambda connection: connection.answer("404 Not Found"))
    bench.server.behaviour = busy.behaviour
    bench.mirrors = [f"{busy.url}/a"]
    with pytest.raises(FetchError):
        bench.fetcher().fetch()
    busy.close()
    told = [message for message in caplog.messages if "without a lock" in message]
    assert len(told) == 1
    assert told[0].startswith("mask A_2mm: without a lock, 0.")
    assert (len(bench.server.asked), len(busy.asked)) == (1, 1)


def test_lock_that_cannot_be_removed_keeps_no_hit_from_being_used(bench):
    found = Verified(bench.data, Origin("https://host/a", False, SHA256, cached=True))
    Cache(bench.cache).store(bench.metadata, found)
    (bench.cache / ".A_2mm.lock").mkdir()
    assert bench.fetcher().fetch() == found


# --- Sources that fail ---------------------------------------------------------------------------


class Defect:
    """A source with a defect."""

    is_server = False
    name = "the defect"
    location = "nowhere"

    def read(self) -> Verified:
        raise ZeroDivisionError("of two\nlines")


class WithDefect(Fetcher):
    """A fetcher of which the first source has a defect."""

    def sources(self) -> Iterator:
        yield Defect()
        yield from super().sources()


def with_defect(bench) -> WithDefect:
    made = bench.fetcher()
    return WithDefect(made.mask, made.cache, made.mirrors, made.offline, limits=made.limits)


def test_source_with_a_defect_is_told_and_the_next_one_is_asked(bench, caplog):
    caplog.set_level("INFO")
    assert with_defect(bench).fetch().data == bench.data
    told = caplog.records[0]
    assert told.getMessage() == "mask A_2mm: the defect: unexpected ZeroDivisionError: of two lines"
    assert told.exc_info[0] is ZeroDivisionError


def test_defect_of_a_source_is_a_reason_among_the_others(bench):
    bench.offline = True
    with pytest.raises(FetchError) as caught:
        with_defect(bench).fetch()
    assert "\n(2) the defect: unexpected ZeroDivisionError: of two lines\n(3) registered" in str(
        caught.value
    )


def test_local_copy_that_is_another_registered_mask_is_named(bench):
    copy = bench.folder / "copy.nii.gz"
    copy.write_bytes(bench.other)
    bench.mirrors, bench.offline = [str(copy)], True
    with pytest.raises(FetchError, match=r"\n\(2\) local copy .*B_2mm.*\n\(3\) registered URL"):
        bench.fetcher().fetch()


def test_cache_that_cannot_be_written_is_told_with_its_reason(bench, caplog):
    bench.cache.write_bytes(b"a file")
    bench.fetcher().fetch()
    assert caplog.messages[-1].startswith(
        f"mask A_2mm is not kept in the cache {bench.cache}: File exists; set `cache_dir` to"
    )


def test_command_for_an_offline_miss_is_not_told_where_another_encoding_may_come(bench):
    """What would be put into the cache is then not what is registered."""
    bench.row["url"], bench.offline = "https://host/a", True
    with pytest.raises(FetchError) as caught:
        bench.fetcher().fetch()
    assert "curl" not in str(caught.value)
    assert f"put the file with SHA-256 {bench.row['sha256']} at {bench.entry}" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://host/a", True),
        ("https://user:secret@host/a", False),
        ("https://host/a?token=secret", False),
        ("doi:10.5281/zenodo.1/mask.nii.gz", False),
    ],
)
def test_command_for_an_offline_miss_is_told_where_it_works_and_shows_no_secret(bench, url, told):
    bench.register_md5(bench.data, url=url)
    bench.offline = True
    with pytest.raises(FetchError) as caught:
        bench.fetcher().fetch()
    assert f"put the file with MD5 {bench.row['md5']} at {bench.entry}" in str(caught.value)
    command = f", or `curl --fail --location --create-dirs --output '{bench.entry}' {url}`"
    assert (command in str(caught.value)) == ("curl" in str(caught.value)) == told
    assert "secret" not in str(caught.value)
