# SPDX-License-Identifier: MIT
"""Numbers and failures of NIfTI files in words."""

from collections.abc import Iterable, Sequence

from ..urls import one_line


def times(numbers: Iterable[float]) -> str:
    """Return numbers as in ``91x109x91``: whole ones in full, others with six digits."""
    return "x".join(f"{n:.6g}" if isinstance(n, float) else str(n) for n in numbers)


def listed(names: Sequence[str]) -> str:
    """Return names as in ``a, b and c``."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def reason(err: Exception) -> str:
    """Return one line on why a file could not be read."""
    # Some of nibabel's readers quote the file, whatever is in it.
    return one_line(str(err)).rstrip(".") or type(err).__name__
