# SPDX-License-Identifier: MIT
"""Check images against published masks, and write what was found."""

import csv
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InvalidMaskError
from ..paths import StrPath
from ..registry import BrainMaskRegistry
from ..storage import publish, to_json
from .acceptance import Policy
from .batch import PublishedMask, examine_image, in_processes
from .findings import in_order
from .image_table import REJECTED
from .remedies import OntoGrid, remedies
from .twins import Fingerprint, fingerprint, twin_findings
from .verdicts import Comparison

log = logging.getLogger(__name__)

COLUMNS = (
    "id",
    "image",
    "mask",
    "accepted",
    "verdict",
    "findings",
    "displacement_mm",
    "voxels",
    "volume_ml",
    "voxels_inside",
    "voxels_outside",
    "inside_fraction",
    "hemisphere",
    "voxels_left",
    "voxels_right",
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
    min_inside: float,
    found_path: StrPath,
    workers: int = 1,
) -> None:
    """Check images against their masks, and write what was found, whatever it is.

    Parameters
    ----------
    images
        ``image``, ``mask`` and, if it is stated, ``side`` by id.
    masks
        The published masks by name.
    registry
        All registered masks, to name the grid that an image is on instead.
    min_inside
        Fraction of an image inside the mask below which it is ``mostly_outside``.
    found_path
        Where to write it (JSON), for `accept_images`.
    workers
        How many images to check at once.
    """
    listed = [(name, dict(entry)) for name, entry in images.items()]
    # Before there are other processes, which then have what takes long: scipy and the masks.
    from scipy import ndimage  # noqa: F401

    for mask in masks.values():
        mask.voxels()
    looked = in_processes(_look, listed, workers, dict(masks), registry, min_inside)
    found: dict[str, Comparison] = {}
    prints: dict[str, Fingerprint | None] = {}
    for name, (comparison, each) in zip(images, looked, strict=True):
        found[name], prints[name] = comparison, each
    for name, findings in twin_findings(prints).items():
        both = in_order([*found[name].findings, *findings])
        found[name] = replace(found[name], findings=both)
    entries = [_entry(name, images[name], each) for name, each in found.items()]
    publish(to_json(entries), found_path)


def _look(
    listed: tuple[str, Mapping[str, str]],
    masks: Mapping[str, PublishedMask],
    registry: BrainMaskRegistry,
    min_inside: float,
) -> tuple[Comparison, Fingerprint | None]:
    name, entry = listed
    examined = examine_image(name, entry, masks[entry["mask"]], registry, min_inside)
    if examined.grid is None or examined.counted is None:
        return examined.comparison, None
    return examined.comparison, fingerprint(examined.counted, examined.grid)


def read_found(path: StrPath) -> dict[str, tuple[dict[str, str], Comparison]]:
    """Return what `check_images` found: ``image`` and ``mask``, and the comparison, by id."""
    entries = json.loads(Path(path).read_text(encoding="utf-8"))
    return {
        each["id"]: (
            {"image": each["image"], "mask": each["mask"]},
            Comparison.from_dict(each),
        )
        for each in entries
    }


def accept_images(
    found_path: StrPath,
    policy: Policy,
    onto_grid: OntoGrid,
    page_path: StrPath,
    table_path: StrPath,
    details_path: StrPath,
) -> None:
    """Write the table of checked images if all of them are accepted.

    Parameters
    ----------
    found_path
        What `check_images` has written.
    policy
        What is accepted.
    onto_grid
        What else a user can do.
    page_path
        The page on which a user can look at them.
    table_path, details_path
        Where to write the table (TSV) and the details (JSON).

    Raises
    ------
    InvalidMaskError
        If an image is not accepted. Each is logged, and the whole table is left beside the
        table as ``….rejected.tsv``.
    """
    found = read_found(found_path)
    entries = [
        _entry(name, entry, each, accepted=policy.accepts(each))
        for name, (entry, each) in found.items()
    ]
    table_path = Path(table_path)
    rejected_path = table_path.with_name(f"{table_path.stem}{REJECTED}.tsv")
    rejected = [each["id"] for each in entries if not each["accepted"]]
    if rejected:
        publish(_table(entries), rejected_path)
        for name in rejected:
            entry, each = found[name]
            log.error("image %s (%s): %s", name, entry["image"], _why(policy, each))
        raise InvalidMaskError(
            f"{len(rejected)} of {len(found)} images are not accepted "
            f"({', '.join(rejected)}); open {page_path} to look at them, or see the whole table, "
            f"{rejected_path}"
            + _to_fix({name: found[name][1] for name in rejected}, policy, onto_grid)
        )
    rejected_path.unlink(missing_ok=True)
    publish(_table(entries), table_path)
    publish(to_json(entries), details_path)


def check_image(
    name: str,
    entry: Mapping[str, str],
    mask: PublishedMask,
    registry: BrainMaskRegistry,
    policy: Policy,
    onto_grid: OntoGrid,
    min_inside: float,
    details_path: StrPath,
) -> None:
    """Check one image, and write its details if it is accepted.

    Parameters
    ----------
    name, entry
        Id and row of the image.
    mask, registry, min_inside
        As for `check_images`.
    policy, onto_grid
        As for `accept_images`.
    details_path
        Where to write the details (JSON).

    Raises
    ------
    InvalidMaskError
        If it is not; the details are then left beside as ``….rejected.json``.
    """
    found = examine_image(name, entry, mask, registry, min_inside).comparison
    accepted = policy.accepts(found)
    details_path = Path(details_path)
    rejected_path = details_path.with_name(f"{name}{REJECTED}.json")
    details = to_json(_entry(name, entry, found, accepted=accepted))
    if not accepted:
        publish(details, rejected_path)
        raise InvalidMaskError(
            f"image {name} ({entry['image']}): {_why(policy, found)} "
            f"The details are in {rejected_path}" + _to_fix({name: found}, policy, onto_grid)
        )
    rejected_path.unlink(missing_ok=True)
    publish(details, details_path)


def _to_fix(rejected: Mapping[str, Comparison], policy: Policy, onto_grid: OntoGrid) -> str:
    """Return lines on what helps, if anything does beyond what is told of each image."""
    lines = [f"\n- {remedy}" for remedy in remedies(rejected, policy, onto_grid)]
    return "".join(["\nTo fix:", *lines]) if lines else ""


def _why(policy: Policy, found: Comparison) -> str:
    return " ".join(f"{code}: {detail}" for code, detail in policy.reasons(found))


def _entry(
    name: str, entry: Mapping[str, str], found: Comparison, **more: object
) -> dict[str, Any]:
    return {
        "id": name,
        "image": entry["image"],
        "mask": entry["mask"],
        **more,
        **found.as_dict(),
    }


def _table(entries: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, COLUMNS, delimiter="\t", extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    for each in entries:
        findings = each["findings"]
        row = dict(each) | {
            "findings": ",".join(finding["code"] for finding in findings) or None,
            "detail": " ".join([each["detail"], *(finding["detail"] for finding in findings)]),
        }
        writer.writerow({key: _cell(row[key]) for key in COLUMNS})
    return text.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "n/a" if value is None else value
