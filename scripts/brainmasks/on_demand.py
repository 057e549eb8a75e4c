# SPDX-License-Identifier: MIT
"""What a room shows is imported once somebody asks for it: a job starts without the rest."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def on_demand(package: str, **shown: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, which imports a name when it is first used (PEP 562).

    Parameters
    ----------
    package
        Name of the package.
    **shown
        The names that each of its files shows, separated by spaces.
    """
    files = {name: file for file, names in shown.items() for name in names.split()}

    def find(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{files[name]}"), name)
        # The next time it is there, and nobody asks.
        setattr(sys.modules[package], name, found)
        return found

    return find
