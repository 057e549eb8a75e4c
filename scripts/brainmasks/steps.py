"""The three steps of a mask in a working folder: download, checksum, validate."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from .cache import CONTENT_SHA256, SHA256, Cache, Origin
from .checks import require_valid
from .errors import InvalidMaskError
from .fetch import fetch
from .image import content_limit
from .mirrors import Mirror
from .names import split_name
from .publish import publish
from .registry import BrainMaskMetadata
from .sidecar import sidecar
from .stream import gunzip

log = logging.getLogger(__name__)


def download(
    asked: str,
    row: Mapping[str, str],
    cache_dir,
    mirrors: Iterable[str],
    published: Iterable,
    mask_path,
    origin_path,
) -> None:
    """Bring a mask into the working folder, and retire what no longer is that mask.

    Parameters
    ----------
    asked
        Name of the mask that was asked for.
    row
        Cells of the registry.
    cache_dir
        Folder of the cache.
    mirrors
        Other places, in order.
    published
        Files that an earlier run published under this name, the mask first; they are removed if
        the mask is not what is registered now, so that a failure leaves nothing wrong behind.
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
    _retire(mask, [Path(path) for path in published])
    found = fetch(mask, Cache(cache_dir), [Mirror(location) for location in mirrors])
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
    found = hashlib.sha256(data).hexdigest()
    kind, actual, expected = SHA256, found, mask.sha256
    if _read_origin(origin_path).verified_by == CONTENT_SHA256:
        content = gunzip(data, content_limit(mask.size)).content
        kind, actual = CONTENT_SHA256, hashlib.sha256(content).hexdigest()
        expected = mask.content_sha256
    if actual != expected:
        raise InvalidMaskError(
            f"mask {mask.name}: {mask_path} has {kind} {actual}, expected {expected}; "
            "delete it to have it fetched again"
        )
    log.info("mask %s: %s has the registered %s", mask.name, mask_path, kind)
    publish(f"{found}  {mask_path}\n".encode(), checksum_path)


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


def published_damage(mask_path, sidecar_path) -> str | None:
    """Say in what a published mask is not what its sidecar describes; None if there is none.

    Parameters
    ----------
    mask_path, sidecar_path
        Where a mask and its sidecar are published; neither need be there.
    """
    try:
        found = hashlib.sha256(Path(mask_path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as err:
        return f"{mask_path} cannot be read ({err.strerror})"
    try:
        expected = json.loads(Path(sidecar_path).read_text(encoding="utf-8"))["SHA256"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"{mask_path} has no sidecar that describes it"
    if found != expected:
        return f"{mask_path} has SHA-256 {found}, but was published with {expected}"
    return None


def _read_origin(path) -> Origin:
    return Origin(**json.loads(Path(path).read_text(encoding="utf-8")))


def _retire(mask: BrainMaskMetadata, published: list[Path]) -> None:
    if not published[0].exists():
        return
    found = hashlib.sha256(published[0].read_bytes()).hexdigest()
    if found != mask.sha256:
        log.warning(
            "mask %s: %s has SHA-256 %s, registered is %s; it is removed",
            mask.name,
            published[0],
            found,
            mask.sha256,
        )
        for path in published:
            path.unlink(missing_ok=True)
