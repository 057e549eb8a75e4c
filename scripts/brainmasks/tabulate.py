"""A web page with a table of published masks, made from their sidecars."""

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .publish import publish

# Raise it when the page changes: it is then made anew.
TABLE_VERSION = 1

# Few, so that the table fits beside the menu of a report.
COLUMNS = ("Mask", "Grid", "Voxels, volume", "Source used, SHA-256", "Licence, citation")
# Self-contained: no script, no font, nothing that is fetched.
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Brain masks</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 1.5rem; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.5rem 0.75rem; }}
th {{ border-bottom: 2px solid #2f6690; }}
td {{ border-bottom: 1px solid #d5dce2; }}
td.long {{ min-width: 12rem; max-width: 20rem; overflow-wrap: anywhere; }}
td.short {{ white-space: nowrap; }}
td.number {{ white-space: nowrap; text-align: right; }}
small {{ color: #5f6b76; }}
code {{ font-size: 12px; display: block; width: 32ch; overflow-wrap: anywhere; }}
a {{ color: #2f6690; }}
</style>
</head>
<body>
<h1>Brain masks</h1>
<table>
<thead>
<tr>{head}</tr>
</thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


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
    head = "".join(f"<th>{html.escape(column)}</th>" for column in COLUMNS)
    rows = "\n".join(_row(name, sidecar) for name, sidecar in sidecars.items())
    return PAGE.format(head=head, rows=rows)


def _row(name: str, sidecar: Mapping) -> str:
    mask = [f"<strong>{html.escape(name)}</strong>"]
    if sidecar["SpaceRequested"] != sidecar["SpaceServed"]:
        mask.append(_small(f"served: {sidecar['SpaceServed']}"))
    grid = sidecar["Grid"]
    origin = ", ".join(f"{mm:g}" for mm in grid["Origin"])
    shape = [
        html.escape(" x ".join(str(n) for n in grid["Shape"])),
        _small(f"{grid['VoxelSize'][0]:g} {grid['Units']}, {grid['Orientation']}"),
        _small(f"origin {origin} {grid['Units']}"),
    ]
    source = [_linked(place) for place in sidecar["Sources"]]
    recoded = ", recoded" if sidecar["Recoded"] else ""
    source.append(_small(f"verified by {sidecar['VerifiedBy']}{recoded}"))
    for label, key in (("file", "SHA256"), ("content", "ContentSHA256")):
        source += [_small(f"SHA-256 of the {label}"), f"<code>{html.escape(sidecar[key])}</code>"]
    references = [_small("licence"), _linked(sidecar["License"]), _small("to cite")]
    references += [_linked(text) for text in sidecar["ReferencesAndLinks"]]
    cells = (
        ("short", mask),
        ("short", shape),
        ("number", [f"{sidecar['Voxels']:,}", _small(f"{sidecar['VolumeML']:,.1f} ml")]),
        ("long", source),
        ("long", references),
    )
    return (
        "<tr>"
        + "".join(f'<td class="{kind}">{_lines(lines)}</td>' for kind, lines in cells)
        + "</tr>"
    )


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<div>{line}</div>" for line in lines)


def _small(text: str) -> str:
    return f"<small>{html.escape(text)}</small>"


def _linked(text: str) -> str:
    """Return a text, as a link if it is the address of a page."""
    escaped = html.escape(text)
    if re.fullmatch(r"https?://\S+", text):
        # In a window of its own: a report shows this page in a frame.
        return f'<a href="{escaped}" target="_blank" rel="noopener">{escaped}</a>'
    return escaped
