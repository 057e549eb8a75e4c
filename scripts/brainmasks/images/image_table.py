# SPDX-License-Identifier: MIT
"""The table of images: which image is checked against which mask, and under which id."""

import re
from pathlib import Path

from ..errors import RegistryError, UnknownMaskError
from ..paths import StrPath
from ..registry import BrainMaskRegistry, read_schema, read_table

# The table and the details of the whole batch have this name.
RESERVED = "images"
# What is left of an image that is not accepted.
REJECTED = ".rejected"
_ENDINGS = re.compile(r"\.(nii|nii\.gz|img|img\.gz|hdr|mgz|mgh)$", re.IGNORECASE)


def read_images(
    path: StrPath, schema: StrPath, registry: BrainMaskRegistry
) -> dict[str, dict[str, str]]:
    """Read a table of images.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.
    registry
        Every mask that is named must be served by it.

    Returns
    -------
    dict
        ``image`` and ``mask`` of each image by its id.

    Raises
    ------
    RegistryError
        If a row is wrong, two images have one id, or an id is the name of a mask.
    UnknownMaskError
        If a mask is not registered.
    """

    def is_served(name: str) -> bool:
        try:
            registry.serve(name)
        except UnknownMaskError:
            return False
        return True

    images: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    for line, row in read_table(path, read_schema(schema)):
        name = row.get("id") or _ENDINGS.sub("", Path(row["image"]).name)
        if (
            name == RESERVED
            or name.endswith(REJECTED)
            or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", name)
        ):
            raise RegistryError(
                f"{path}, line {line}: '{name}' cannot be the name of files; give the image "
                "another `id`"
            )
        if is_served(name):
            raise RegistryError(
                f"{path}, line {line}: '{name}' is the name of a mask, and qc/{name}.png its "
                "picture; give the image another `id`"
            )
        if name in images:
            raise RegistryError(
                f"{path}: '{name}' is the id of two images, in lines {lines[name]} and {line}; "
                "give one of them another `id`"
            )
        try:
            registry.serve(row["mask"])
        except UnknownMaskError as err:
            raise UnknownMaskError(f"{path}, line {line}, column 'mask': {err}") from None
        images[name] = {"image": row["image"], "mask": row["mask"]}
        lines[name] = line
    return images
