# SPDX-License-Identifier: MIT
"""What is printed: text for people, JSON for programs, talk beside both."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..urls import escaped


@dataclass(frozen=True)
class Printed:
    """What a command has to say on standard output, and the status with which it ends."""

    text: str
    status: int = 0


def say(text: str) -> None:
    """Print a remark where it is not mixed with what a command returns."""
    # What a table of others says must not steer the terminal.
    print(escaped(text, but="\n"), file=sys.stderr)


def as_json(content: Any) -> str:
    """Return JSON of ASCII alone: no letter of it steers a terminal."""
    return json.dumps(content, indent=2) + "\n"


def shown(text: str) -> str:
    """Return a text as it may be printed."""
    return escaped(text, but="\n")


def aligned(heading: Sequence[str], lines: Iterable[Sequence[str]], right: str = "") -> str:
    """Return lines of cells below one another.

    Parameters
    ----------
    heading
        Names of the columns.
    lines
        The cells.
    right
        For each column ``r`` if its cells stand at the right of it.
    """
    cells = [[escaped(cell) for cell in line] for line in (heading, *lines)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = right.ljust(len(widths))
    return "".join(
        "  ".join(
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(line, widths, sides, strict=True)
        ).rstrip()
        + "\n"
        for line in cells
    )
