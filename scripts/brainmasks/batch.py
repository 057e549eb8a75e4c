"""Many images against published masks: in several processes, each mask read once in each."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

from .compare import Examined, examine
from .errors import InvalidMaskError, MaskError
from .image import content_limit, read_image, scaled_voxels
from .registry import BrainMaskMetadata, BrainMaskRegistry
from .stream import gunzip_whole


def in_processes(task: Callable, arguments: Sequence[tuple], workers: int) -> list[Any]:
    """Return what a task returns for each of the arguments, in their order.

    Parameters
    ----------
    task
        A function of a module.
    arguments
        What to call it with.
    workers
        How many processes to use at most; with one, it is done in this one.

    Raises
    ------
    MaskError
        If one of the processes is killed.
    """
    workers = min(workers, len(arguments))
    if workers < 2:
        return [task(*each) for each in arguments]
    try:
        with ProcessPoolExecutor(workers) as pool:
            return list(pool.map(task, *zip(*arguments, strict=True)))
    except BrokenProcessPool as err:
        raise MaskError(
            f"one of {workers} processes that share {len(arguments)} images was killed, perhaps "
            "for want of memory; give the job more memory (mem_mb) or fewer threads"
        ) from err


def examine_image(path, mask: Mapping, registered: Sequence[Mapping[str, str]]) -> Examined:
    """Return what is found about an image, compared to a published mask.

    Parameters
    ----------
    path
        The image.
    mask
        ``path`` of the published file and ``row`` of the registry.
    registered
        Rows of all registered masks.
    """
    metadata = BrainMaskMetadata.from_row(mask["row"])
    return examine(
        path,
        metadata,
        registry_of(registered),
        lambda: published_voxels(mask["path"], metadata),
    )


def registry_of(rows: Sequence[Mapping[str, str]]) -> BrainMaskRegistry:
    """Return a registry of these rows, without aliases: made once in each process."""
    return _registry(tuple(tuple(sorted(row.items())) for row in rows))


def published_voxels(path, mask: BrainMaskMetadata):
    """Return a published mask as an array of bool in RAS order: read once in each process.

    Raises
    ------
    InvalidMaskError
        If the file has been damaged since it was published.
    """
    return _voxels(str(path), mask.name, content_limit(mask.size))


@cache
def _registry(rows: tuple) -> BrainMaskRegistry:
    return BrainMaskRegistry([BrainMaskMetadata.from_row(dict(row)) for row in rows], aliases={})


@cache
def _voxels(path: str, name: str, limit: int):
    try:
        image = read_image(gunzip_whole(Path(path).read_bytes(), limit))
    except InvalidMaskError as err:
        raise InvalidMaskError(
            f"mask {name}: {path} is damaged: {err}. "
            "Delete it and its sidecar to have them made again"
        ) from err
    return scaled_voxels(image) == 1
