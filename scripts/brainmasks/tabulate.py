"""A web page with a table of published masks, made from their sidecars."""

import html
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from .publish import publish
from .web import linked, row, small, strong, table_page

# Raise it when the page changes: it is then made anew.
TABLE_VERSION = 1

# Few, so that the table fits beside the menu of a report.
COLUMNS = ("Mask", "Grid", "Voxels, volume", "Source used, SHA-256", "Licence, citation")


def tabulate_masks(sidecar_paths: Iterable, page_path) -> None:
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
    publish(page(sidecars).encode(), page_path)


def page(sidecars: Mapping[str, Mapping]) -> str:
    """Return the page.

    Parameters
    ----------
    sidecars
        The content of the sidecar of each mask, by name.
    """
    rows = (_row(name, sidecar) for name, sidecar in sidecars.items())
    return table_page("Brain masks", COLUMNS, rows)


def _row(name: str, sidecar: Mapping) -> str:
    mask = [strong(name)]
    if sidecar["SpaceRequested"] != sidecar["SpaceServed"]:
        mask.append(small(f"served: {sidecar['SpaceServed']}"))
    grid = sidecar["Grid"]
    origin = ", ".join(f"{mm:g}" for mm in grid["Origin"])
    shape = [
        html.escape(" x ".join(str(n) for n in grid["Shape"])),
        small(f"{grid['VoxelSize'][0]:g} {grid['Units']}, {grid['Orientation']}"),
        small(f"origin {origin} {grid['Units']}"),
    ]
    source = [linked(place) for place in sidecar["Sources"]]
    recoded = ", recoded" if sidecar["Recoded"] else ""
    source.append(small(f"verified by {sidecar['VerifiedBy']}{recoded}"))
    for label, key in (("file", "SHA256"), ("content", "ContentSHA256")):
        source += [small(f"SHA-256 of the {label}"), f"<code>{html.escape(sidecar[key])}</code>"]
    references = [small("licence"), linked(sidecar["License"]), small("to cite")]
    references += [linked(text) for text in sidecar["ReferencesAndLinks"]]
    cells = (
        ("short", mask),
        ("short", shape),
        ("number", [f"{sidecar['Voxels']:,}", small(f"{sidecar['VolumeML']:,.1f} ml")]),
        ("long", source),
        ("long", references),
    )
    return row(cells)
