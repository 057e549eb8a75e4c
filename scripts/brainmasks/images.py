"""Images that meet a mask: check many at once, and bring one onto the mask's grid."""

import csv
import hashlib
import io
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .batch import examine_image, in_processes, registry_of
from .compare import compare_to_mask
from .errors import InvalidMaskError, RegistryError, UnknownMaskError
from .image import as_nii_gz
from .opened import Unreadable, open_image, require_whole
from .publish import publish
from .registry import BrainMaskMetadata, BrainMaskRegistry
from .sidecar import generated_by
from .tables import read_schema, read_table
from .verdicts import (
    NOT_AN_IMAGE,
    OBLIQUE,
    OTHER_RESOLUTION,
    REORIENTED,
    SAME_GRID,
    SHIFTED,
    UNKNOWN_GRID,
    found_to_be,
)

log = logging.getLogger(__name__)

# Raise it when checks of images or the way onto a grid change: both are then done anew.
IMAGES_VERSION = 2

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
# The table and the details of the whole batch have this name.
RESERVED = "images"
# What is left of an image that is not accepted.
REJECTED = ".rejected"
_ENDINGS = re.compile(r"\.(nii|nii\.gz|img|img\.gz|hdr|mgz|mgh)$", re.IGNORECASE)

REORDERED = "axes reordered"
UNCHANGED = "unchanged"
RESAMPLED = "nearest neighbour"

# What is in the same world elsewhere.
RESAMPLABLE = (
    SHIFTED,
    OTHER_RESOLUTION,
    OBLIQUE,
    UNKNOWN_GRID,
)


def read_images(path, schema, registry: BrainMaskRegistry) -> dict[str, dict[str, str]]:
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


def check_images(
    images: Mapping[str, Mapping[str, str]],
    masks: Mapping[str, Mapping],
    registered: Sequence[Mapping[str, str]],
    accept: Sequence[str],
    table_path,
    details_path,
    workers: int = 1,
) -> None:
    """Check images against their masks, and write a table of them if all are accepted.

    Parameters
    ----------
    images
        ``image`` and ``mask`` by id.
    masks
        For each mask ``path`` of the published file and ``row`` of the registry.
    registered
        Rows of all registered masks, to name the grid that an image is on instead.
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
    tasks = [
        (name, dict(entry), masks[entry["mask"]], registered) for name, entry in images.items()
    ]
    found = in_processes(_check, tasks, workers)
    table_path = Path(table_path)
    rejected_path = table_path.with_name(f"{table_path.stem}{REJECTED}.tsv")
    offenders = [each for each in found if each["verdict"] not in accept]
    if offenders:
        publish(_table(found), rejected_path)
        for each in offenders:
            log.error(
                "image %s (%s): %s: %s", *(each[k] for k in ("id", "image", "verdict", "detail"))
            )
        raise InvalidMaskError(
            f"{len(offenders)} of {len(found)} images are not accepted "
            f"({', '.join(each['id'] for each in offenders)}); the whole table is {rejected_path}"
        )
    rejected_path.unlink(missing_ok=True)
    publish(_table(found), table_path)
    publish(_json(found), details_path)


def check_image(
    name: str,
    entry: Mapping[str, str],
    mask: Mapping,
    registered: Sequence[Mapping[str, str]],
    accept: Sequence[str],
    details_path,
) -> None:
    """Check one image, and write its details if it is accepted.

    Raises
    ------
    InvalidMaskError
        If it is not; the details are then left beside as ``….rejected.json``.
    """
    found = _check(name, entry, mask, registered)
    details_path = Path(details_path)
    rejected_path = details_path.with_name(f"{name}{REJECTED}.json")
    if found["verdict"] not in accept:
        publish(_json(found), rejected_path)
        raise InvalidMaskError(
            f"image {name} ({entry['image']}): {found['verdict']}: {found['detail']}. "
            f"The details are in {rejected_path}"
        )
    rejected_path.unlink(missing_ok=True)
    publish(_json(found), details_path)


def align(
    image_path,
    row: Mapping[str, str],
    registered: Sequence[Mapping[str, str]],
    resample: str | None,
    aligned_path,
    sidecar_path,
) -> None:
    """Write an image on a mask's grid: by reordering axes, or by resampling if that is asked for.

    Parameters
    ----------
    image_path
        The image.
    row
        Cells of the registry for the mask.
    registered
        Rows of all registered masks.
    resample
        ``"nearest"``, or None to do nothing that is not lossless.
    aligned_path, sidecar_path
        Where to write the image and the note of what was done.

    Raises
    ------
    InvalidMaskError
        If the image is damaged, or cannot be brought there without a change of space or a guess.
    """
    import nibabel as nib

    mask = BrainMaskMetadata.from_row(row)
    found = compare_to_mask(
        image_path,
        mask,
        registry=registry_of(registered),
        voxels=False,
    )
    if found.verdict in (*SAME_GRID, *RESAMPLABLE):
        _require_readable(image_path)
    if found.verdict in SAME_GRID:
        method = UNCHANGED if found.verdict != REORIENTED else REORDERED
        image = nib.as_closest_canonical(nib.load(image_path))
    elif resample == "nearest" and found.verdict in RESAMPLABLE:
        method = RESAMPLED
        image = _resampled(nib.load(image_path), mask)
    else:
        remedy = ""
        if found.verdict in RESAMPLABLE:
            remedy = ". Or set `resample: nearest` in the configuration"
        raise InvalidMaskError(
            f"image {image_path} is not brought onto the grid of {mask.name}: "
            f"{found.verdict}: {found.detail}{remedy}"
        )
    publish(_encoded(image, mask), aligned_path)
    note = {
        "Sources": [str(image_path)],
        "SourceSHA256": hashlib.sha256(Path(image_path).read_bytes()).hexdigest(),
        "SpatialReference": mask.space,
        "Resolution": f"{mask.resolution:g} mm isotropic",
        "Mask": mask.name,
        "Verdict": found.verdict,
        "DisplacementMM": found.displacement_mm,
        "Method": method,
        "Lossless": method != RESAMPLED,
        "GeneratedBy": generated_by(),
    }
    publish(_json(note), sidecar_path)


def _require_readable(path) -> None:
    try:
        require_whole(open_image(path))
    except Unreadable as err:
        found = found_to_be(NOT_AN_IMAGE, why=err)
        raise InvalidMaskError(f"image {path}: {found.verdict}: {found.detail}") from err


def _resampled(image, mask: BrainMaskMetadata):
    import numpy as np
    from nibabel.processing import resample_from_to

    stored = image.get_data_dtype()
    resampled = resample_from_to(image, (mask.shape, mask.affine), order=0)
    if stored.kind in "iu" and image.dataobj.slope == 1 and image.dataobj.inter == 0:
        # Nearest neighbour makes no new values, so integers stay what they were.
        data = np.rint(resampled.get_fdata()).astype(stored)
        return type(resampled)(data, resampled.affine, resampled.header)
    return resampled


def _encoded(image, mask: BrainMaskMetadata) -> bytes:
    """Return a .nii.gz of an image's voxels on exactly the mask's grid."""
    import nibabel as nib
    import numpy as np

    voxels = np.asanyarray(image.dataobj)
    aligned = nib.Nifti1Image(voxels, mask.affine, dtype=voxels.dtype)
    aligned.header.set_xyzt_units("mm")
    return as_nii_gz(aligned)


def _check(
    name: str, entry: Mapping[str, str], mask: Mapping, registered: Sequence[Mapping]
) -> dict:
    found = examine_image(entry["image"], mask, registered).comparison
    return {"id": name, "image": entry["image"], "mask": entry["mask"], **found.as_dict()}


def _table(found: Sequence[Mapping]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(
        text, COLUMNS, delimiter="\t", extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    for each in found:
        writer.writerow({key: "n/a" if each.get(key) is None else each[key] for key in COLUMNS})
    return text.getvalue().encode()


def _json(content) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
