# SPDX-License-Identifier: MIT
"""Web pages from templates: everything that comes from tables and files is escaped."""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from .montage import volume_text


@dataclass(frozen=True)
class Filter:
    """What the rows of a page can be filtered by.

    Attributes
    ----------
    label : str
    options : tuple of (str, int)
        What can be chosen, and how many rows it leaves.
    """

    label: str
    options: tuple[tuple[str, int], ...]


def filters(labels: Sequence[str], choices: Iterable[Sequence[Sequence[str]]]) -> list[Filter]:
    """Return the filters of a page.

    Parameters
    ----------
    labels
        What each is called.
    choices
        Of each row, for each filter, what the row can be found by.
    """
    return [
        Filter(label, tuple(sorted(Counter(each for some in column for each in some).items())))
        for label, column in zip(labels, zip(*choices, strict=True), strict=True)
    ]


def render(template: str, **content: Any) -> str:
    """Return a page.

    Parameters
    ----------
    template
        Name of a template of this package.
    **content
        What the template shows.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["address"] = lambda text: bool(re.fullmatch(r"https?://\S+", text))
    environment.filters |= {"volume": volume_text, "digest": _digest}
    parts = {name: _text(f"page.{name}") for name in ("css", "js")}
    return environment.get_template(template).render(parts | content)


def _text(name: str) -> str:
    # In whatever place this copy of the package was imported from.
    return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return the digest by which a Content-Security-Policy allows a script or a style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
