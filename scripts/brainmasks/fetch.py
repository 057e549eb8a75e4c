"""Bring one mask from the first of its places that has the registered bytes."""

import hashlib
import logging
import shlex
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType

from .arrived import describe
from .cache import CONTENT_SHA256, SHA256, Cache, Origin, Verified
from .errors import FetchError, InvalidMaskError, MaskError
from .files import read_bounded
from .image import content_limit
from .lock import polite_delay, single_flight
from .mirrors import Mirror, local, remote
from .recode import recode
from .registry import BrainMaskMetadata
from .stream import gunzip
from .transfer import DEFAULT_LIMITS, Limits, transfer
from .urls import without_credentials

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ways:
    """How masks may be had.

    Attributes
    ----------
    cache : Cache
        Looked at first; what comes from elsewhere is kept there.
    mirrors : sequence of Mirror
        Other places, in order.
    offline : bool
        Whether to do without network: no socket is opened.
    registered : mapping
        Name of each registered mask by SHA-256 of its file and of its content, to name what
        arrived instead of the right file.
    limits : Limits
        How long to wait for servers, and for other runs.
    """

    cache: Cache
    mirrors: Sequence[Mirror] = ()
    offline: bool = False
    registered: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def from_settings(
        cls,
        cache_dir: str,
        site_caches: Sequence[str],
        mirrors: Sequence[str],
        offline: bool,
        registered: Mapping[str, str],
    ) -> "Ways":
        """Return the ways that plain values describe, as a workflow hands them to a job."""
        cache = Cache(cache_dir, site_caches)
        return cls(cache, [Mirror(location) for location in mirrors], offline, registered)


def fetch(mask: BrainMaskMetadata, ways: Ways) -> Verified:
    """Return a mask's verified bytes: cache, local copies, registered URL, other servers.

    What did not come from the cache is kept there, if it can be written.

    Parameters
    ----------
    mask
        What is registered.
    ways
        How it may be had.

    Raises
    ------
    FetchError
        (a FileNotFoundError) if every place fails; gives each one's own reason.
    """
    lock = ways.cache.folder / f".{mask.name}.lock"
    if hit := _cached(mask, ways.cache):
        path, found = hit
        if path.parent == ways.cache.folder:
            # A killed run may have left it; and who still holds it has nothing more to fetch.
            with suppress(OSError):
                lock.unlink(missing_ok=True)
        return found
    if ways.offline:
        return _bring(mask, ways, alone=True)
    # Of many runs that miss at once, one fetches; the others then find it in the cache.
    arrived = partial(ways.cache.has, mask)
    with single_flight(lock, arrived, ways.limits.patience) as alone:
        return _arrived(mask, ways.cache) or _bring(mask, ways, alone)


def _arrived(mask: BrainMaskMetadata, cache: Cache) -> Verified | None:
    """Return what another run may have brought; what is damaged has been told of before."""
    if cache.has(mask) and (hit := _cached(mask, cache)):
        return hit[1]
    return None


def _cached(mask: BrainMaskMetadata, cache: Cache) -> tuple[Path, Verified] | None:
    if hit := cache.load(mask):
        log.info("mask %s: found in the cache, %s", mask.name, hit[0])
    return hit


def _bring(mask: BrainMaskMetadata, ways: Ways, alone: bool) -> Verified:
    failures = [f"cache {folder}: not there" for folder in ways.cache.places()]
    for place in places(mask, ways):
        if place.is_server and not alone:
            if found := _after_others(mask, ways):
                return found
            alone = True
        try:
            found = place.read()
        except (MaskError, OSError) as err:
            log.info("mask %s: %s: %s", mask.name, place.name, err)
            failures.append(f"{place.name}: {err}")
            continue
        log.info("mask %s: %s, verified by %s", mask.name, place.name, found.origin.verified_by)
        _keep(mask, ways.cache, found)
        return found
    raise FetchError(_no_place(mask, ways, failures))


def _after_others(mask: BrainMaskMetadata, ways: Ways) -> Verified | None:
    """Let others go first for a moment, and return what they may have brought."""
    delay = polite_delay(ways.limits.spread)
    log.info("mask %s: without a lock, %.1f s until a server is asked", mask.name, delay)
    time.sleep(delay)
    return _arrived(mask, ways.cache)


@dataclass(frozen=True)
class Place:
    """A place beyond the cache.

    Attributes
    ----------
    name : str
        What to call it.
    read : callable
        Returns the mask from there, verified, or raises.
    is_server : bool
        Whether others than this machine do the work.
    """

    name: str
    read: Callable[[], Verified]
    is_server: bool = True


def places(mask: BrainMaskMetadata, ways: Ways) -> Iterator[Place]:
    """Yield the places beyond the cache in their order."""
    for mirror in local(ways.mirrors):
        read = partial(_from_copy, mask, mirror, ways)
        yield Place(f"local copy {mirror.location}", read, is_server=False)
    url = without_credentials(mask.url)
    yield Place(f"registered URL {url}", partial(_from_url, mask, ways))
    for mirror in remote(ways.mirrors):
        location = without_credentials(mirror.location)
        yield Place(f"mirror {location}", partial(_from_mirror, mask, mirror, ways))


def _from_copy(mask: BrainMaskMetadata, mirror: Mirror, ways: Ways) -> Verified:
    path = mirror.find()
    try:
        data = read_bounded(path, content_limit(mask.size))
    except OSError as err:
        raise FetchError(f"{path} cannot be read: {err.strerror}") from err
    return accept(data, mask, mirror.location, ways.registered)


def _from_url(mask: BrainMaskMetadata, ways: Ways) -> Verified:
    data, encoding = _transfer(mask.url, ways, mask.bytes, mask.bytes)
    if _sha256(data) != mask.sha256 and encoding:
        data = _decoded(data, encoding, mask.bytes)
    if _sha256(data) != mask.sha256:
        raise InvalidMaskError(_mismatch(data, mask, ways.registered, mask.bytes))
    return Verified(data, Origin(without_credentials(mask.url), False, SHA256))


def _from_mirror(mask: BrainMaskMetadata, mirror: Mirror, ways: Ways) -> Verified:
    largest = content_limit(mask.size)
    data, _ = _transfer(mirror.location, ways, largest)
    return accept(data, mask, without_credentials(mirror.location), ways.registered)


def _transfer(url: str, ways: Ways, largest: int, expected: int | None = None) -> tuple[bytes, str]:
    if ways.offline:
        raise FetchError("not asked: offline")
    return transfer(url, largest, expected, ways.limits)


def _decoded(data: bytes, encoding: str, largest: int) -> bytes:
    """Undo a Content-Encoding that a server applied although it was asked not to."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return data
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        return reader.decompress(data, largest + 1)
    except zlib.error:
        return data


def accept(
    data: bytes,
    mask: BrainMaskMetadata,
    location: str,
    registered: Mapping[str, str] = MappingProxyType({}),
) -> Verified:
    """Return a copy from elsewhere if it is the mask, recoded where it is encoded differently.

    Parameters
    ----------
    data
        The copy.
    mask
        What is registered.
    location
        Where the copy comes from.
    registered
        As in `Ways`.

    Raises
    ------
    InvalidMaskError
        If it is not the mask.
    """
    candidates = [(data, False)]
    try:
        candidates.append((recode(data, mask), True))
    except InvalidMaskError as err:
        log.debug("%s: %s", location, err)
    # The registered file itself, if it can be had; else the registered content.
    for verified_by, digest, wanted in (
        (SHA256, _sha256, mask.sha256),
        (CONTENT_SHA256, partial(_content_sha256, mask=mask), mask.content_sha256),
    ):
        for candidate, recoded in candidates:
            if digest(candidate) == wanted:
                return Verified(candidate, Origin(location, recoded, verified_by))
    raise InvalidMaskError(_mismatch(data, mask, registered, content_limit(mask.size)))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _content_sha256(data: bytes, mask: BrainMaskMetadata) -> str | None:
    stream = gunzip(data, content_limit(mask.size))
    return None if stream.problem else _sha256(stream.content)


def _mismatch(
    data: bytes, mask: BrainMaskMetadata, registered: Mapping[str, str], largest: int
) -> str:
    return (
        f"expected SHA-256 {mask.sha256}, found {_sha256(data[:largest])}: "
        f"{describe(data, mask, registered, largest)}"
    )


def _keep(mask: BrainMaskMetadata, cache: Cache, found: Verified) -> None:
    try:
        cache.store(mask, found)
    except (MaskError, OSError) as err:
        log.warning(
            "mask %s is not kept in the cache %s: %s; set `cache_dir` to a folder that you can "
            "write",
            mask.name,
            cache.folder,
            getattr(err, "strerror", None) or err,
        )


def _no_place(mask: BrainMaskMetadata, ways: Ways, failures: list[str]) -> str:
    path = ways.cache.path(mask)
    remedies = [mirror.remedy for mirror in ways.mirrors if mirror.remedy]
    if ways.offline:
        remedy = (
            f"on a machine with network that sees {path.parent}: `snakemake prefetch` with the "
            "same configuration"
        )
        if mask.url == without_credentials(mask.url) and mask.url.startswith("http"):
            options = "--fail --location --create-dirs"
            target, url = shlex.quote(str(path)), shlex.quote(mask.url)
            remedy += f", or `curl {options} --output {target} {url}`"
        remedies.append(remedy)
    remedies.append(f"put the file with SHA-256 {mask.sha256} at {path}")
    return (
        f"mask {mask.name} could be had from none of its {len(failures)} places: "
        + "; ".join(f"({n}) {failure}" for n, failure in enumerate(failures, start=1))
        + f". What would help: {', or '.join(dict.fromkeys(remedies))}"
    )
