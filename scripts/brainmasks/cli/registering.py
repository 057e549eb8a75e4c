# SPDX-License-Identifier: MIT
"""`register`: a mask of one's own, from its file to a row of a table."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from ..errors import InvalidMaskError, RegistryError
from ..masks import OwnMask, read_own_mask, register_in, remarks, try_out
from ..registry import (
    BRAIN,
    BrainMaskMetadata,
    BrainMaskRegistry,
    Mirror,
    Resolution,
    new_table,
    own_row,
    user_path,
)
from ..storage import publish
from .options import EPILOG, Options, common, complete_values
from .output import Printed, as_json, say, shown


@click.command(epilog=EPILOG)
@click.argument("file", type=click.Path())
@click.option("--space", required=True, help="Name of the space, such as MyLab.")
@click.option("--resolution", help="Edge of a voxel in mm, to be sure; else that of the file.")
@click.option(
    "--desc", default=BRAIN, shell_complete=complete_values, help="Which mask of its grid."
)
@click.option("--table", type=click.Path(), help="Append the row to this table, or make it.")
@click.option(
    "--write",
    type=click.Path(),
    metavar="FILE.nii.gz",
    help="Write the canonical copy (RAS, uint8, 0 and 1), which the row then names.",
)
@click.option("--url", help="Where the file is published; else the row names it by its path.")
@click.option("--source", default="own", show_default=True, help="Who made it, one word.")
@click.option("--license", "licence", default="unknown", show_default=True, help="Its licence.")
@click.option(
    "--citation",
    default="unknown",
    show_default=True,
    help="What to cite, several separated by '; '.",
)
@click.option("--description", default="", help="Free text.")
@common
def register(
    file: str,
    space: str,
    resolution: str | None,
    desc: str,
    table: str | None,
    write: str | None,
    url: str | None,
    source: str,
    licence: str,
    citation: str,
    description: str,
    options: Options,
) -> Printed:
    """Register a mask of your own.

    FILE is checked, its row computed, and the mask made from the row once, to try it. The row is
    printed, or appended to --table. The file may be stored in any orientation, type, scaling and
    compression.

    \b
    Examples:
      brainmasks register brain_mask.nii.gz --space MyLab
      brainmasks register brain_mask.nii.gz --space MyLab --table my_masks.tsv
      brainmasks register mask_255.nii --space MyLab --table my_masks.tsv --write MyLab_1mm.nii.gz
    """
    table_path = None if table is None else user_path(table)
    others = options.own_tables()
    known = replace(
        options,
        tables=(*options.tables, *([str(table_path)] if table_path and _holds(table_path) else [])),
    ).registry()
    own = read_own_mask(
        file,
        space,
        _resolution(resolution),
        desc or BRAIN,
        source=source,
        license=licence,
        citation=citation,
        description=description,
    )
    written = None if write is None else user_path(write)
    mask = replace(
        own.mask,
        url=url or _location(Path(file) if written is None else written, table_path),
        folder=str(Path.cwd() if table_path is None else table_path.parent),
    )
    # What a cell may hold, before anything is written.
    row = own_row(mask, f"the row of {file}")
    _require_new(known, mask)
    if own.changed and written is None:
        raise InvalidMaskError(
            f"{file}: {own.changed}, so that the mask cannot be made from it as it is: add "
            f"`--write {mask.name}.nii.gz`, and the canonical copy is written, which the row names"
        )
    for remark in remarks(own, known):
        say(f"warning: {file}: {remark}")
    made = _write(own, written, Path(file))
    try:
        if table_path is None:
            _try_out(mask, own, BrainMaskRegistry([mask], {}), options)
        else:
            with register_in(table_path, mask, others) as registry:
                _try_out(registry.get(mask.name), own, registry, options)
    except BaseException:
        if made and written:
            with suppress(OSError):
                written.unlink()
        raise
    _say_what_next(mask, table_path, written)
    if options.as_json:
        content = mask.to_dict() | {"row": row, "table": table and str(table_path)}
        return Printed(as_json(content))
    return Printed("" if table_path else shown_table(row))


def shown_table(row: dict[str, str]) -> str:
    """Return the lines of a table of this row, as they may be printed; tabs stay."""
    return "\t".join(shown(cell) for cell in new_table(row).decode().split("\t"))


def _holds(table: Path) -> bool:
    return table.exists() and (not table.is_file() or table.stat().st_size > 0)


def _resolution(text: str | None) -> Resolution | None:
    if text is None:
        return None
    try:
        edges = [float(edge) for edge in text.removesuffix("mm").split("x")]
    except ValueError:
        edges = []
    if len(edges) == 1:
        return edges[0]
    if len(edges) != 3:
        raise click.BadParameter(
            f"'{text}'; expected the edge of a voxel in mm such as 2 or 0.7, or its three edges, "
            "such as 2x2x4",
            param_hint="--resolution",
        )
    return edges[0], edges[1], edges[2]


def _location(path: Path, table: Path | None) -> str:
    """Return the path of a file as a table may name it, from the folder of the table."""
    folder = Path.cwd() if table is None else table.parent.resolve()
    # Its own name is kept, also if it is a link: what it leads to may have another one.
    location = os.path.relpath(path.parent.resolve() / path.name, folder)
    if "$" in location or location.startswith("~"):
        raise RegistryError(
            f"{path}: $ and ~ stand for something else in the path of a table ({location}); rename "
            "the file or its folder"
        )
    # Else what stands before the colon would be the kind of an address.
    return f"./{location}" if ":" in location else location


def _require_new(known: BrainMaskRegistry, mask: BrainMaskMetadata) -> None:
    if mask.name not in known:
        if mask.space in known.aliases:
            raise RegistryError(
                f"{mask.name} cannot be registered: {mask.space} is served as "
                f"{known.aliases[mask.space]}; give it another --space"
            )
        return
    same = known.get(mask.name).content_sha256 == mask.content_sha256
    raise RegistryError(
        f"{mask.name} is registered already"
        + (", and is this very mask: there is nothing to do" if same else "")
        + (
            ""
            if same
            else ", and is another mask; give this one another --desc, such as "
            "--desc mine, or another --space"
        )
    )


def _write(own: OwnMask, path: Path | None, file: Path) -> bool:
    """Write the canonical copy; return whether it was not there before."""
    if path is None:
        return False
    if not path.name.endswith(".nii.gz"):
        raise RegistryError(f"--write {path}: the copy is gzipped NIfTI; give it a name in .nii.gz")
    if path.exists():
        if path.is_file() and path.read_bytes() == own.data:
            return False
        raise RegistryError(
            f"--write {path}: there is another file of that name; remove it, or choose another name"
        )
    publish(own.data, path)
    return True


def _try_out(
    mask: BrainMaskMetadata, own: OwnMask, registry: BrainMaskRegistry, options: Options
) -> None:
    """Make the mask from its row; where its URL may not be asked, say so."""
    if options.offline and Mirror(mask.url).is_remote:
        say(f"note: offline, {mask.name} was not tried: its URL was not asked")
        return
    try_out(mask, registry, options.no_network)


def _say_what_next(mask: BrainMaskMetadata, table: Path | None, written: Path | None) -> None:
    if written:
        say(f"wrote {written}: {mask.name} in the canonical encoding")
    x, y, z = mask.shape
    say(
        f"{mask.name}: {x}x{y}x{z} voxels of {mask.resolution_text} mm, {mask.voxels} of them 1 "
        f"({mask.volume_ml:.1f} ml); the mask was made from its row, and verified"
    )
    if table is None:
        say("append the row to a table in this folder, or run again with --table my_masks.tsv")
        return
    say(
        f"registered in {table}. To make it:\n"
        f"  snakemake --config 'extra_registries=[\"{table}\"]' -- masks/{mask.name}.nii.gz\n"
        f"  brainmasks get {mask.name} --registry {table}"
    )
