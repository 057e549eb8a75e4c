# SPDX-License-Identifier: MIT
"""A web page with a table of published masks, made from their sidecars."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..masks import read_gridded_sidecar, read_sidecar
from ..paths import StrPath
from ..registry import BrainMaskMetadata, split_gridded
from ..storage import publish
from .rendering import filters, render


def tabulate_masks(
    masks: Sequence[BrainMaskMetadata], sidecar_paths: Sequence[StrPath], page_path: StrPath
) -> None:
    """Write the page.

    Parameters
    ----------
    masks
        What is registered, of a mask on another grid that of the mask it was made from.
    sidecar_paths
        The sidecar of each, named after the mask that was asked for.
    page_path
        Where to put the page (HTML).

    Raises
    ------
    InvalidMaskError
        If a sidecar does not state what is registered.
    """
    sidecars = {}
    for mask, path in zip(masks, sidecar_paths, strict=True):
        # Not its `stem`: the name of a grid may end in ".5mm".
        name = Path(path).name.removesuffix(".json")
        gridded = split_gridded(name)
        sidecars[name] = read_gridded_sidecar(mask, path) if gridded else read_sidecar(path, mask)
    publish(mask_page(sidecars).encode(), page_path)


def mask_page(sidecars: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page.

    Parameters
    ----------
    sidecars
        The content of the sidecar of each mask, by name.
    """
    choices = {
        name: ([each["SpaceServed"]], [edges_text(each["Grid"])], [each["License"]])
        for name, each in sidecars.items()
    }
    return render(
        "masks.html.j2",
        masks=sidecars,
        choices=choices,
        filters=filters(("Space", "Voxel size", "Licence"), list(choices.values())),
    )


def edges_text(grid: Mapping[str, Any]) -> str:
    """Return the edges of a voxel for readers, one if all are the same."""
    edges = [f"{edge:g}" for edge in grid["VoxelSize"]]
    return f"{edges[0] if len(set(edges)) == 1 else ' x '.join(edges)} {grid['Units']}"
