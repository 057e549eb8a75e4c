# SPDX-License-Identifier: MIT
"""A montage as a PNG: its colours, its letters, its slices."""

import io
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import MaskError
from .montage import DPI, INKS, PAPER, Montage, in_pixels, shades

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.ImageFont import FreeTypeFont

# From the paper to each ink, for the edges of letters.
SHADES = 64


def as_png(montage: Montage) -> bytes:
    """Return a montage as a PNG: with a palette, if its panels have numbers of colours.

    Raises
    ------
    MaskError
        If matplotlib is not installed.
    """
    require_matplotlib()
    import numpy as np
    from PIL import Image

    pixels = _lettered(montage)
    palette = np.concatenate([montage.colors, *(shades(PAPER, ink, SHADES) for ink in INKS)])
    numbered = all(panel.pixels.ndim == 2 for panel in montage.panels)
    if not numbered:
        pixels = palette[pixels]
    for panel in montage.panels:
        rows = panel.pixels.swapaxes(0, 1)[::-1]
        height, width = rows.shape[:2]
        pixels[panel.top : panel.top + height, panel.left : panel.left + width] = rows
    image = Image.fromarray(pixels)
    if numbered:
        image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    # Most of it is flat: higher levels take longer than what they save is worth.
    image.save(buffer, "PNG", dpi=(DPI, DPI), compress_level=3)
    return buffer.getvalue()


def _lettered(montage: Montage) -> "NDArray[np.uint8]":
    """Return the paper with the texts on it, as numbers of the palette."""
    import numpy as np
    from PIL import Image, ImageDraw

    letters = len(montage.colors)
    paper = Image.new("L", (montage.width, montage.height), letters)
    draw = ImageDraw.Draw(paper)
    for text in montage.texts:
        first = letters + SHADES * INKS.index(text.color)
        at = (in_pixels(text.x), in_pixels(text.y))
        options: dict[str, Any] = {
            "font": _font(text.size, text.bold),
            "anchor": text.anchor + "s",
        }
        # The edges of letters get numbers between those of both: they are shades of this ink.
        draw.rectangle(draw.textbbox(at, text.text, **options), fill=first)
        draw.text(at, text.text, fill=first + SHADES - 1, **options)
    return np.array(paper)


@cache
def _font(size: float, bold: bool) -> "FreeTypeFont":
    """Return the font for letters of a size in points."""
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(require_matplotlib().get_data_path(), "fonts", "ttf", name)
    # Not every Pillow has the other engine, and the picture is to be the same.
    engine = ImageFont.Layout.BASIC
    return ImageFont.truetype(str(path), round(size / 72 * DPI), layout_engine=engine)


def require_matplotlib() -> ModuleType:
    """Return matplotlib, of which the pictures have their fonts, and which brings Pillow.

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
