# SPDX-License-Identifier: MIT
"""`list`, `get` and `grids`: which masks and grids there are, and where a mask's file is."""

from typing import Any

import click

from ..errors import UnknownMaskError
from ..fetching import Cache
from ..masks import path_of
from ..registry import BrainMaskMetadata, BrainMaskRegistry, closest, shipped_grids
from ..urls import one_line
from .options import EPILOG, Options, common, complete_grids, complete_masks, complete_values
from .output import Printed, aligned, as_json, say

# Letters of a licence that are shown: the whole of it is in `cite` and in JSON.
WIDEST = 40
HEADING = ("NAME", "SHAPE", "MM", "VOXELS", "ML", "SOURCE", "CACHED", "LICENCE")


@click.command("list", epilog=EPILOG)
@click.option("--space", shell_complete=complete_values, help="Only masks of this space.")
@click.option("--desc", shell_complete=complete_values, help="Only masks of this description.")
@click.option(
    "--resolution", shell_complete=complete_values, help="Only masks of this resolution in mm."
)
@common
def list_masks(
    space: str | None, desc: str | None, resolution: str | None, options: Options
) -> Printed:
    """List the registered masks.

    "-" stands for what is not registered: of some masks only the MD5 of the published file is
    known.

    \b
    Examples:
      brainmasks list
      brainmasks list --space MNI152NLin6Asym --resolution 2
      brainmasks list --registry my_masks.tsv --json
    """
    registry = options.registry()
    if space in registry.aliases:
        say(f"note: {space} is served as {registry.aliases[space]}")
        space = registry.aliases[space]
    masks = _filtered(
        registry, {"space": space, "desc": desc, "resolution_text": _as_text(resolution)}
    )
    cache = Cache(options.cache())
    if options.as_json:
        return Printed(as_json([_plain(mask, cache) for mask in masks]))
    if some := sum(not mask.voxels for mask in masks):
        say(
            f"note: '-' is not registered: of {some} masks only the MD5 of the published file is "
            "known; the sidecar of the published mask states it"
        )
    return Printed(aligned(HEADING, (_line(mask, cache) for mask in masks), "   rr"))


def _as_text(resolution: str | None) -> str | None:
    """Return a resolution as the registry writes it: 2.0 and 2mm are 2."""
    if resolution is None:
        return None
    try:
        texts = [f"{float(edge):g}" for edge in resolution.removesuffix("mm").split("x")]
    except ValueError:
        return resolution
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


def _filtered(
    registry: BrainMaskRegistry, filters: dict[str, str | None]
) -> list[BrainMaskMetadata]:
    """Return the masks that have the given values; raises an error that names those there are."""
    masks = registry.list()
    for attribute, asked in filters.items():
        if asked is None:
            continue
        what = attribute.removesuffix("_text")
        there = list(dict.fromkeys(getattr(mask, attribute) for mask in masks))
        if asked not in there:
            near = closest(asked, there)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            among = "" if len(masks) == len(registry) else " among the masks that were asked for"
            raise UnknownMaskError(
                f"no mask of {what} '{asked}'{among}{hint} Known: {', '.join(there)}"
            )
        masks = [mask for mask in masks if getattr(mask, attribute) == asked]
    return masks


def _line(mask: BrainMaskMetadata, cache: Cache) -> tuple[str, ...]:
    return (
        mask.name,
        "x".join(map(str, mask.shape)),
        mask.resolution_text,
        str(mask.voxels or "-"),
        f"{mask.volume_ml:.1f}" if mask.volume_ml else "-",
        mask.source,
        "yes" if cache.has(mask) else "no",
        one_line(mask.license, WIDEST),
    )


def _plain(mask: BrainMaskMetadata, cache: Cache) -> dict[str, Any]:
    """Return what is registered in plain types; null for what is not known."""
    known = mask.to_dict() | {
        "zooms": mask.zooms,
        "volume_ml": round(mask.volume_ml, 6) if mask.volume_ml else None,
        "cached": cache.has(mask),
    }
    hashes = ("sha256", "content_sha256", "md5")
    return known | {key: known[key] or None for key in hashes}


@click.command("get", epilog=EPILOG)
@click.argument("name", shell_complete=complete_masks)
@common
def get_mask(name: str, options: Options) -> Printed:
    """Print the path of a mask.

    Its file is verified, and fetched if it is not cached.

    \b
    Examples:
      brainmasks get MNI152NLin6Asym_2mm
      fslmaths lesion -mas "$(brainmasks get MNI152NLin6Asym_2mm)" inside
    """
    mask = options.serve(options.registry(), name)
    path = path_of(mask, cache_dir=options.cache_dir, offline=options.no_network)
    if options.as_json:
        return Printed(as_json({"name": mask.name, "path": str(path)}))
    # As it is, for `$(...)`: of the user's own folder and the checked name of a mask.
    return Printed(f"{path}\n")


@click.command("grids", epilog=EPILOG)
@click.argument("names", metavar="[GRID]...", nargs=-1, shell_complete=complete_grids)
@common
def list_grids(names: tuple[str, ...], options: Options) -> Printed:
    """List the known grids.

    Where the voxels of files lie that many people have.

    \b
    Examples:
      brainmasks grids
      brainmasks grids SPM12-2mm --json
    """
    known = shipped_grids()
    for name in names:
        if name not in known:
            near = closest(name, list(known))
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            raise UnknownMaskError(f"no grid '{name}'{hint} Known: {', '.join(known)}")
    grids = [known[name] for name in names or known]
    if options.as_json:
        fields = ("name", "shape", "zooms", "origin", "spaces", "used_by")
        return Printed(as_json([{key: getattr(grid, key) for key in fields} for grid in grids]))
    lines = [
        (
            grid.name,
            "x".join(map(str, grid.shape)),
            "x".join(f"{mm:g}" for mm in grid.zooms),
            ",".join(f"{mm:g}" for mm in grid.origin),
            ",".join(grid.spaces) or "-",
            grid.used_by,
        )
        for grid in grids
    ]
    return Printed(aligned(("GRID", "SHAPE", "MM", "ORIGIN", "SPACES", "USED BY"), lines))
