"""A web page with a table of published masks, made from their sidecars."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..paths import StrPath
from ..storage import publish
from .rendering import render


def tabulate_masks(sidecar_paths: Iterable[StrPath], page_path: StrPath) -> None:
    """Write the page.

    Parameters
    ----------
    sidecar_paths
        The sidecars, named after their masks.
    page_path
        Where to put the page (HTML).
    """
    sidecars = {
        Path(path).stem: json.loads(Path(path).read_text(encoding="utf-8"))
        for path in sidecar_paths
    }
    publish(mask_page(sidecars).encode(), page_path)


def mask_page(sidecars: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page.

    Parameters
    ----------
    sidecars
        The content of the sidecar of each mask, by name.
    """
    return render("masks.html.j2", masks=sidecars)
