"""The configuration: defaults, checks, and what the environment adds."""

import os
from collections.abc import Mapping
from pathlib import Path

from .errors import RegistryError
from .names import closest
from .tables import read_schema

# A key as like one of ours as this is taken for a misspelling of it; any other unknown key is
# left alone, because a host workflow may hand over its whole configuration.
MISSPELT = 0.7


def read_settings(defaults, schema, config: Mapping) -> dict:
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
    from jsonschema import Draft202012Validator

    settings = yaml.safe_load(Path(defaults).read_text(encoding="utf-8"))
    for key in config:
        if key not in settings and (near := closest(str(key), list(settings), cutoff=MISSPELT)):
            raise RegistryError(f"unknown config key '{key}'; did you mean '{near[0]}'?")
    settings.update({key: value for key, value in config.items() if key in settings})
    rules = read_schema(schema)
    for error in Draft202012Validator(rules).iter_errors(settings):
        key = error.absolute_path[0]
        raise RegistryError(
            f"config key '{key}' is {settings[key]!r}; "
            f"expected: {rules['properties'][key]['description']}"
        )
    return settings


def user_path(path: str) -> Path:
    """Return a path of the configuration with ``~`` and environment variables filled in."""
    return Path(os.path.expandvars(path)).expanduser()


def cache_folder(cache_dir: str | None = None) -> Path:
    """Return the folder in which masks are cached: lacuna's, unless another one is set.

    ``cache_dir``, else ``$LACUNA_CACHE_DIR/masks``, else ``$XDG_CACHE_HOME/lacuna/masks``, else
    ``~/.cache/lacuna/masks`` (as ``lacuna.utils.cache.get_cache_dir`` does on every platform).
    """
    if cache_dir:
        return user_path(cache_dir)
    if lacuna := os.environ.get("LACUNA_CACHE_DIR"):
        return Path(lacuna).expanduser() / "masks"
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser() / "lacuna" / "masks"
    return Path.home() / ".cache" / "lacuna" / "masks"
