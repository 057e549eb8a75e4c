# SPDX-License-Identifier: MIT
"""Pictures of images over their masks, by world coordinates: whatever the two grids are."""

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..images import (
    Comparison,
    Examined,
    Policy,
    PublishedMask,
    in_processes,
    look_again,
    read_found,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import publish
from .background import Background, BackgroundFile, background_under
from .image_scene import Scene, scene_of
from .image_slice import over_background, slice_of
from .image_words import facts_in_words, outcome_in_words
from .montage import ALARM, FAINT, GRID, INK, PAPER, Line, Montage, montage, rgb, title
from .montage_png import as_png, require_matplotlib

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the numbers in `image_scene`.
COLORS = (PAPER, GRID, "#a9bccb", "#b3001b", "#ffb000")
OUTLINE = "#5aa9e6"
LEGEND = (
    "The image is red inside the brain, yellow outside. L is the left of the head. Coordinates in "
    "mm (RAS+); nothing was moved."
)
OUTLINED = "The brain's outline is blue. "
ONLY_BRAIN = "Only the brain is drawn. L is the left of the head. Coordinates in mm (RAS+)."
# Letters of a line of the size of remarks, and of large ones.
REMARK, LARGE = 150, 92


def draw_images(
    found_path: StrPath,
    masks: Mapping[str, PublishedMask],
    policy: Policy,
    picture_paths: Mapping[str, StrPath],
    backgrounds: Mapping[str, BackgroundFile],
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
    backgrounds
        What is drawn under the images of a space, by its name; nothing if it has none.
    workers
        How many images to draw at once.

    Raises
    ------
    MaskError
        If matplotlib is not installed, an image is not what it was when it was checked, or a
        background cannot be that of its space.
    """
    require_matplotlib()
    found = read_found(found_path)
    listed = [(name, *found[name], path) for name, path in picture_paths.items()]
    in_processes(_draw, listed, workers, dict(masks), policy, dict(backgrounds))


def _draw(
    listed: tuple[str, Mapping[str, str], Comparison, StrPath],
    masks: Mapping[str, PublishedMask],
    policy: Policy,
    backgrounds: Mapping[str, BackgroundFile],
) -> None:
    name, entry, found, picture_path = listed
    mask = masks[entry["mask"]]
    file = backgrounds.get(mask.metadata.space)
    background = background_under(file, mask) if file else None
    examined = look_again(entry["image"], found, mask)
    names = (name, entry["mask"])
    accepted = policy.accepts(found)
    shown = montage_over(examined, mask.metadata, mask.voxels(), *names, accepted, background)
    publish(as_png(shown), picture_path)


def montage_over(
    examined: Examined,
    mask: BrainMaskMetadata,
    mask_voxels: "NDArray[np.bool_]",
    name: str,
    mask_name: str,
    accepted: bool,
    background: Background | None = None,
) -> Montage:
    """Return the picture of an image over its mask.

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
    background
        What is drawn under the image; the brain and the grid of the mask if it is None.
    """
    scene = scene_of(examined, mask, mask_voxels)
    colors, outline = rgb(COLORS), rgb([OUTLINE])[0]

    def paint(across: int, number: int, shape: tuple[int, int]) -> "NDArray[np.uint8]":
        shown = slice_of(scene, across, scene.slices[across][number], shape)
        return over_background(shown, background, colors, outline) if background else shown.numbers

    shown = scene.image is not None
    header = [
        title(f"{name} over {mask_name}"),
        *_remarks(examined, scene, accepted, large=not shown),
    ]
    legend = LEGEND if shown else ONLY_BRAIN
    if background:
        header += [Line(part, 9.5, 0.2) for part in textwrap.wrap(background.in_words, REMARK)]
        legend = OUTLINED + legend
    return montage(header, scene.edges, scene.slices, colors, paint, legend)


def _remarks(examined: Examined, scene: Scene, accepted: bool, large: bool) -> list[Line]:
    found = examined.comparison
    size: float
    drop: float
    size, drop = (24, 0.5) if large else (13, 0.3)
    lines = [Line(outcome_in_words(found, accepted), size, drop, INK if accepted else ALARM, True)]
    if facts := facts_in_words(found):
        lines.append(Line("   ·   ".join(facts), drop=0.3 if large else 0.26, color=INK))
    size, drop, letters = (15, 0.32, LARGE) if large else (9.5, 0.2, REMARK)
    color = INK if large else FAINT
    details = (found.detail, *(each.detail for each in found.findings), scene.hidden)
    for text in filter(None, details):
        lines += [Line(part, size, drop, color) for part in textwrap.wrap(text, letters)]
    return lines
