"""What is in stock: fill the cache beforehand, and tell what can be had from where."""

import logging
from collections.abc import Iterable, Iterator, Mapping

from .errors import FetchError, MaskError
from .fetch import Ways, fetch, places
from .mirrors import local
from .registry import BrainMaskMetadata
from .urls import without_credentials

log = logging.getLogger(__name__)

COLUMNS = ("mask", "found in", "verifies", "bytes", "where, or what is missing")


def in_stock(entries: Iterable[Mapping]) -> list[tuple[BrainMaskMetadata, Ways]]:
    """Return masks, and how each may be had, from plain values as a workflow hands them to a job.

    Parameters
    ----------
    entries
        ``row``, ``url`` and ``settings`` of each mask.
    """
    return [
        (
            BrainMaskMetadata.from_row(entry["row"] | {"url": entry["url"]}),
            Ways.from_settings(**entry["settings"]),
        )
        for entry in entries
    ]


def prefetch(wanted: Iterable[tuple[BrainMaskMetadata, Ways]]) -> None:
    """Fill the cache with masks; every one is tried.

    Parameters
    ----------
    wanted
        Each mask, and how it may be had.

    Raises
    ------
    FetchError
        If one or more cannot be had or not be kept, after all were tried. Why is logged.
    """
    wanted = list(wanted)
    missing = []
    for mask, ways in wanted:
        try:
            fetch(mask, ways)
        except FetchError as err:
            log.error("%s", err)
            missing.append(mask.name)
            continue
        if hit := ways.cache.load(mask):
            log.info("mask %s: in the cache, %s", mask.name, hit[0])
        else:
            missing.append(mask.name)
    if missing:
        raise FetchError(
            f"{len(missing)} of {len(wanted)} masks are not in the cache: {', '.join(missing)}"
        )


def status(registered: Iterable[tuple[BrainMaskMetadata, Ways]]) -> str:
    """Return a table of masks: where each was found and whether it verifies, or what is missing.

    Reads files only: opens no socket, and writes nothing.

    Parameters
    ----------
    registered
        Each mask, and how it may be had.
    """
    lines = [COLUMNS]
    for mask, ways in registered:
        lines += _findings(mask, ways)
    widths = [max(len(str(line[n])) for line in lines) for n in range(len(COLUMNS) - 1)] + [0]
    return "\n".join(
        "  ".join(f"{cell!s:<{width}}" for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _findings(mask: BrainMaskMetadata, ways: Ways) -> Iterator[tuple]:
    """Yield a line for what stands in the caches, else for the first good copy, else what lacks."""
    found = False
    for path, damage in ways.cache.look(mask):
        layer = "cache" if path.parent == ways.cache.folder else "site cache"
        yield mask.name, layer, "no" if damage else "yes", _size(path), _said(path, damage)
        found = found or not damage
    if found:
        return
    for place, mirror in zip(places(mask, ways), local(ways.mirrors), strict=False):
        try:
            size = len(place.read().data)
        except FetchError as err:
            log.info("mask %s: %s: %s", mask.name, place.name, err)
        except (MaskError, OSError) as err:
            yield mask.name, "local copy", "no", "", f"{mirror.location}: {err}"
        else:
            yield mask.name, "local copy", "yes", size, mirror.location
            return
    source = f"would come from {without_credentials(mask.url)}"
    if ways.offline:
        source = f"not to be had offline; {source}"
    yield mask.name, "nowhere", "-", mask.bytes, source


def _size(path) -> int | str:
    try:
        return path.lstat().st_size
    except OSError:
        # Another run has set it aside in the meantime.
        return ""


def _said(path, damage: str | None) -> str:
    return f"{path} {damage}" if damage else str(path)
