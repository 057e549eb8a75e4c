# SPDX-License-Identifier: MIT
"""What a run tells people of what it has made: which lines these are, and sizes in words."""

import logging

# The `extra` of such a line, whose level is that of all that went well.
TOLD = {"told": True}


def is_told(record: logging.LogRecord) -> bool:
    """Return whether a line is for people who look at a run."""
    return getattr(record, "told", False)


def size_in_words(size: int) -> str:
    """Return the size of a file as file managers state it.

    Parameters
    ----------
    size
        In bytes.
    """
    if size < 1000:
        return f"{size} bytes"
    # What rounds to 1000 kB is a MB.
    return f"{size / 1000:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"
