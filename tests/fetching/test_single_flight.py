# SPDX-License-Identifier: MIT
"""The lock that saves requests: how long one that was left counts, and when a wait for it ends."""

import logging
import os
from types import SimpleNamespace

import pytest

from brainmasks.fetching import single_flight as module
from brainmasks.fetching.single_flight import EMPTY, SILENT, _Leftover, single_flight

# As another machine writes it: nobody here can tell whether its process lives.
ELSEWHERE = b"filelock/2\npid=7\nhost=elsewhere\nmode=lease\ntoken=aa\nduration=30.0\n"


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """Return the clock by which a lock is watched; it stands still unless it is set."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.mark.parametrize(
    ("content", "longest"), [(b"", EMPTY), (ELSEWHERE, SILENT)], ids=["empty", "written"]
)
def test_lock_is_removed_when_nobody_has_touched_it_for_so_long(
    tmp_path, clock, caplog, content, longest
):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "lock"
    lock.write_bytes(content)
    leftover = _Leftover(lock)
    assert not leftover.is_stuck()
    clock.now += longest - 1
    assert not leftover.is_stuck()
    # A sign of life: from here on the time counts anew.
    os.utime(lock, (0, 0))
    assert not leftover.is_stuck()
    clock.now += longest - 1
    assert not leftover.is_stuck()
    assert lock.exists()
    clock.now += 1
    assert not leftover.is_stuck()
    assert not lock.exists()
    assert caplog.messages == [f"lock {lock} was left by a killed run; it is removed"]


def test_lock_that_cannot_be_removed_is_stuck(tmp_path, clock, caplog):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "lock"
    (lock / "below").mkdir(parents=True)
    leftover = _Leftover(lock)
    assert not leftover.is_stuck()
    clock.now += SILENT
    assert leftover.is_stuck()
    assert f"lock {lock} was left by a killed run, and stays: " in caplog.text
    assert os.strerror(21) in caplog.text or os.strerror(1) in caplog.text


def test_lock_that_is_gone_is_not_stuck(tmp_path):
    assert not _Leftover(tmp_path / "lock").is_stuck()


def test_lock_is_held_by_one_and_then_nobody(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "lock"
    with single_flight(lock, lambda: False, 1) as alone:
        assert alone
        assert lock.exists()
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == []


def test_wait_ends_when_the_other_run_is_done(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "lock"
    lock.write_bytes(ELSEWHERE)
    looks = iter([False, False])
    with single_flight(lock, lambda: next(looks, True), 1e6) as alone:
        assert not alone
    assert lock.exists()
    assert len(caplog.messages) == 1
    assert f"(lock {lock}, held by process 7 on elsewhere)" in caplog.text


def test_run_that_has_not_written_into_its_lock_is_waited_for_without_a_name(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    lock = tmp_path / "lock"
    lock.write_bytes(b"")
    with single_flight(lock, lambda: True, 1e6) as alone:
        assert not alone
    assert caplog.messages == [
        f"another run is fetching the same file; waiting for it, at most 1000000 s (lock {lock})"
    ]
