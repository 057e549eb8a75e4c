# SPDX-License-Identifier: MIT
"""Web pages from templates: everything that comes from tables and files is escaped."""

import re
from importlib.resources import files
from typing import Any

from .slice_figure import volume_text


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

    def source(name: str) -> str:
        # In whatever place this copy of the package was imported from.
        return files(__package__).joinpath("templates", name).read_text(encoding="utf-8")

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["address"] = lambda text: bool(re.fullmatch(r"https?://\S+", text))
    environment.filters["volume"] = volume_text
    return environment.get_template(template).render(content)
