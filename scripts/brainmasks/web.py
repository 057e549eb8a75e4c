"""Web pages with a table, all of one look."""

import html
import re
from collections.abc import Iterable, Sequence

# Self-contained: no script, no font, nothing that is fetched.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 1.5rem; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: 0.5rem 0.75rem; }}
th {{ border-bottom: 2px solid #2f6690; }}
td {{ border-bottom: 1px solid #d5dce2; }}
td.long {{ min-width: 12rem; max-width: 20rem; overflow-wrap: anywhere; }}
td.short {{ white-space: nowrap; }}
td.wide {{ min-width: 16rem; max-width: 30rem; overflow-wrap: anywhere; }}
td.number {{ white-space: nowrap; text-align: right; }}
small {{ color: #5f6b76; }}
code {{ font-size: 12px; display: block; width: 32ch; overflow-wrap: anywhere; }}
a {{ color: #2f6690; }}
</style>
</head>
<body>
<h1>{title}</h1>
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


def table_page(title: str, columns: Sequence[str], rows: Iterable[str]) -> str:
    """Return a page with a table.

    Parameters
    ----------
    title, columns
        Plain text.
    rows
        As `row` returns them.
    """
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    return _PAGE.format(title=html.escape(title), head=head, rows="\n".join(rows))


def row(cells: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return a row of a table.

    Parameters
    ----------
    cells
        The kind of each (``short``, ``long``, ``wide`` or ``number``), and its lines in HTML.
    """
    made = (f'<td class="{kind}">{_lines(lines)}</td>' for kind, lines in cells)
    return f"<tr>{''.join(made)}</tr>"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"<div>{line}</div>" for line in lines)


def strong(text: str) -> str:
    """Return a plain text in bold."""
    return f"<strong>{html.escape(text)}</strong>"


def small(text: str) -> str:
    """Return a plain text as a remark."""
    return f"<small>{html.escape(text)}</small>"


def linked(text: str) -> str:
    """Return a text, as a link if it is the address of a page."""
    escaped = html.escape(text)
    if re.fullmatch(r"https?://\S+", text):
        # In a window of its own: a report shows this page in a frame.
        return f'<a href="{escaped}" target="_blank" rel="noopener">{escaped}</a>'
    return escaped
