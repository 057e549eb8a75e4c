# SPDX-License-Identifier: MIT
"""Which file is the background of which space: what the configuration says."""

from collections.abc import Mapping

from ..errors import FetchError, RegistryError
from ..registry import BrainMaskRegistry, Mirror, closest, local_path, shipped_backgrounds
from .claims import bare_name, other_space_said


def backgrounds_of(
    setting: str | Mapping[str, str] | None, registry: BrainMaskRegistry
) -> dict[str, str]:
    """Return the path of the background of each space that has one.

    Parameters
    ----------
    setting
        ``"installed"`` for what packages on this machine have, where the background of each space
        is by its name, or None.
    registry
        The spaces that there are.

    Raises
    ------
    RegistryError
        If a space has no masks, or what is said of it cannot be a file of it.
    """
    if setting is None:
        return {}
    if isinstance(setting, str):
        return _installed()
    return {space: _path(space, location, registry) for space, location in setting.items()}


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for known in shipped_backgrounds():
        try:
            path = local_path(known.location)
        except FetchError:
            continue
        # The first of a space is the best that is there.
        found.setdefault(known.space, str(path))
    return found


def _path(space: str, location: str, registry: BrainMaskRegistry) -> str:
    where = f"config key 'background', {space}"
    names = registry.space_names
    if (served := names.get(space)) is None:
        near = closest(space, list(names))
        hint = f"; did you mean {near[0]}?" if near else ""
        raise RegistryError(f"{where}: no mask of this space is registered{hint}")
    if served != space:
        raise RegistryError(f"{where} is served as {served}; give the background of {served}")
    if Mirror(location).is_remote:
        raise RegistryError(
            f"{where}: {location} is not on this machine; fetch it, and give its path"
        )
    try:
        path = local_path(location)
    except FetchError as err:
        raise RegistryError(f"{where}: {location}: {err}") from None
    if said := other_space_said(bare_name(path), space, names):
        raise RegistryError(f"{where}: {path} says {said}; give an image of {space}")
    return str(path)
