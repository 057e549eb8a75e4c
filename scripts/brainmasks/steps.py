"""The three steps of a mask in a working folder: download, checksum, validate."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from .cache import CONTENT_SHA256, SHA256, Origin
from .checks import require_valid
from .errors import InvalidMaskError
from .fetch import Ways, fetch
from .files import is_there, read_bounded
from .image import content_limit
from .names import split_name
from .publish import publish
from .registry import BrainMaskMetadata
from .sidecar import sidecar
from .stream import gunzip

log = logging.getLogger(__name__)


def download(
    asked: str,
    row: Mapping[str, str],
    ways: Ways,
    mask_path,
    origin_path,
) -> None:
    """Bring a mask into the working folder.

    Parameters
    ----------
    asked
        Name of the mask that was asked for.
    row
        Cells of the registry.
    ways
        How the mask may be had.
    mask_path, origin_path
        Where to put the mask and the note of where it came from.

    Raises
    ------
    FetchError
        If no place has the mask.
    """
    mask = BrainMaskMetadata.from_row(row)
    if asked != mask.name:
        log.warning("mask %s: %s is served under this name", asked, mask.name)
    found = fetch(mask, ways)
    publish(found.data, mask_path)
    publish(json.dumps(asdict(found.origin), indent=2).encode(), origin_path)


def checksum(row: Mapping[str, str], mask_path, origin_path, checksum_path) -> None:
    """Verify the file in the working folder and write its checksum as sha256sum does.

    Raises
    ------
    InvalidMaskError
        If it has another hash than registered.
    """
    mask = BrainMaskMetadata.from_row(row)
    data = Path(mask_path).read_bytes()
    kind, found, expected = _hashes(mask, data, _read_origin(origin_path).verified_by)
    if found != expected:
        raise InvalidMaskError(
            f"mask {mask.name}: {mask_path} has {kind} {found}, expected {expected}; "
            "delete it to have it fetched again"
        )
    log.info("mask %s: %s has the registered %s", mask.name, mask_path, kind)
    publish(f"{hashlib.sha256(data).hexdigest()}  {mask_path}\n".encode(), checksum_path)


def validate(
    asked: str, row: Mapping[str, str], mask_path, origin_path, published_path, sidecar_path
) -> None:
    """Publish a mask and its sidecar if the mask passes every check.

    Raises
    ------
    InvalidMaskError
        If it does not; names every problem.
    """
    mask = BrainMaskMetadata.from_row(row)
    data = Path(mask_path).read_bytes()
    outcome = require_valid(data, mask, mask_path)
    log.info("mask %s: %d checks passed", mask.name, len(outcome))
    asked_space, _ = split_name(asked)
    log.info("space asked for: %s; space served: %s", asked_space, mask.space)
    origin = _read_origin(origin_path)
    publish(sidecar(asked_space, mask, origin, data, outcome), sidecar_path)
    publish(data, published_path)


def fetched_damage(row: Mapping[str, str], mask_path, origin_path) -> str | None:
    """Say in what the file in the working folder is not the registered mask; None if it is.

    Parameters
    ----------
    row
        Cells of the registry.
    mask_path, origin_path
        Where `download` puts the mask and the note of its origin; neither need be there.
    """
    if not is_there(mask_path):
        return None
    try:
        verified_by = _read_origin(origin_path).verified_by
    except InvalidMaskError as err:
        return str(err)
    return _damage(row, mask_path, verified_by)


def published_damage(row: Mapping[str, str], mask_path, sidecar_path) -> str | None:
    """Say in what a published mask is not the registered one; None if it is, or is not there.

    Parameters
    ----------
    row
        Cells of the registry.
    mask_path, sidecar_path
        Where a mask and its sidecar are published; neither need be there.
    """
    try:
        described = json.loads(Path(sidecar_path).read_text(encoding="utf-8"))
        verified_by = described["VerifiedBy"]
        states = [described[key] for key in ("RegisteredSHA256", "ContentSHA256", "Voxels")]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{mask_path} has no sidecar that describes it" if is_there(mask_path) else None
    if damage := _damage(row, mask_path, verified_by):
        return damage
    if is_there(mask_path) and states != [row["sha256"], row["content_sha256"], int(row["voxels"])]:
        return f"{sidecar_path} does not say what is registered"
    return None


def _damage(row: Mapping[str, str], path, verified_by: str) -> str | None:
    if not is_there(path):
        return None
    mask = BrainMaskMetadata.from_row(row)
    try:
        data = read_bounded(path, content_limit(mask.size))
    except OSError as err:
        return f"{path} is unusable ({err.strerror})"
    kind, found, expected = _hashes(mask, data, verified_by)
    return None if found == expected else f"{path} has {kind} {found}, registered is {expected}"


def _hashes(mask: BrainMaskMetadata, data: bytes, verified_by: str) -> tuple[str, str, str]:
    """Return which hash counts, the one found, and the one registered."""
    if verified_by == CONTENT_SHA256:
        stream = gunzip(data, content_limit(mask.size))
        found = stream.problem or hashlib.sha256(stream.content).hexdigest()
        return CONTENT_SHA256, found, mask.content_sha256
    return SHA256, hashlib.sha256(data).hexdigest(), mask.sha256


def _read_origin(path) -> Origin:
    try:
        return Origin.from_note(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidMaskError(
            f"{path} is no note of a mask's origin; delete it to have the mask fetched again"
        ) from err
