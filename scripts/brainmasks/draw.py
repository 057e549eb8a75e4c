"""A picture of a mask: slices along three planes, placed by their coordinates in mm."""

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path

from .errors import InvalidMaskError, MaskError
from .image import content_limit, read_image, scaled_voxels
from .publish import publish
from .stream import gunzip

# Raise it when pictures change: they are then drawn anew.
DRAWING_VERSION = 1

# Slices of each plane; fewer if the mask is thinner than that.
SLICES = 7
# Each plane: its name, the axis across it, those to the right and upwards in the picture, and
# what lies at the left and at the right of it.
PLANES = (
    ("Sagittal", 0, 1, 2, "P", "A"),
    ("Coronal", 1, 0, 2, "L", "R"),
    ("Axial", 2, 0, 1, "L", "R"),
)
LEGEND = (
    "Neurological convention: the left of the head (L) is at the left of the picture. "
    "Coordinates in mm (RAS+): centres of the slices' voxels."
)

GRID, INSIDE, INK, FAINT = "#e6ebf0", "#2f6690", "#1b1f24", "#5f6b76"
# All in inches.
WIDTH, EDGE, GAP = 12.0, 0.3, 0.08
TITLE, HEADING, LABEL, FOOTER = 0.72, 0.3, 0.2, 0.42
DPI = 150
# Largest part of a voxel's edge that may run along another axis.
OBLIQUE = 1e-3


def draw_mask(mask_path, sidecar_path, picture_path) -> None:
    """Draw a published mask.

    Parameters
    ----------
    mask_path, sidecar_path
        The mask and its sidecar.
    picture_path
        Where to put the picture, a PNG.

    Raises
    ------
    InvalidMaskError
        If the mask is not what its sidecar says.
    MaskError
        If matplotlib is not installed.
    """
    sidecar = json.loads(Path(sidecar_path).read_text(encoding="utf-8"))
    name = Path(mask_path).name.removesuffix(".nii.gz")
    served = sidecar["SpaceServed"]
    try:
        image = _published(Path(mask_path).read_bytes(), sidecar)
        data = picture(image, name, served if served != sidecar["SpaceRequested"] else None)
    except InvalidMaskError as err:
        raise InvalidMaskError(
            f"mask {name}: {mask_path} cannot be drawn: {err}. "
            "Delete it and its sidecar to have them made again"
        ) from err
    publish(data, picture_path)


def picture(image, name: str, served: str | None = None) -> bytes:
    """Return the picture of a mask, a PNG.

    Parameters
    ----------
    image
        The mask, a nibabel image that is stored in any orientation.
    name
        What to call it.
    served
        Space that was served for the one in the name, if it was another one.

    Raises
    ------
    InvalidMaskError
        If the image is empty, has not three dimensions, or is oblique.
    MaskError
        If matplotlib is not installed.
    """
    matplotlib = _matplotlib()
    # The same picture whatever a user's own settings are, and those of a caller as they were.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        buffer = io.BytesIO()
        # Without a note of matplotlib's version: the same bytes for the same picture.
        figure(image, name, served).savefig(buffer, format="png", metadata={"Software": None})
        return buffer.getvalue()


def figure(image, name: str, served: str | None = None):
    """Return the matplotlib figure that `picture` saves; the parameters are the same."""
    import numpy as np

    _matplotlib()
    from matplotlib.figure import Figure

    inside, first, step = _in_space(image)
    last = first + step * (np.array(inside.shape) - 1)
    edges = [(a - h / 2, b + h / 2) for a, b, h in zip(first, last, step, strict=True)]
    extent = [high - low for low, high in edges]

    # One scale for all planes: inches for each mm.
    cell = (WIDTH - 2 * EDGE - (SLICES - 1) * GAP) / SLICES
    scale = cell / max(extent[right] for _, _, right, _, _, _ in PLANES)
    rows = [HEADING + extent[up] * scale + LABEL for _, _, _, up, _, _ in PLANES]
    height = TITLE + sum(rows) + FOOTER
    drawn = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")

    def write(x: float, y: float, text: str, size: float, color: str = FAINT, **options) -> None:
        drawn.text(x / WIDTH, y / height, text, size=size, color=color, **options)

    top = height
    write(EDGE, top - 0.42, name, 16, INK, weight="bold")
    write(EDGE, top - 0.68, _facts(inside, step, served), 10.5)
    top -= TITLE
    for plane, row in zip(PLANES, rows, strict=True):
        title, across, right, up, left_end, right_end = plane
        write(EDGE, top - 0.22, title, 11, INK)
        size = (extent[right] * scale, extent[up] * scale)
        for column, index in enumerate(_slices(inside, across)):
            x = EDGE + column * (cell + GAP) + (cell - size[0]) / 2
            y = top - HEADING - size[1]
            axes = drawn.add_axes(
                (x / WIDTH, y / height, size[0] / WIDTH, size[1] / height), label=title
            )
            _draw_slice(axes, inside.take(index, across), (*edges[right], *edges[up]))
            mm = first[across] + step[across] * index
            # Below the slice, where no mask can hide it.
            write(x + 0.02, y - 0.16, left_end, 8.5, weight="bold")
            write(x + size[0] - 0.02, y - 0.16, right_end, 8.5, ha="right", weight="bold")
            label = f"{'xyz'[across]} = {_number(mm)} mm"
            write(x + size[0] / 2, y - 0.16, label, 8.5, INK, ha="center")
        top -= row
    write(EDGE, 0.16, LEGEND, 9)
    return drawn


def _published(data: bytes, sidecar: Mapping):
    """Return the image that a sidecar describes."""
    stream = gunzip(data, content_limit(math.prod(sidecar["Grid"]["Shape"])))
    if stream.problem:
        raise InvalidMaskError(stream.problem)
    image = read_image(stream.content)
    found = int(_inside(image).sum())
    if found != sidecar["Voxels"]:
        raise InvalidMaskError(f"it has {found} voxels, its sidecar says {sidecar['Voxels']}")
    return image


def _matplotlib():
    try:
        import matplotlib
    except ImportError as err:
        raise MaskError(
            "pictures need matplotlib: install what requirements-qc.txt lists, or run with "
            "--software-deployment-method conda"
        ) from err
    return matplotlib


def _inside(image):
    """Return an array that is true where the mask is."""
    return scaled_voxels(image) > 0.5


def _in_space(image):
    """Return a mask in RAS order, the mm of its first voxel, and the edges of a voxel in mm."""
    import nibabel as nib
    import numpy as np

    if image.ndim != 3:
        raise InvalidMaskError(f"it has {image.ndim} dimensions, expected 3")
    image = nib.as_closest_canonical(image)
    edges = image.affine[:3, :3]
    step = np.diag(edges)
    if np.abs(edges - np.diag(step)).max() > OBLIQUE * step.min():
        raise InvalidMaskError(f"its grid is oblique: {image.affine.tolist()}")
    inside = _inside(image)
    if not inside.any():
        raise InvalidMaskError("it is empty")
    return inside, image.affine[:3, 3], step


def _slices(inside, across: int) -> list[int]:
    """Return indices of slices, spread evenly over the part of an axis that a mask takes up."""
    import numpy as np

    others = tuple(axis for axis in range(3) if axis != across)
    taken = np.flatnonzero(inside.any(axis=others))
    if taken.size <= SLICES:
        return taken.tolist()
    # The first and the last slice of a mask hold next to nothing of it.
    wanted = np.linspace(taken[0], taken[-1], SLICES + 2)[1:-1]
    return wanted.round().astype(int).tolist()


def _draw_slice(axes, values, extent) -> None:
    from matplotlib.colors import ListedColormap

    # The first index of an array runs to the right here, its second one upwards.
    axes.imshow(
        values.T, ListedColormap([GRID, INSIDE]), vmin=0, vmax=1, extent=extent, origin="lower"
    )
    axes.set_axis_off()


def _facts(inside, step, served: str | None) -> str:
    voxels = int(inside.sum())
    edges = sorted({_number(mm) for mm in step})
    size = edges[0] if len(edges) == 1 else " x ".join(_number(mm) for mm in step)
    facts = [
        f"{voxels:,} voxels of {size} mm",
        f"{voxels * float(step.prod()) / 1000:,.1f} ml",
        f"grid {' x '.join(str(n) for n in inside.shape)}",
    ]
    if served:
        facts.insert(0, f"served: {served}")
    return "   ·   ".join(facts)


def _number(value: float) -> str:
    # Adding 0 turns -0 into 0. A minus sign, not a hyphen: this is for readers.
    return f"{round(float(value), 3) + 0:g}".replace("-", "\N{MINUS SIGN}")
