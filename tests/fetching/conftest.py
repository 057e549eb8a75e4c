# SPDX-License-Identifier: MIT
"""Fixtures of the tests of faults."""

import pytest
from support import time_bound

# Seconds; no case comes near, one that hangs ends here.
LONGEST = 60


@pytest.fixture(autouse=True)
def bounded():
    """End a test that hangs."""
    with time_bound(LONGEST):
        yield
