# SPDX-License-Identifier: MIT
"""Where each mask is cached, whether it verifies, or what is missing."""

import logging
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..errors import FetchError, MaskError
from ..fetching import Fetcher
from ..urls import escaped, shown_url

log = logging.getLogger(__name__)

COLUMNS = ("mask", "found in", "verifies", "bytes", "where, or what is missing")

NOWHERE = "nowhere"

_Line = tuple[object, ...]


def status(fetchers: Iterable[Fetcher], asked: Collection[str]) -> str:
    """Return a table of masks: where each was found and whether it verifies, or what is missing.

    Reads files only: opens no socket, and writes nothing.

    Parameters
    ----------
    fetchers
        Each mask, and its sources.
    asked
        Names of the masks that have a line in any case. Of the others, those that are nowhere are
        named at the end.
    """
    lines: list[_Line] = [COLUMNS]
    absent = []
    for fetcher in fetchers:
        found = list(_lines(fetcher))
        if fetcher.mask.name not in asked and all(layer == NOWHERE for _, layer, *_ in found):
            absent.append(fetcher.mask.name)
        else:
            lines += found
    widths = [max(len(str(line[n])) for line in lines) for n in range(len(COLUMNS) - 1)] + [0]
    # It is printed: a location of a table and the name of a folder must not steer the terminal.
    texts = [
        escaped("  ".join(f"{cell!s:<{width}}" for cell, width in zip(line, widths, strict=True)))
        for line in lines
    ]
    if absent:
        texts.append(f"Registered, too, and nowhere on this machine: {escaped(', '.join(absent))}")
    return "\n".join(texts)


def _lines(fetcher: Fetcher) -> Iterator[_Line]:
    """Yield what stands in the caches, else the first good copy, else what is missing."""
    mask, cached = fetcher.mask, False
    for path, damage in fetcher.cache.look(mask):
        layer = "cache" if path.parent == fetcher.cache.folder else "site cache"
        where = f"{path} {damage}" if damage else str(path)
        yield mask.name, layer, "no" if damage else "yes", _size(path), where
        cached = cached or not damage
    if cached:
        return
    for source in fetcher.sources():
        if source.is_server:
            break
        try:
            size = len(source.read().data)
        except FetchError as err:
            log.info("mask %s: %s: %s", mask.name, source.name, err)
        except (MaskError, OSError) as err:
            yield mask.name, "local copy", "no", "", f"{source.location}: {err}"
        else:
            yield mask.name, "local copy", "yes", size, source.location
            return
    missing = f"would come from {shown_url(mask.url)}"
    if fetcher.offline:
        missing = f"not available offline; {missing}"
    yield mask.name, NOWHERE, "-", mask.bytes, missing


def _size(path: Path) -> int | str:
    try:
        # Of the file, where a folder of links is the cache.
        return path.stat().st_size
    except OSError:
        # A link to nowhere; or another run has quarantined it in the meantime.
        return ""
