# SPDX-License-Identifier: MIT
"""A web page with a table of checked images, made from the details of the checks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..paths import StrPath
from ..storage import publish
from .rendering import render


def tabulate_images(details_path: StrPath, page_path: StrPath) -> None:
    """Write the page.

    Parameters
    ----------
    details_path
        The details of the checks (JSON).
    page_path
        Where to put the page (HTML).
    """
    found = json.loads(Path(details_path).read_text(encoding="utf-8"))
    publish(image_page(found).encode(), page_path)


def image_page(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the page.

    Parameters
    ----------
    found
        What was found about each image, with its ``id``, ``image`` and ``mask``.
    """
    return render("images.html.j2", images=found)
