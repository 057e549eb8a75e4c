# SPDX-License-Identifier: MIT
"""Many images against published masks: in several processes, each mask read once in each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ..errors import InvalidMaskError, MaskError
from ..masks import completed, read_published, sidecar_beside
from ..nifti import read_image, scaled_voxels
from ..paths import StrPath
from ..registry import BrainMaskMetadata, BrainMaskRegistry
from .claims import Claims, bare_name
from .compare import Examined, examine
from .counted import Counted
from .grids import Grid
from .opening import UnreadableImage, open_image
from .slabs import whole_voxels
from .statistics import world_statistics
from .values import is_above
from .verdicts import Comparison

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PublishedMask:
    """A mask as it was published.

    Attributes
    ----------
    path : str or path
        The file.
    metadata : BrainMaskMetadata
        What is registered for it.
    """

    path: StrPath
    metadata: BrainMaskMetadata

    @classmethod
    def from_row(cls, row: Mapping[str, str], path: StrPath) -> "PublishedMask":
        """Return the mask of a row, with what its sidecar says where only an MD5 is registered.

        Raises
        ------
        InvalidMaskError
            If that sidecar is not the mask's.
        """
        return cls(path, completed(BrainMaskMetadata.from_row(row), sidecar_beside(path)))

    def voxels(self) -> "NDArray[np.bool_]":
        """Return where it is 1, an array of bool in RAS order: read once in each process.

        Raises
        ------
        InvalidMaskError
            If the file is not the registered mask any more.
        """
        return _voxels(str(self.path), self.metadata)


def in_processes(
    task: Callable[..., Any], items: Sequence[Any], workers: int, *shared: Any
) -> list[Any]:
    """Return what a task returns for each item, in their order.

    Parameters
    ----------
    task
        A function of a module: called with an item, and what is shared.
    items
        What differs from call to call.
    workers
        How many processes to use at most; with one, it is done in this one.
    *shared
        What all calls have in common: handed to each process once.

    Raises
    ------
    MaskError
        If one of the processes is killed.
    """
    workers = min(workers, len(items))
    if workers < 2:
        return [task(item, *shared) for item in items]
    try:
        with ProcessPoolExecutor(workers, initializer=_start, initargs=(task, shared)) as pool:
            return list(pool.map(_run, items))
    except BrokenProcessPool as err:
        raise MaskError(
            f"one of {workers} processes that share {len(items)} images was killed, perhaps "
            "because memory ran out; give the job more memory (mem_mb) or fewer threads"
        ) from err


# The task of a worker process, and what its calls share; in the caller's process it stays empty.
_started: list[tuple[Callable[..., Any], Iterable[Any]]] = []


def _start(task: Callable[..., Any], shared: Iterable[Any]) -> None:
    _started.append((task, shared))


def _run(item: Any) -> Any:
    task, shared = _started[-1]
    return task(item, *shared)


def examine_image(
    name: str,
    entry: Mapping[str, str],
    mask: PublishedMask,
    registry: BrainMaskRegistry,
    min_inside: float,
) -> Examined:
    """Return what is found about an image of the table, compared to a published mask.

    Parameters
    ----------
    name, entry
        Id and row of the image, as `read_images` returns them.
    mask
        The mask.
    registry
        All registered masks, to name the grid that the image is on instead.
    min_inside
        Fraction of the image inside the mask below which it is ``mostly_outside``.
    """
    claims = Claims((bare_name(entry["image"]), name), entry.get("side"))
    return examine(entry["image"], mask.metadata, registry, mask.voxels, claims, min_inside)


def look_again(path: StrPath, found: Comparison, mask: PublishedMask) -> Examined:
    """Return what was found about an image with the voxels that it was found of.

    Parameters
    ----------
    path
        The image.
    found
        What was found about it.
    mask
        The mask that it was compared to.

    Raises
    ------
    InvalidMaskError
        If the image is not what it was.
    """
    if found.voxels is None:
        return Examined(found)
    try:
        image = open_image(path)
        counted = Counted.of(is_above(whole_voxels(image)))
        grid = None if found.volume_ml is None else Grid.of(image)
        facts: dict[str, Any] = {"voxels": counted.voxels}
        if grid is not None:
            facts |= world_statistics(counted, grid, mask.metadata, mask.voxels())
    except UnreadableImage as err:
        raise InvalidMaskError(f"image {path} changed since it was checked: {err}") from err
    if any(getattr(found, key) != value for key, value in facts.items()):
        raise InvalidMaskError(f"image {path} changed since it was checked; run again")
    return Examined(found, grid, counted)


@cache
def _voxels(path: str, mask: BrainMaskMetadata) -> "NDArray[np.bool_]":
    voxels: NDArray[np.bool_] = scaled_voxels(read_image(read_published(path, mask))) == 1
    return voxels
