# SPDX-License-Identifier: MIT
"""What a room shows is imported once somebody asks for it: a job starts without the rest."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def on_demand(package: str, **shown: str) -> tuple[Callable[[str], Any], list[str]]:
    """Return `__getattr__` and `__all__` of a package whose names are imported when first used.

    They do what those of `lazy_loader.attach` do (PEP 562, SPEC 1). That library would be one more
    that each host workflow has to install.

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

    return find, sorted(files)
