# SPDX-License-Identifier: MIT
"""The images of the configuration: which is checked against which mask, and under which id."""

import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import RegistryError, UnknownMaskError
from ..paths import StrPath
from ..registry import (
    BrainMaskRegistry,
    Schema,
    listed_rows,
    read_schema,
    read_table,
    user_path,
)
from .claims import bare_name

# Names of files of the whole batch: table, details and page, what was found, the log of the
# acceptance; and of the page of masks, beside which the views of images are.
RESERVED = ("images", "images.found", "images.accepted", "masks")
# What is left of an image that is not accepted.
REJECTED = ".rejected"
# In the path of an image: it stands for the id of each file that there is.
PLACE = "{id}"


def read_images(
    images: str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    schema: StrPath,
    registry: BrainMaskRegistry,
) -> dict[str, dict[str, str]]:
    """Read the images of the configuration.

    Parameters
    ----------
    images
        The path of a table, or its rows: one, or a list of them. An ``image`` with ``{id}`` in its
        path stands for all files of such names.
    schema
        Path of the JSON schema of a row.
    registry
        Every mask that is named must be served by it.

    Returns
    -------
    dict
        ``image``, ``mask`` and, if it is stated, ``side`` of each image by its id.

    Raises
    ------
    RegistryError
        If a row is wrong, a pattern matches nothing, two images have one id, or an id is the name
        of a mask.
    UnknownMaskError
        If a mask is not registered.
    """
    found: dict[str, dict[str, str]] = {}
    places: dict[str, str] = {}
    for where, row in _rows(images, read_schema(schema)):
        try:
            registry.serve(row["mask"])
        except UnknownMaskError as err:
            raise UnknownMaskError(f"{where}, column 'mask': {err}") from None
        for name, path in _files(where, row):
            _check_id(f"{where} ({path})", name, registry)
            if name in found:
                raise RegistryError(
                    f"{where}: '{name}' is the id of two images, the other one in {places[name]}; "
                    "give one of them another `id`"
                )
            found[name] = {"image": path, "mask": row["mask"]}
            if row.get("side"):
                found[name]["side"] = row["side"]
            places[name] = where
    return found


def _rows(
    images: str | Mapping[str, Any] | Sequence[Mapping[str, Any]], schema: Schema
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each row with where it stands."""
    if isinstance(images, str):
        path = user_path(images)
        for line, row in read_table(path, schema):
            yield f"{path}, line {line}", row
        return
    yield from listed_rows("images", [images] if isinstance(images, Mapping) else images, schema)


def _files(where: str, row: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Return id and path of each file that a row stands for."""
    path = row["image"]
    if PLACE not in path:
        return [(row.get("id") or bare_name(path), path)]
    if row.get("id"):
        raise RegistryError(
            f"{where}: '{path}' has {PLACE} in it, and so no `id` of its own; leave one of the two"
        )
    first, *rest = (re.escape(part) for part in path.split(PLACE))
    form = re.compile(first + r"(?P<id>[^/.][^/]*)" + r"(?P=id)".join(rest))
    # Path.glob takes no absolute path.
    candidates = glob.glob(  # noqa: PTH207
        "*".join(glob.escape(part) for part in path.split(PLACE))
    )
    matches = [match for each in sorted(candidates) if (match := form.fullmatch(each))]
    if not matches:
        raise RegistryError(f"{where}: no file has a name like '{path}'")
    return [(match["id"], match.string) for match in matches]


def _check_id(where: str, name: str, registry: BrainMaskRegistry) -> None:
    if (
        name in RESERVED
        or name.endswith(REJECTED)
        or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", name)
    ):
        raise RegistryError(
            f"{where}: '{name}' cannot be the name of files; give the image another `id`, or its "
            f"file another name (to list many files at once, write {PLACE} for what differs)"
        )
    if registry.serves(name):
        raise RegistryError(
            f"{where}: '{name}' is the name of a mask, and {name}.png its picture; give the image "
            "another `id`, or its file another name"
        )
