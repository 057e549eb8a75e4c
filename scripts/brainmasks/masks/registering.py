# SPDX-License-Identifier: MIT
"""A mask of one's own in a table: what its owner should know, the row, whether it can be made."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

from ..errors import InvalidMaskError, MaskError, RegistryError
from ..nifti import (
    LARGEST_FILE,
    flipped_along,
    is_registered,
    lookalike_in_words,
    md5,
    recodings,
)
from ..paths import StrPath
from ..registry import (
    BRAIN,
    BrainMaskMetadata,
    BrainMaskRegistry,
    new_table,
    own_row,
    read_registry,
    shipped_tables,
    with_row,
)
from ..storage import alone_in, gunzip_whole, publish
from .load import load_brain_mask
from .own_mask import OwnMask


def remarks(own: OwnMask, registry: BrainMaskRegistry) -> Iterator[str]:
    """Yield what its owner should know of a mask that can be registered all the same.

    Parameters
    ----------
    own
        The mask.
    registry
        The masks to compare it with.
    """
    digest = md5(own.original)

    def same_grid(mask: BrainMaskMetadata, known: BrainMaskMetadata) -> bool:
        return (mask.shape, mask.zooms, mask.origin) == (known.shape, known.zooms, known.origin)

    def contents(known: BrainMaskMetadata) -> Iterator[str]:
        """Yield the SHA-256 of what the registered file may be, if this is the mask."""
        if (known.shape, known.voxels) != (own.mask.shape, own.mask.voxels):
            return
        # The original, too: some masks are registered with the affine that their file states.
        for copy in (own.data, own.original):
            with suppress(InvalidMaskError):
                for each in recodings(copy, known):
                    yield hashlib.sha256(gunzip_whole(each, LARGEST_FILE)).hexdigest()

    for known in registry.list():
        if known.md5 and known.md5 == digest:
            yield f"this very file is {known.name}, registered already"
        if not known.is_complete:
            continue
        if known.content_sha256 in contents(known):
            yield f"this is {known.name}, registered already: you need no mask of your own for it"
        elif is_registered(own.voxels, known):
            yield (
                f"its voxels are those of {known.name}, but it lies elsewhere: its origin is "
                f"{_place(own.mask)} mm, and that of {known.name} {_place(known)}"
            )
        elif axes := flipped_along(own.voxels, known):
            swapped = ": left and right are swapped" if "x" in axes else ""
            yield f"it is {known.name} flipped along {axes}{swapped}; correct its header first"
        elif known.desc == BRAIN and same_grid(own.mask, known):
            words = lookalike_in_words(own.voxels, known)
            # What is registered is told by the name that it has here.
            if words and ", registered as " not in words:
                yield f"{words}, and not {known.name}"
    if own.voxels.all():
        yield "each of its voxels is 1: nothing is masked"
    elif all(own.voxels[corner] for corner in product((0, -1), repeat=3)):
        yield "all eight corners of its grid are 1: is it inverted, 0 inside the brain?"


def _place(mask: BrainMaskMetadata) -> str:
    return ", ".join(f"{mm:g}" for mm in mask.origin or ())


def try_out(
    mask: BrainMaskMetadata, registry: BrainMaskRegistry, offline: bool | None = None
) -> None:
    """Make a mask from its row as anybody will: fetched from its URL, verified, validated.

    Parameters
    ----------
    mask
        What the row states.
    registry
        Holds the row.
    offline
        Whether to do without network; without it, what ``BRAINMASKS_OFFLINE`` says.

    Raises
    ------
    MaskError
        If that fails.
    """
    with tempfile.TemporaryDirectory() as cache:
        try:
            load_brain_mask(
                mask.space,
                mask.resolution,
                desc=mask.desc,
                registry=registry,
                cache_dir=cache,
                offline=offline,
            )
        except MaskError as err:
            raise type(err)(
                f"the row of {mask.name} was tried, and the mask cannot be made from it: {err}"
            ) from err


@contextmanager
def register_in(
    table: StrPath, mask: BrainMaskMetadata, others: "list[Path] | tuple[Path, ...]" = ()
) -> Iterator[BrainMaskRegistry]:
    """Append a row to a table, yield the registry with it, and take it back if that is refused.

    Parameters
    ----------
    table
        The table; made with its header if it is not there.
    mask
        What to register; complete, with the URL from which it can be made.
    others
        Tables beside the shipped ones, in which it must not stand either.

    Raises
    ------
    RegistryError
        If a cell is wrong, or the mask is registered already.
    """
    table = Path(table)
    row = own_row(mask, f"{table}, the new row")
    if not table.parent.is_dir():
        raise RegistryError(f"{table} cannot be written: there is no folder {table.parent}")
    # A link stays one; where paths in the table start is the folder in which it was named.
    file = table.resolve()
    others = [other for other in others if other.resolve() != file]
    with alone_in(file.parent):
        try:
            before = file.read_bytes()
        except FileNotFoundError:
            before = b""
        except OSError as err:
            raise RegistryError(f"{table} cannot be read as a table (TSV): {err.strerror}") from err
        # First, so that a table that cannot be read is named as it is.
        known = read_registry([*shipped_tables(), *others, *([table] if before else [])])
        known.register(mask)
        mode = file.stat().st_mode if before else None
        written = with_row(before, row) if before else new_table(row)
        publish(written, file)
        if mode is not None:
            file.chmod(mode)
        try:
            yield read_registry([*shipped_tables(), *others, table])
        except BaseException:
            # Unless somebody has edited it meanwhile.
            if file.read_bytes() == written:
                if mode is not None:
                    publish(before, file)
                    file.chmod(mode)
                else:
                    file.unlink(missing_ok=True)
            raise
