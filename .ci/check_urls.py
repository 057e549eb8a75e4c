#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fetch every URL of the tables of masks and mirrors, and say what moved or changed.

It prints a table in Markdown, so that it can be the text of an issue, and ends with 1 if a URL no
longer has what is registered, or has it at another address. One URL is fetched at a time, as
`snakemake` would fetch it: through the same code, with its limits, and with the pauses that a
server asks for.
"""

import argparse
import collections
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "scripts"))

from brainmasks.errors import FetchError, InvalidMaskError  # noqa: E402
from brainmasks.fetching import Cache, Fetcher  # noqa: E402
from brainmasks.registry import (  # noqa: E402
    BrainMaskRegistry,
    read_mirrors,
    read_registry,
    shipped_mirrors,
    shipped_registry,
)

SAME = "same"
# What an answer means beyond that it was no success.
MEANINGS = {404: "gone", 410: "gone", 401: "refused", 403: "refused", 429: "refused"}


class Moves(logging.Handler):
    """Collects what the log says of addresses that a server calls permanent."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.found.append(record.getMessage())


def check(source, moves: Moves) -> tuple[str, str]:
    """Return what has become of a source, in a word and in full."""
    moves.found.clear()
    try:
        verified = source.read()
    except InvalidMaskError as err:
        return "changed", str(err)
    except FetchError as err:
        answer = re.search(r"the server answered (\d+)", str(err))
        return MEANINGS.get(int(answer[1]), "failed") if answer else "failed", str(err)
    if moves.found:
        return "moved", "; ".join(moves.found)
    how = verified.origin.verified_by + (", encoded differently" if verified.origin.recoded else "")
    return SAME, how


def servers(registry: BrainMaskRegistry, mirrors: dict) -> Iterator[tuple]:
    """Yield each mask with each server that is to have it."""
    for mask in registry.list():
        # Its cache is never looked at.
        fetcher = Fetcher(
            mask, Cache("nowhere"), mirrors.get(mask.name, ()), registered=registry.by_hash()
        )
        yield from ((mask, source) for source in fetcher.sources() if source.is_server)


def cell(text: str) -> str:
    """Return a text as a cell of a table in Markdown."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def main() -> int:
    """Check all URLs; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--registry", help="a table of masks, instead of the shipped ones")
    parser.add_argument("--mirrors", help="a table of mirrors, instead of the shipped one")
    parser.add_argument("--pause", type=float, default=2, help="seconds between two URLs")
    asked = parser.parse_args()
    registry = read_registry(asked.registry) if asked.registry else shipped_registry()
    schema = TOP / "workflow" / "schemas" / "mirrors.schema.json"
    mirrors = read_mirrors(asked.mirrors, schema) if asked.mirrors else shipped_mirrors()

    moves = Moves()
    log = logging.getLogger("brainmasks.fetching.session")
    log.setLevel(logging.INFO)
    log.addHandler(moves)
    counts = collections.Counter()
    print("| | mask | URL | what was found |\n|---|---|---|---|")
    for number, (mask, source) in enumerate(servers(registry, mirrors)):
        if number:
            time.sleep(asked.pause)
        status, found = check(source, moves)
        counts[status] += 1
        row = (status, mask.name, source.location, found)
        print(f"| {' | '.join(map(cell, row))} |", flush=True)
    print(f"\n{', '.join(f'{n} {status}' for status, n in counts.most_common())}")
    return 0 if set(counts) <= {SAME} else 1


if __name__ == "__main__":
    sys.exit(main())
