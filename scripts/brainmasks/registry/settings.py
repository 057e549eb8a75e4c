# SPDX-License-Identifier: MIT
"""The configuration: defaults, checks, and what the environment adds."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RegistryError
from ..paths import StrPath
from ..urls import one_line
from .mask_names import closest
from .near_keys import misspelt_keys
from .schemas import explained, fitting, read_schema

# Letters of a path at the most: Linux takes no more, and `expandvars` takes long for many.
LONGEST_PATH = 4096


def read_settings(defaults: StrPath, schema: StrPath, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings: shipped defaults, overridden by the user's configuration.

    Parameters
    ----------
    defaults
        Path of the shipped configuration (YAML); it states every key.
    schema
        Path of the JSON schema of the configuration.
    config
        The user's configuration; it is not changed.

    Raises
    ------
    RegistryError
        If a key is misspelt or a value is of the wrong kind.
    """
    import yaml

    settings: dict[str, Any] = yaml.safe_load(Path(defaults).read_text(encoding="utf-8"))
    rules = read_schema(schema)

    def fits(key: str, value: Any) -> bool:
        return fitting(rules["properties"][key])(_literal(value))

    host_keys = config.get("host_keys", [])
    if not fits("host_keys", host_keys):
        raise _refused("host_keys", host_keys, rules)
    for key, meant in misspelt_keys(config, list(settings), host_keys, fits).items():
        raise RegistryError(
            f"unknown config key '{key}'; did you mean '{meant}'? If it is a key of your own "
            "workflow, name it in `host_keys`"
        )
    for key in host_keys:
        if key in settings:
            raise RegistryError(
                f"config key 'host_keys' lists '{key}', which is a key of ours; if your workflow "
                "has one of that name, hand over a part of its configuration: "
                '`config: config["brain_masks"]`'
            )
    settings.update({key: _literal(config[key]) for key in config if key in settings})
    if fitting(rules)(settings):
        return settings
    for error in explained(settings, rules):
        key = str(error.absolute_path[0])
        if error.validator == "enum" and len(error.absolute_path) > 1:
            values: Any = error.validator_value
            known = [str(each) for each in values]
            near = closest(str(error.instance), known)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise RegistryError(
                f"config key '{key}' lists {error.instance!r}, which is none that there is{hint} "
                f"Known: {', '.join(known)}"
            )
        raise _refused(key, settings[key], rules)
    return settings


def _refused(key: str, value: Any, rules: Mapping[str, Any]) -> RegistryError:
    """Return the error of a value that a key cannot have."""
    expected = rules["properties"][key]["description"]
    return RegistryError(f"config key '{key}' is {value!r}; expected: {expected}")


def _literal(value: Any) -> Any:
    """Return a value as YAML means it: on a command line `offline=true` is text otherwise."""
    if isinstance(value, str):
        return {"true": True, "false": False, "null": None}.get(value.lower(), value)
    return value


def user_path(path: StrPath) -> Path:
    """Return a path of the configuration with ``~`` and environment variables filled in.

    Raises
    ------
    RegistryError
        If it is too long, a variable is not set, or there is no such home folder.
    """
    if len(os.fspath(path)) > LONGEST_PATH:
        raise RegistryError(
            f"path '{one_line(os.fspath(path))}' is longer than {LONGEST_PATH} letters"
        )
    expanded = os.path.expandvars(os.fspath(path))
    if unset := re.search(r"\$\{?\w+\}?", expanded):
        raise RegistryError(f"path '{path}': {unset[0]} is not set")
    try:
        return Path(expanded).expanduser()
    except RuntimeError as err:
        raise RegistryError(f"path '{path}': {err}") from None


def is_offline(offline: bool = False) -> bool:
    """Return whether to do without network: the setting, or ``BRAINMASKS_OFFLINE=1``.

    Raises
    ------
    RegistryError
        If the variable is neither yes nor no: who sets it wants no socket opened.
    """
    stated = os.environ.get("BRAINMASKS_OFFLINE", "")
    if stated.lower() in ("", "0", "false", "no", "off"):
        return offline
    if stated.lower() in ("1", "true", "yes", "on"):
        return True
    raise RegistryError(f"environment variable BRAINMASKS_OFFLINE is '{stated}'; expected: 1 or 0")


def cache_folder(cache_dir: str | None = None) -> Path:
    """Return the folder in which masks are cached: lacuna's, unless another one is set.

    ``cache_dir``, else ``$LACUNA_CACHE_DIR/masks``, else ``$XDG_CACHE_HOME/lacuna/masks``, else
    ``~/.cache/lacuna/masks`` (as ``lacuna.utils.cache.get_cache_dir`` does on every platform).
    """
    if cache_dir:
        return user_path(cache_dir)
    if lacuna := os.environ.get("LACUNA_CACHE_DIR"):
        return user_path(lacuna) / "masks"
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return user_path(xdg) / "lacuna" / "masks"
    return Path.home() / ".cache" / "lacuna" / "masks"
