"""The Python interface: lacuna's `load_brain_mask`, over the shipped tables."""

from functools import cache
from pathlib import Path

from . import tables
from .cache import Cache
from .checks import require_valid
from .errors import FetchError
from .fetch import Ways, fetch
from .mirrors import Mirror, read_mirrors
from .names import mask_name
from .registry import BrainMaskRegistry, read_registry
from .settings import cache_folder, is_offline, read_settings


@cache
def shipped_registry() -> BrainMaskRegistry:
    """Return the registry that comes with the package.

    Raises
    ------
    RegistryError
        If the package was copied without its tables.
    """
    settings = read_settings(
        tables.shipped(tables.SETTINGS_FILE), tables.shipped(tables.CONFIG_SCHEMA), {}
    )
    return read_registry(
        [tables.shipped(tables.MASKS_TABLE)],
        tables.shipped(tables.REGISTRY_SCHEMA),
        settings["aliases"],
    )


@cache
def _shipped_mirrors() -> dict[str, list[Mirror]]:
    return read_mirrors(tables.shipped(tables.MIRRORS_TABLE), tables.shipped(tables.MIRRORS_SCHEMA))


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
        (a FileNotFoundError) if it can be had from none of its places, or not be kept.
    InvalidMaskError
        (a ValueError) if it does not pass the checks.
    """
    registry = shipped_registry()
    mask = registry.serve(mask_name(space, resolution))
    cache = Cache(cache_folder())
    mirrors = _shipped_mirrors().get(mask.name, ())
    fetch(mask, Ways(cache, mirrors, is_offline(), registry.by_hash()))
    if not (hit := cache.load(mask)):
        raise FetchError(
            f"mask {mask.name} was fetched, but cannot be kept in the cache {cache.folder}; "
            "set LACUNA_CACHE_DIR to a folder that you can write"
        )
    path, found = hit
    if validate:
        require_valid(found.data, mask, path)
    return path
