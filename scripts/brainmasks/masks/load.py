# SPDX-License-Identifier: MIT
"""The Python interface: lacuna's `load_brain_mask`, over the shipped tables."""

from pathlib import Path

from ..errors import FetchError
from ..fetching import Cache, Fetcher, Verified
from ..nifti import require_valid
from ..registry import (
    BrainMaskMetadata,
    cache_folder,
    is_offline,
    mask_name,
    shipped_mirrors,
    shipped_registry,
)


def load_brain_mask(space: str, resolution: float, *, validate: bool = True) -> Path:
    """Return the path of a verified binary brain mask, fetched on first use.

    Parameters
    ----------
    space
        Template space; MNI152NLin2009aAsym and MNI152NLin2009bAsym are served as
        MNI152NLin2009cAsym.
    resolution
        Edge of a voxel in mm.
    validate
        Whether to run every check on the file, beyond its hash.

    Returns
    -------
    Path
        The file in the cache that is shared with lacuna.

    Raises
    ------
    UnknownMaskError
        (a KeyError) if no such mask is registered.
    FetchError
        (a FileNotFoundError) if it is not available from any source, or cannot be cached.
    InvalidMaskError
        (a ValueError) if it does not pass the checks.
    """
    mask = shipped_registry().serve(mask_name(space, resolution))
    fetch_brain_mask(mask)
    cache = Cache(cache_folder())
    if not (hit := cache.load(mask)):
        raise FetchError(
            f"mask {mask.name} was fetched, but cannot be kept in the cache {cache.folder}; "
            "set LACUNA_CACHE_DIR to a folder that you can write"
        )
    path, found = hit
    if validate:
        require_valid(found.data, mask, path)
    return path


def fetch_brain_mask(mask: BrainMaskMetadata) -> Verified:
    """Return the verified bytes of a shipped mask, from the cache or its sources.

    Raises
    ------
    FetchError
        (a FileNotFoundError) if it is not available from any source.
    """
    mirrors = shipped_mirrors().get(mask.name, ())
    registered = shipped_registry().by_hash()
    return Fetcher(mask, Cache(cache_folder()), mirrors, is_offline(), registered).fetch()
