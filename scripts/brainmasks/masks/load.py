# SPDX-License-Identifier: MIT
"""The Python interface: lacuna's `load_brain_mask`, for every registered mask."""

import warnings
from pathlib import Path

from ..errors import FetchError, MaskError, RegistryError
from ..fetching import Cache, Verified, canonical_path
from ..nifti import canonical_file, require_valid
from ..paths import StrPath
from ..registry import (
    BRAIN,
    BrainMaskMetadata,
    BrainMaskRegistry,
    Resolution,
    cache_folder,
    is_offline,
    mask_name,
    read_registry,
    shipped_registry,
    shipped_tables,
)
from ..storage import publish, read_bounded


def load_brain_mask(
    space: str,
    resolution: Resolution,
    *,
    desc: str = BRAIN,
    validate: bool = True,
    registry: BrainMaskRegistry | StrPath | None = None,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> Path:
    """Return the path of a verified binary brain mask, fetched on first use.

    Parameters
    ----------
    space
        Template space; MNI152NLin2009aAsym and MNI152NLin2009bAsym are served as
        MNI152NLin2009cAsym, with a warning.
    resolution
        Edge of a voxel in mm, or its three edges.
    desc
        Which of the masks of this grid, such as ``"brainDil"``.
    validate
        Whether to run every check on the file, beyond its hash.
    registry
        The masks that there are, or the path of a table of your own that is read in addition to
        the shipped ones; without it, these.
    cache_dir
        Folder of the cache; without it, the one that is shared with lacuna.
    offline
        Whether to do without network; without it, what ``BRAINMASKS_OFFLINE`` says.

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    UnknownMaskError
        (a KeyError) if no such mask is registered.
    FetchError
        (a FileNotFoundError) if it is not available from any source, or cannot be cached.
    InvalidMaskError
        (a ValueError) if it does not pass the checks.
    RegistryError
        (a ValueError) if too little is registered to check it, or a table is wrong.
    ValueError
        If the resolution is none.
    """
    asked = mask_name(space, resolution, desc)
    if registry is None:
        registry = shipped_registry()
    elif not isinstance(registry, BrainMaskRegistry):
        registry = read_registry([*shipped_tables(), registry])
    mask = registry.serve(asked)
    if mask.name != asked:
        warnings.warn(f"{asked}: {mask.name} is served under this name", stacklevel=2)
    return path_of(mask, validate=validate, cache_dir=cache_dir, offline=offline)


def path_of(
    mask: BrainMaskMetadata,
    *,
    validate: bool = True,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> Path:
    """Return the path of a registered mask in the cache, fetched on first use.

    The parameters and errors are those of `load_brain_mask`.
    """
    _require_checkable(mask)
    cache = _cache(cache_dir)
    if not (hit := cache.hit(mask)):
        _fetch(mask, cache, offline)
        hit = cache.load(mask)
    if not hit:
        raise FetchError(
            f"mask {mask.name} was fetched, but cannot be kept in the cache {cache.folder}; "
            "name a folder that you can write (`cache_dir`, --cache-dir, or LACUNA_CACHE_DIR)"
        )
    path, found = hit
    data, whole = canonical_file(found.data, mask)
    if not mask.is_complete:
        path = _beside(path, data, whole)
    if validate:
        require_valid(data, whole, path)
    return path


def fetch_brain_mask(
    mask: BrainMaskMetadata,
    *,
    cache_dir: StrPath | None = None,
    offline: bool | None = None,
) -> Verified:
    """Return the verified file of a mask, from the cache or its sources.

    Parameters
    ----------
    mask
        What is registered.
    cache_dir, offline
        As for `load_brain_mask`.

    Raises
    ------
    FetchError
        (a FileNotFoundError) if it is not available from any source.
    RegistryError
        (a ValueError) if too little is registered to check it.
    """
    _require_checkable(mask)
    cache = _cache(cache_dir)
    hit = cache.hit(mask)
    return hit[1] if hit else _fetch(mask, cache, offline)


def _require_checkable(mask: BrainMaskMetadata) -> None:
    """Raise an error if too little is registered of a mask to check its file."""
    by_sha256 = mask.sha256 and mask.content_sha256 and mask.voxels and mask.origin
    if not (by_sha256 or (mask.md5 and mask.bytes)) or 0 in mask.shape:
        raise RegistryError(
            f"mask {mask.name}: too little is registered to check it: its shape, and either "
            "sha256, content_sha256, origin and voxels, or md5 and bytes; `brainmasks register "
            "FILE` computes them"
        )


def _fetch(mask: BrainMaskMetadata, cache: Cache, offline: bool | None) -> Verified:
    """Return the verified file of a mask that the cache does not have."""
    from ..fetching import Fetcher
    from ..registry import shipped_mirrors

    return Fetcher(
        mask,
        cache,
        shipped_mirrors().get(mask.name, ()),
        is_offline() if offline is None else offline,
        shipped_registry().by_hash(),
    ).fetch_missing()


def _cache(cache_dir: StrPath | None) -> Cache:
    return Cache(cache_folder(None if cache_dir is None else str(cache_dir)))


def _beside(original: Path, data: bytes, mask: BrainMaskMetadata) -> Path:
    """Return the path of a canonical mask, kept beside the file as it was published."""
    path = canonical_path(original)
    try:
        if read_bounded(path, len(data)) == data:
            return path
    except OSError:
        pass  # it is not there yet, or is no such file
    try:
        publish(data, path, shared=True)
    except (MaskError, OSError) as err:
        raise FetchError(
            f"mask {mask.name} cannot be kept in {path.parent}: {err}; set LACUNA_CACHE_DIR to a "
            "folder that you can write"
        ) from err
    return path
