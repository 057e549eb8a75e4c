# SPDX-License-Identifier: MIT
"""The figure that all pictures share: a header, slices along three planes, a legend."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import MaskError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
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

GRID, INSIDE, INK, FAINT = "#e6ebf0", "#2f6690", "#1b1f24", "#5f6b76"
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
    weight : str
    """

    text: str
    size: float = 10.5
    drop: float = 0.26
    color: str = FAINT
    weight: str = "normal"


def title(text: str) -> Line:
    """Return the first line of a header."""
    return Line(text, size=16, drop=0.42, color=INK, weight="bold")


def slice_figure(
    header: Sequence[Line],
    edges: Sequence[tuple[float, float]],
    slices: Mapping[int, Sequence[float]],
    paint: "Callable[[Axes, int, int, Extent], None]",
    legend: str,
) -> "Figure":
    """Return a matplotlib figure.

    Parameters
    ----------
    header
        Lines at its top.
    edges
        Lowest and highest coordinate in mm (RAS+) that is shown, along x, y and z.
    slices
        Coordinates in mm of the slices across each axis.
    paint
        Draws a slice: called with the axes, the axis across, the number of the slice, and what
        is shown in mm, as ``(left, right, bottom, top)``.
    legend
        The line at its bottom.

    Raises
    ------
    MaskError
        If matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    extent = [high - low for low, high in edges]
    # One scale for all planes: inches for each mm.
    cell = (WIDTH - 2 * EDGE - (SLICES - 1) * GAP) / SLICES
    scale = cell / max(extent[right] for _, _, right, _, _, _ in PLANES)
    rows = [HEADING + extent[up] * scale + LABEL for _, _, _, up, _, _ in PLANES]
    height = sum(line.drop for line in header) + 0.04 + sum(rows) + FOOTER
    drawn = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")

    def write(
        x: float, y: float, text: str, size: float, color: str = FAINT, **options: Any
    ) -> None:
        # A dollar sign in a name or a message starts no formula.
        options = {"parse_math": False} | options
        drawn.text(x / WIDTH, y / height, text, size=size, color=color, **options)

    top = height
    for line in header:
        top -= line.drop
        write(EDGE, top, line.text, line.size, line.color, weight=line.weight)
    top -= 0.04
    for (name, across, right, up, left_end, right_end), row in zip(PLANES, rows, strict=True):
        write(EDGE, top - 0.22, name, 11, INK)
        size = (extent[right] * scale, extent[up] * scale)
        for number, mm in enumerate(slices[across]):
            x = EDGE + number * (cell + GAP) + (cell - size[0]) / 2
            y = top - HEADING - size[1]
            axes = drawn.add_axes(
                (x / WIDTH, y / height, size[0] / WIDTH, size[1] / height), label=name
            )
            paint(axes, across, number, (*edges[right], *edges[up]))
            axes.set_axis_off()
            # Below the slice, where nothing that is drawn can hide it.
            write(x + 0.02, y - 0.16, left_end, 8.5, weight="bold")
            write(x + size[0] - 0.02, y - 0.16, right_end, 8.5, ha="right", weight="bold")
            label = f"{'xyz'[across]} = {number_text(mm)} mm"
            write(x + size[0] / 2, y - 0.16, label, 8.5, INK, ha="center")
        top -= row
    write(EDGE, 0.16, legend, 9)
    return drawn


def draw_slice(
    axes: "Axes", values: "NDArray[Any]", extent: Extent, colors: Sequence[str], **options: Any
) -> None:
    """Draw a slice of a volume.

    Parameters
    ----------
    axes
        Where to draw it, matplotlib's.
    values
        Numbers of colours; the first index runs to the right, the second one upwards.
    extent
        What it covers in mm: left, right, bottom, top.
    colors
        What 0, 1 and so on look like.
    **options
        For `imshow`.
    """
    from matplotlib.colors import ListedColormap

    options |= {"vmin": 0, "vmax": len(colors) - 1, "extent": extent, "origin": "lower"}
    # A list: the oldest matplotlib takes two colours in a tuple for a colour and its alpha.
    axes.imshow(values.T, ListedColormap(list(colors)), **options)


def draw_colors(axes: "Axes", values: "NDArray[np.float64]", extent: Extent) -> None:
    """Draw a slice whose pixels have colours of their own.

    Parameters
    ----------
    axes, extent
        As for `draw_slice`.
    values
        Red, green and blue from 0 to 1 along the third axis; the first index runs to the right,
        the second one upwards.
    """
    pixels = values.transpose(1, 0, 2)
    axes.imshow(pixels, extent=extent, origin="lower", interpolation="nearest")


def as_png(figure: "Callable[[], Figure]") -> bytes:
    """Return the picture that a function draws, as a PNG.

    Raises
    ------
    MaskError
        If matplotlib is not installed.
    """
    matplotlib = require_matplotlib()
    # The same picture whatever a user's own settings are, and those of a caller as they were.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        buffer = io.BytesIO()
        # Without a note of matplotlib's version: the same bytes for the same picture.
        figure().savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def require_matplotlib() -> ModuleType:
    """Return matplotlib.

    Raises
    ------
    MaskError
        If it is not installed.
    """
    try:
        import matplotlib
    except ImportError as err:
        raise MaskError(
            "pictures need matplotlib: install what requirements-qc.txt lists, or run with "
            "--software-deployment-method conda"
        ) from err
    return matplotlib


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
