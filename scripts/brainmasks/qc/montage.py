# SPDX-License-Identifier: MIT
"""The picture that all share: a header, slices along three planes with labels, a legend."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What a slice covers in mm: left, right, bottom, top.
Extent = tuple[float, float, float, float]

# Slices of each plane, at most.
SLICES = 7
# Each plane: its name, the axis across it, those to the right and upwards in the picture, and
# what lies at the left and at the right of it.
PLANES = (
    ("Sagittal", 0, 1, 2, "P", "A"),
    ("Coronal", 1, 0, 2, "L", "R"),
    ("Axial", 2, 0, 1, "L", "R"),
)
CONVENTION = (
    "Neurological convention: the left of the head (L) is at the left of the picture. "
    "Coordinates in mm (RAS+)"
)

PAPER, GRID, INSIDE = "#ffffff", "#e6ebf0", "#2f6690"
INK, FAINT, ALARM = INKS = ("#1b1f24", "#5f6b76", "#b3001b")
# All in inches. Pages cut their thumbnails from these pictures: see templates/page.css.
WIDTH, EDGE, GAP = 12.0, 0.3, 0.08
HEADING, LABEL, FOOTER = 0.3, 0.2, 0.42
DPI = 150


@dataclass(frozen=True)
class Line:
    """A line of a header.

    Attributes
    ----------
    text : str
    size : float
        Of its letters, in points.
    drop : float
        Its base line below that of the line before, in inches.
    color : str
        One of `INKS`.
    bold : bool
    """

    text: str
    size: float = 10.5
    drop: float = 0.26
    color: str = FAINT
    bold: bool = False


def title(text: str) -> Line:
    """Return the first line of a header."""
    return Line(text, size=16, drop=0.42, color=INK, bold=True)


@dataclass(frozen=True)
class Text:
    """A text in a picture.

    Attributes
    ----------
    text : str
    x, y : float
        Where it is on its base line, in inches from the left and from the top.
    size : float
        Of its letters, in points.
    color : str
        One of `INKS`.
    bold : bool
    anchor : str
        Whether its left end ("l"), its middle ("m") or its right end ("r") is there.
    """

    text: str
    x: float
    y: float
    size: float
    color: str = FAINT
    bold: bool = False
    anchor: str = "l"


@dataclass(frozen=True)
class Panel:
    """A slice in a picture.

    Attributes
    ----------
    plane : str
        Name of the plane.
    across : int
        The axis across it.
    mm : float
        Where it lies along that axis.
    extent : tuple of float
        What it covers in mm: left, right, bottom, top.
    left, top : int
        Its first column and row in the picture.
    pixels : array of uint8
        A number of a colour for each pixel, or red, green and blue along a third axis; the first
        index runs to the right, the second one upwards.
    """

    plane: str
    across: int
    mm: float
    extent: Extent
    left: int
    top: int
    pixels: "NDArray[np.uint8]"


@dataclass(frozen=True)
class Montage:
    """A picture before it is written.

    Attributes
    ----------
    width, height : int
        In pixels.
    colors : array of uint8, of shape (n, 3)
        Red, green and blue of each number in the panels.
    panels : list of Panel
    texts : list of Text
    """

    width: int
    height: int
    colors: "NDArray[np.uint8]"
    panels: list[Panel]
    texts: list[Text]


def montage(
    header: Sequence[Line],
    edges: Sequence[tuple[float, float]],
    slices: Mapping[int, Sequence[float]],
    colors: "NDArray[np.uint8]",
    paint: "Callable[[int, int, tuple[int, int]], NDArray[np.uint8]]",
    legend: str,
) -> Montage:
    """Return a picture.

    Parameters
    ----------
    header
        Lines at its top.
    edges
        Lowest and highest coordinate in mm (RAS+) that is shown, along x, y and z.
    slices
        Coordinates in mm of the slices across each axis.
    colors
        Red, green and blue of each number that `paint` returns.
    paint
        Returns the pixels of a slice as a `Panel` has them: called with the axis across, the number
        of the slice, and how many pixels it has to the right and upwards.
    legend
        The line at its bottom.
    """
    extent = [high - low for low, high in edges]
    # One scale for all planes: inches for each mm.
    cell = (WIDTH - 2 * EDGE - (SLICES - 1) * GAP) / SLICES
    scale = cell / max(extent[right] for _, _, right, _, _, _ in PLANES)
    panels, texts = [], []
    y = 0.0
    for line in header:
        y += line.drop
        texts.append(Text(line.text, EDGE, y, line.size, line.color, line.bold))
    y += 0.04
    for name, across, right, up, left_end, right_end in PLANES:
        texts.append(Text(name, EDGE, y + 0.22, 11, INK))
        y += HEADING
        width, height = extent[right] * scale, extent[up] * scale
        shape = max(in_pixels(width), 1), max(in_pixels(height), 1)
        # Below the slices, where nothing that is drawn can hide it.
        below = y + height + 0.16
        for number, mm in enumerate(slices[across]):
            x = EDGE + number * (cell + GAP) + (cell - width) / 2
            covered = (*edges[right], *edges[up])
            pixels = paint(across, number, shape)
            panels.append(Panel(name, across, mm, covered, in_pixels(x), in_pixels(y), pixels))
            label = f"{'xyz'[across]} = {number_text(mm)} mm"
            texts += [
                Text(left_end, x + 0.02, below, 8.5, bold=True),
                Text(right_end, x + width - 0.02, below, 8.5, bold=True, anchor="r"),
                Text(label, x + width / 2, below, 8.5, INK, anchor="m"),
            ]
        y += height + LABEL
    y += FOOTER
    texts.append(Text(legend, EDGE, y - 0.16, 9))
    return Montage(in_pixels(WIDTH), in_pixels(y), colors, panels, texts)


def rgb(colors: Sequence[str]) -> "NDArray[np.uint8]":
    """Return red, green and blue of colours such as "#e6ebf0", from 0 to 255."""
    import numpy as np

    return np.array([list(bytes.fromhex(color[1:])) for color in colors], np.uint8)


def shades(first: str, last: str, count: int) -> "NDArray[np.uint8]":
    """Return so many colours from one to another, as `rgb` does."""
    import numpy as np

    start, end = rgb((first, last)).tolist()
    found: NDArray[np.uint8] = np.linspace(start, end, count).round().astype(np.uint8)
    return found


def in_pixels(inches: float) -> int:
    """Return a length in pixels."""
    return round(inches * DPI)


def spread(taken: "Sequence[int] | NDArray[np.intp]") -> list[int]:
    """Return up to `SLICES` of the ascending numbers, spread evenly over them."""
    import numpy as np

    if len(taken) <= SLICES:
        return [int(n) for n in taken]
    # The first and the last slice of a thing hold next to nothing of it.
    wanted = np.linspace(0, len(taken) - 1, SLICES + 2)[1:-1]
    return [int(taken[n]) for n in wanted.round().astype(int)]


def number_text(value: float) -> str:
    """Return a number for readers, to three decimals."""
    # Adding 0 turns -0 into 0. A minus sign, not a hyphen.
    return f"{round(float(value), 3) + 0:g}".replace("-", "\N{MINUS SIGN}")


def volume_text(ml: float) -> str:
    """Return a volume in ml for readers: two decimals, or two digits of a small one."""
    return f"{ml:,.2f}" if ml >= 0.1 or not ml else f"{ml:.2g}"
