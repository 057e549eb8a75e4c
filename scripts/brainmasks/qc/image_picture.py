# SPDX-License-Identifier: MIT
"""Pictures of images over their masks, by world coordinates: whatever the two grids are."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..images import (
    OBLIQUE,
    Comparison,
    Examined,
    Grid,
    Policy,
    PublishedMask,
    by_slices,
    in_processes,
    lie_inside,
    look_again,
    read_found,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import publish
from .slice_figure import (
    FAINT,
    GRID,
    INK,
    Extent,
    Line,
    as_png,
    draw_slice,
    number_text,
    require_matplotlib,
    slice_figure,
    spread,
    title,
    volume_text,
)

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

# Numbers of colours; where several meet in one pixel, the highest is shown.
BEYOND, GROUND, BRAIN, INSIDE, OUTSIDE = range(5)
COLORS = ("#ffffff", GRID, "#a9bccb", "#b3001b", "#ffb000")
ALARM = "#b3001b"
HEMISPHERES = {"left": "left hemisphere", "right": "right hemisphere", "midline": "midline"}
LEGEND = (
    "The image is red inside the brain, yellow outside. L is the left of the head. Coordinates in "
    "mm (RAS+); nothing was moved."
)
ONLY_BRAIN = "Only the brain is drawn. L is the left of the head. Coordinates in mm (RAS+)."
# How far beyond the mask's grid, in mm, a picture follows an image.
MARGIN = 50.0
# Letters of a line of the size of remarks, and of large ones.
REMARK, LARGE = 150, 92
# Along each edge of a pixel, at most so many points are looked at.
FINEST = 8


@dataclass(frozen=True)
class _Volume:
    """An image that is shown: its grid, and the number of a colour for each of its voxels."""

    grid: Grid
    colors: "NDArray[np.uint8]"


@dataclass(frozen=True)
class _Scene:
    """What there is to see, and from where to where, in mm."""

    # None if the image cannot be shown.
    image: "_Volume | None"
    edges: list[tuple[float, float]]
    slices: dict[int, list[float]]
    # What there would be to see if the picture were larger.
    hidden: str | None = None


def draw_images(
    found_path: StrPath,
    masks: Mapping[str, PublishedMask],
    policy: Policy,
    picture_paths: Mapping[str, StrPath],
    workers: int = 1,
) -> None:
    """Draw images over their masks, whether they are accepted or not.

    Parameters
    ----------
    found_path
        What was found of the images (JSON).
    masks
        The published masks by name.
    policy
        What is accepted.
    picture_paths
        Where to put the picture (PNG) of each image, by id.
    workers
        How many images to draw at once.

    Raises
    ------
    MaskError
        If matplotlib is not installed, or an image is not what it was when it was checked.
    """
    require_matplotlib()
    # Here, so that the processes do not all look for fonts on a machine that never drew.
    import matplotlib.font_manager  # noqa: F401

    found = read_found(found_path)
    listed = [(name, *found[name], path) for name, path in picture_paths.items()]
    in_processes(_draw, listed, workers, dict(masks), policy)


def _draw(
    listed: tuple[str, Mapping[str, str], Comparison, StrPath],
    masks: Mapping[str, PublishedMask],
    policy: Policy,
) -> None:
    name, entry, found, picture_path = listed
    mask = masks[entry["mask"]]
    examined = look_again(entry["image"], found, mask)
    titles = (name, entry["mask"])
    accepted = policy.accepts(found)
    publish(picture_over(examined, mask.metadata, mask.voxels(), *titles, accepted), picture_path)


def picture_over(
    examined: Examined,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    name: str,
    mask_name: str,
    accepted: bool,
) -> bytes:
    """Return the picture of an image over its mask, a PNG; the parameters are `figure_over`'s."""
    return as_png(lambda: figure_over(examined, mask, mask_voxels, name, mask_name, accepted))


def figure_over(
    examined: Examined,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    name: str,
    mask_name: str,
    accepted: bool,
) -> "Figure":
    """Return the matplotlib figure of an image over its mask.

    Parameters
    ----------
    examined
        What was found about the image.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    name, mask_name
        What to call the two.
    accepted
        Whether a run goes on with the image.

    Raises
    ------
    MaskError
        If matplotlib is not installed.
    """
    scene = _scene(examined, mask, mask_voxels)

    def paint(axes: "Axes", across: int, number: int, extent: Extent) -> None:
        mm = scene.slices[across][number]
        colors = _slice(scene, mask, mask_voxels, across, mm, axes)
        draw_slice(axes, colors, extent, COLORS, interpolation="nearest")

    shown = scene.image is not None
    remarks = _remarks(examined, scene, accepted, large=not shown)
    header = [title(f"{name} over {mask_name}"), *remarks]
    return slice_figure(header, scene.edges, scene.slices, paint, LEGEND if shown else ONLY_BRAIN)


def _remarks(examined: Examined, scene: _Scene, accepted: bool, large: bool) -> list[Line]:
    found = examined.comparison
    outcome = "accepted: " if accepted else "rejected: "
    outcome += ", ".join((found.verdict, *found.codes))
    size: float
    drop: float
    size, drop = (24, 0.5) if large else (13, 0.3)
    lines = [Line(outcome, size, drop, INK if accepted else ALARM, "bold")]
    if facts := _facts(found):
        lines.append(Line("   ·   ".join(facts), drop=0.3 if large else 0.26, color=INK))
    size, drop, letters = (15, 0.32, LARGE) if large else (9.5, 0.2, REMARK)
    color = INK if large else FAINT
    details = (found.detail, *(each.detail for each in found.findings), scene.hidden)
    for text in filter(None, details):
        lines += [Line(part, size, drop, color) for part in textwrap.wrap(text, letters)]
    return lines


def _facts(found: Comparison) -> list[str]:
    facts = []
    if found.voxels is not None:
        facts.append(f"{found.voxels:,} voxel{'s' * (found.voxels != 1)}")
    if found.volume_ml is not None:
        facts.append(f"{volume_text(found.volume_ml)} ml")
        facts.append(f"{found.voxels_inside:,} inside the brain, {found.voxels_outside:,} outside")
    if found.hemisphere is not None:
        sides = f"{found.voxels_left:,} left, {found.voxels_right:,} right"
        facts.append(f"{HEMISPHERES[found.hemisphere]} ({sides})")
    return facts


def _scene(examined: Examined, mask: BrainMaskMetadata, mask_voxels: "NDArray[np.bool_]") -> _Scene:
    import numpy as np

    step_mm, near = np.array(mask.zooms), mask.affine[:3, 3]
    far = near + step_mm * np.array(mask.shape)
    edges = list(zip(near - step_mm / 2, far - step_mm / 2, strict=True))
    brain = {
        axis: [
            near[axis] + step_mm[axis] * n
            for n in spread(np.flatnonzero(mask_voxels.any(axis=tuple({0, 1, 2} - {axis}))))
        ]
        for axis in range(3)
    }
    grid, above = examined.grid, examined.above
    if above is None or grid is None:
        return _Scene(None, edges, brain)
    if not examined.comparison.voxels:
        return _Scene(None, edges, brain, "No voxel of it is above 0.5.")
    volume = _Volume(grid, np.zeros(above.shape, np.uint8))
    oblique = examined.comparison.verdict == OBLIQUE
    centres, step = _color(volume, above, mask, mask_voxels, oblique)
    reach = [
        (
            max(low - MARGIN, min(low, at[0] - mm / 2)),
            min(high + MARGIN, max(high, at[-1] + mm / 2)),
        )
        for (low, high), at, mm in zip(edges, centres, step, strict=True)
    ]
    within = [
        at[(at >= low) & (at <= high)] for at, (low, high) in zip(centres, reach, strict=True)
    ]
    hidden = None
    if any(len(some) < len(at) for some, at in zip(within, centres, strict=True)):
        span = ", ".join(
            f"{axis} {number_text(at[0])} to {number_text(at[-1])}"
            for axis, at in zip("xyz", centres, strict=True)
        )
        hidden = (
            f"The picture ends {MARGIN:g} mm beyond the mask's grid, the image does not: {span} mm."
        )
    if not all(len(some) for some in within):
        return _Scene(None, edges, brain, hidden)
    slices = {
        axis: [float(within[axis][n]) for n in spread(range(len(within[axis])))]
        for axis in range(3)
    }
    return _Scene(volume, reach, slices, hidden)


def _color(
    volume: _Volume,
    above: "NDArray[np.bool_]",
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    oblique: bool,
) -> tuple[list["NDArray[np.float64]"], "NDArray[np.float64]"]:
    """Color an image's voxels by where they lie, and return the planes that they meet.

    Parameters
    ----------
    volume
        Its colors are filled in.
    above
        Which voxels there are to color.
    mask, mask_voxels
        The mask, and where it is 1 on its grid in RAS order.
    oblique
        Whether the image's axes are rotated or sheared against the world's.

    Returns
    -------
    list of arrays, array of shape (3,)
        Coordinates in mm of the planes across x, y and z, ascending, and their thickness in mm.
    """
    import numpy as np
    from nibabel.affines import apply_affine, voxel_sizes

    grid = volume.grid
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(above.shape) - 1)
    lowest = apply_affine(grid.affine, corners).min(axis=0)
    smallest = voxel_sizes(grid.affine).min()
    step = np.diag(grid.ras_affine)[:3]
    if oblique:
        # Its voxels lie in no common planes; so thin that each of these goes through some.
        step = np.full(3, smallest / 4)
    planes: list[set[int]] = [set(), set(), set()]
    for indices in by_slices(above):
        inside = lie_inside(indices, grid, mask, mask_voxels)
        volume.colors[tuple(indices.T)] = np.where(inside, INSIDE, OUTSIDE)
        numbers = np.rint((apply_affine(grid.affine, indices) - lowest) / step).astype(int)
        for met, along in zip(planes, numbers.T, strict=True):
            met.update(np.unique(along).tolist())
    # In short numbers, unless that would lead out of a voxel.
    decimals = 1 if smallest >= 0.2 else 3
    centres = [
        np.unique((first + mm * np.array(sorted(met))).round(decimals))
        for first, mm, met in zip(lowest, step, planes, strict=True)
    ]
    return centres, step


def _slice(
    scene: _Scene,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    across: int,
    mm: float,
    axes: "Axes",
) -> "NDArray[np.integer[Any]]":
    """Return the numbers of the colours of a slice, one for each pixel of the axes."""
    import numpy as np
    from nibabel.affines import voxel_sizes

    finest = min(mask.zooms)
    if scene.image:
        finest = min(finest, voxel_sizes(scene.image.grid.affine).min())
    pixels, points = [], []
    right, up = (axis for axis in range(3) if axis != across)
    for axis, length in ((right, axes.bbox.width), (up, axes.bbox.height)):
        low, high = scene.edges[axis]
        # Not more than the axes have, or some would not be shown.
        pixels.append(max(int(length), 1))
        # Not even a voxel that is smaller than a pixel may fall between two points.
        times = min(int(np.ceil(2 * (high - low) / pixels[-1] / finest)), FINEST)
        points.append(
            low + (np.arange(pixels[-1] * times) + 0.5) * (high - low) / pixels[-1] / times
        )
    at = _nearest(mask.affine, mask.shape, across, mm, *points)
    colors = np.where(at.within, np.where(mask_voxels[at.index], BRAIN, GROUND), BEYOND)
    if image := scene.image:
        at = _nearest(image.grid.affine, image.colors.shape, across, mm, *points)
        colors = np.maximum(colors, np.where(at.within, image.colors[at.index], 0))
    wide, high = pixels
    pixel_colors: NDArray[np.integer[Any]] = colors.reshape(
        wide, len(points[0]) // wide, high, -1
    ).max(axis=(1, 3))
    return pixel_colors


@dataclass(frozen=True)
class _Nearest:
    """For each point of a slice its nearest voxel, and whether that is one of the volume."""

    index: tuple["NDArray[np.intp]", ...]
    within: "NDArray[np.bool_]"


def _nearest(
    affine: "NDArray[np.float64]",
    shape: tuple[int, ...],
    across: int,
    mm: float,
    points_right: "NDArray[np.float64]",
    points_up: "NDArray[np.float64]",
) -> _Nearest:
    import numpy as np

    right, up = (axis for axis in range(3) if axis != across)
    to_index = np.linalg.inv(affine)
    index = []
    within = np.ones((len(points_right), len(points_up)), dtype=bool)
    for row, length in zip(to_index, shape, strict=False):
        along = np.rint(
            row[right] * points_right[:, None]
            + (row[up] * points_up[None, :] + (row[across] * mm + row[3]))
        )
        within = within & (along >= 0) & (along < length)
        index.append(np.clip(along, 0, length - 1).astype(np.intp))
    return _Nearest(tuple(index), within)
