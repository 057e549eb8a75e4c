# SPDX-License-Identifier: MIT
"""Fixtures of the tests of faults."""

import signal

import pytest

# Seconds; no case comes near, one that hangs ends here.
LONGEST = 60


@pytest.fixture(autouse=True)
def bounded():
    """End a test that hangs."""

    def end(*_) -> None:
        raise TimeoutError(f"not finished within {LONGEST} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(LONGEST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
