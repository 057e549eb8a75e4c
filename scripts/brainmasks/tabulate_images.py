"""A web page with a table of checked images, made from the details of the checks."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .publish import publish
from .sheet import volume_text
from .web import row, small, strong, table_page

# Raise it when the page changes: it is then made anew.
IMAGES_TABLE_VERSION = 1

COLUMNS = ("Image, mask", "Verdict", "Voxels, volume", "Inside, outside", "Where", "Detail")


def tabulate_images(details_path, page_path) -> None:
    """Write the page.

    Parameters
    ----------
    details_path
        The details of the checks (JSON).
    page_path
        Where to put the page (HTML).
    """
    found = json.loads(Path(details_path).read_text(encoding="utf-8"))
    publish(images_page(found).encode(), page_path)


def images_page(found: Sequence[Mapping]) -> str:
    """Return the page.

    Parameters
    ----------
    found
        What was found about each image, with its ``id``, ``image`` and ``mask``.
    """
    return table_page("Images and their masks", COLUMNS, map(_row, found))


def _row(found: Mapping) -> str:
    verdict = [strong(found["verdict"])]
    if found["displacement_mm"] is not None:
        verdict.append(small(f"displaced by {found['displacement_mm']:.3g} mm"))
    voxels, brain, where = [], [], []
    if found["voxels"] is not None:
        voxels.append(f"{found['voxels']:,}")
        parts = "part" if found["components"] == 1 else "parts"
        where.append(small(f"{found['components']:,} {parts}"))
        where.append(small(f"largest: {found['largest_component']:,}"))
    if found["volume_ml"] is not None:
        voxels.append(small(f"{volume_text(found['volume_ml'])} ml"))
        brain = [f"{found['voxels_inside']:,}", small(f"{found['voxels_outside']:,} outside")]
    if found["hemisphere"] is not None:
        where.insert(0, html.escape(found["hemisphere"]))
    return row(
        (
            ("long", [strong(found["id"]), small(found["image"]), small(found["mask"])]),
            ("short", verdict),
            ("number", voxels),
            ("number", brain),
            ("short", where),
            ("wide", [html.escape(found["detail"])]),
        )
    )
