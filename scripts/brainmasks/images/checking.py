# SPDX-License-Identifier: MIT
"""Check images against published masks, and write what was found."""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidMaskError
from ..paths import StrPath
from ..registry import BrainMaskRegistry
from ..storage import publish, to_json
from .batch import PublishedMask, examine_image, in_processes
from .image_table import REJECTED

log = logging.getLogger(__name__)

COLUMNS = (
    "id",
    "image",
    "mask",
    "verdict",
    "displacement_mm",
    "voxels",
    "volume_ml",
    "voxels_inside",
    "voxels_outside",
    "hemisphere",
    "components",
    "largest_component",
    "binary",
    "equals_mask",
    "detail",
)


def check_images(
    images: Mapping[str, Mapping[str, str]],
    masks: Mapping[str, PublishedMask],
    registry: BrainMaskRegistry,
    accept: Sequence[str],
    table_path: StrPath,
    details_path: StrPath,
    workers: int = 1,
) -> None:
    """Check images against their masks, and write a table of them if all are accepted.

    Parameters
    ----------
    images
        ``image`` and ``mask`` by id.
    masks
        The published masks by name.
    registry
        All registered masks, to name the grid that an image is on instead.
    accept
        Verdicts that are accepted.
    table_path, details_path
        Where to write the table (TSV) and the details (JSON).
    workers
        How many images to check at once.

    Raises
    ------
    InvalidMaskError
        If an image is not accepted. Each is logged, and the whole table is left beside the
        table as ``….rejected.tsv``.
    """
    listed = [(name, dict(entry)) for name, entry in images.items()]
    found = in_processes(_check_listed, listed, workers, dict(masks), registry)
    table_path = Path(table_path)
    rejected_path = table_path.with_name(f"{table_path.stem}{REJECTED}.tsv")
    rejected = [each for each in found if each["verdict"] not in accept]
    if rejected:
        publish(_table(found), rejected_path)
        for each in rejected:
            log.error(
                "image %s (%s): %s: %s", *(each[k] for k in ("id", "image", "verdict", "detail"))
            )
        raise InvalidMaskError(
            f"{len(rejected)} of {len(found)} images are not accepted "
            f"({', '.join(each['id'] for each in rejected)}); the whole table is {rejected_path}"
        )
    rejected_path.unlink(missing_ok=True)
    publish(_table(found), table_path)
    publish(to_json(found), details_path)


def check_image(
    name: str,
    entry: Mapping[str, str],
    mask: PublishedMask,
    registry: BrainMaskRegistry,
    accept: Sequence[str],
    details_path: StrPath,
) -> None:
    """Check one image, and write its details if it is accepted.

    Raises
    ------
    InvalidMaskError
        If it is not; the details are then left beside as ``….rejected.json``.
    """
    found = _check(name, entry, mask, registry)
    details_path = Path(details_path)
    rejected_path = details_path.with_name(f"{name}{REJECTED}.json")
    if found["verdict"] not in accept:
        publish(to_json(found), rejected_path)
        raise InvalidMaskError(
            f"image {name} ({entry['image']}): {found['verdict']}: {found['detail']}. "
            f"The details are in {rejected_path}"
        )
    rejected_path.unlink(missing_ok=True)
    publish(to_json(found), details_path)


def _check_listed(
    listed: tuple[str, Mapping[str, str]],
    masks: Mapping[str, PublishedMask],
    registry: BrainMaskRegistry,
) -> dict[str, Any]:
    name, entry = listed
    return _check(name, entry, masks[entry["mask"]], registry)


def _check(
    name: str, entry: Mapping[str, str], mask: PublishedMask, registry: BrainMaskRegistry
) -> dict[str, Any]:
    found = examine_image(entry["image"], mask, registry).comparison
    return {"id": name, "image": entry["image"], "mask": entry["mask"], **found.as_dict()}


def _table(found: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, COLUMNS, delimiter="\t", extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    for each in found:
        writer.writerow({key: "n/a" if each.get(key) is None else each[key] for key in COLUMNS})
    return text.getvalue().encode()
