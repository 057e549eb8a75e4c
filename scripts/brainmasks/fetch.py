"""Bring one mask from the first of its places that has the registered bytes."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from functools import partial

from .cache import CONTENT_SHA256, SHA256, Cache, Origin, Verified
from .errors import FetchError, InvalidMaskError
from .image import content_limit, read_image, stored_voxels
from .mirrors import Mirror, local, remote
from .recode import recode
from .registry import BrainMaskMetadata
from .stream import gunzip
from .transfer import transfer, without_credentials

log = logging.getLogger(__name__)


def fetch(mask: BrainMaskMetadata, cache: Cache, mirrors: Iterable[Mirror]) -> Verified:
    """Return a mask's verified bytes: cache, local copies, registered URL, other servers.

    What did not come from the cache is kept there.

    Parameters
    ----------
    mask
        What is registered.
    cache
        Looked at first.
    mirrors
        Other places, in order.

    Raises
    ------
    FetchError
        (a FileNotFoundError) if every place fails; gives each one's own reason.
    """
    mirrors = list(mirrors)
    if found := cache.load(mask):
        log.info("mask %s: found in the cache %s", mask.name, cache.folder)
        return found
    failures = [f"cache {cache.folder}: not there"]
    for place, read in _places(mask, mirrors):
        try:
            found = read()
        except (FetchError, InvalidMaskError) as err:
            log.info("mask %s: %s: %s", mask.name, place, err)
            failures.append(f"{place}: {err}")
            continue
        log.info("mask %s: %s, verified by %s", mask.name, place, found.origin.verified_by)
        _keep(mask, cache, found)
        return found
    raise FetchError(_no_place(mask, cache, mirrors, failures))


def _places(mask: BrainMaskMetadata, mirrors: list[Mirror]) -> Iterator:
    for mirror in local(mirrors):
        yield f"local copy {mirror.location}", lambda mirror=mirror: _from_copy(mask, mirror)
    yield f"registered URL {without_credentials(mask.url)}", lambda: _from_url(mask)
    for mirror in remote(mirrors):
        place = f"mirror {without_credentials(mirror.location)}"
        yield place, lambda mirror=mirror: _from_mirror(mask, mirror)


def _from_copy(mask: BrainMaskMetadata, mirror: Mirror) -> Verified:
    path = mirror.find()
    try:
        data = path.read_bytes()
    except OSError as err:
        raise FetchError(f"{path} cannot be read: {err.strerror}") from err
    return accept(data, mask, mirror.location)


def _from_url(mask: BrainMaskMetadata) -> Verified:
    data = transfer(mask.url)
    found = _sha256(data)
    if found != mask.sha256:
        raise FetchError(f"expected SHA-256 {mask.sha256}, found {found} ({len(data)} bytes)")
    return Verified(data, Origin(without_credentials(mask.url), False, SHA256))


def _from_mirror(mask: BrainMaskMetadata, mirror: Mirror) -> Verified:
    return accept(transfer(mirror.location), mask, without_credentials(mirror.location))


def accept(data: bytes, mask: BrainMaskMetadata, location: str) -> Verified:
    """Return a copy from elsewhere if it is the mask, recoded where it is encoded differently.

    Parameters
    ----------
    data
        The copy.
    mask
        What is registered.
    location
        Where the copy comes from.

    Raises
    ------
    InvalidMaskError
        If it is not the mask.
    """
    candidates = [(data, False)]
    refusal = None
    try:
        candidates.append((recode(data, mask), True))
    except InvalidMaskError as err:
        refusal = err
    # The registered file itself, if it can be had; else the registered content.
    for verified_by, digest, registered in (
        (SHA256, _sha256, mask.sha256),
        (CONTENT_SHA256, partial(_content_sha256, mask=mask), mask.content_sha256),
    ):
        for candidate, recoded in candidates:
            if digest(candidate) == registered:
                return Verified(candidate, Origin(location, recoded, verified_by))
    raise refusal or InvalidMaskError(_difference(candidates[-1][0], mask))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _content_sha256(data: bytes, mask: BrainMaskMetadata) -> str | None:
    stream = gunzip(data, content_limit(mask.size))
    return None if stream.problem else _sha256(stream.content)


def _difference(recoded: bytes, mask: BrainMaskMetadata) -> str:
    """Say in what a binary image on the registered grid differs from the mask."""
    content = gunzip(recoded, content_limit(mask.size)).content
    found = int(stored_voxels(read_image(content)).sum(dtype=int))
    text = f"it is another mask on the same grid: {found} voxels are 1, registered {mask.voxels}"
    return text if found != mask.voxels else f"{text}, but not the same ones"


def _keep(mask: BrainMaskMetadata, cache: Cache, found: Verified) -> None:
    try:
        cache.store(mask, found)
    except OSError as err:
        log.warning(
            "mask %s is not kept in the cache %s: %s; set `cache_dir` to a folder that you can "
            "write",
            mask.name,
            cache.folder,
            err.strerror,
        )


def _no_place(
    mask: BrainMaskMetadata, cache: Cache, mirrors: list[Mirror], failures: list[str]
) -> str:
    remedies = list(dict.fromkeys(mirror.remedy for mirror in mirrors if mirror.remedy))
    remedies.append(f"put the file with SHA-256 {mask.sha256} at {cache.path(mask)}")
    return (
        f"mask {mask.name} could be had from none of its {len(failures)} places: "
        + "; ".join(f"({n}) {failure}" for n, failure in enumerate(failures, start=1))
        + f". What would help: {', or '.join(remedies)}"
    )
