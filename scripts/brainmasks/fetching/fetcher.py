# SPDX-License-Identifier: MIT
"""Fetch one mask: from the cache, else from the first source that has the registered bytes."""

import logging
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..errors import FetchError, MaskError
from ..registry import BrainMaskMetadata, Mirror
from ..urls import escaped, one_line, shown_url
from .cache import Cache, is_lacunas
from .limits import DEFAULT_LIMITS, Limits
from .single_flight import polite_delay, single_flight
from .sources import LocalCopy, Server, Source
from .verification import Verified

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetcher:
    """One mask, and the sources from which it may come.

    Attributes
    ----------
    mask : BrainMaskMetadata
        What is registered.
    cache : Cache
        Looked at first; what comes from elsewhere is kept there.
    mirrors : sequence of Mirror
        Other sources, in order.
    offline : bool
        Whether to do without network: no socket is opened.
    registered : mapping
        Name of each registered mask by SHA-256 of its file and of its content, to name what
        arrived instead of the right file.
    limits : Limits
        How long to wait for servers, and for other runs.
    """

    mask: BrainMaskMetadata
    cache: Cache
    mirrors: Sequence[Mirror] = ()
    offline: bool = False
    registered: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def from_settings(
        cls,
        row: Mapping[str, str],
        url: str,
        folder: str,
        cache_dir: str,
        site_caches: Sequence[str],
        mirrors: Sequence[Mapping[str, str]],
        offline: bool,
        registered: Mapping[str, str],
    ) -> "Fetcher":
        """Return the fetcher that plain values describe, as a workflow hands them to a job.

        `url` is that of the row, with the credentials that are left out of what is recorded, and
        `folder` that of its table.
        """
        mask = BrainMaskMetadata.from_row({**row, "url": url, "folder": folder})
        cache = Cache(cache_dir, site_caches)
        return cls(mask, cache, [Mirror(**each) for each in mirrors], offline, registered)

    def fetch(self) -> Verified:
        """Return the verified bytes: cache, local copies, registered URL, other servers.

        What did not come from the cache is kept there, if it can be written.

        Raises
        ------
        FetchError
            (a FileNotFoundError) if every source fails; gives each one's own reason.
        """
        hit = self.cache.hit(self.mask)
        return hit[1] if hit else self.fetch_missing()

    def fetch_missing(self) -> Verified:
        """Return the verified bytes of a mask that the cache has been found not to have.

        As `fetch`, which looks there.
        """
        if self.offline:
            return self._from_sources(alone=True)
        # Of many runs that miss at once, one fetches; the others then find it in the cache.
        is_cached = partial(self.cache.has, self.mask)
        with single_flight(self.cache.lock(self.mask), is_cached, self.limits.patience) as alone:
            return self._cached_by_others() or self._from_sources(alone)

    def fill_cache(self) -> Path | None:
        """Have the mask in the folder of the cache that is written, also if a site cache has it.

        Returns
        -------
        Path or None
            Where it is, read there and verified; None if it cannot be kept. Why is logged.

        Raises
        ------
        FetchError
            (a FileNotFoundError) if every source fails; gives each one's own reason.
        """
        hit = self.cache.hit(self.mask)
        if hit and not self._is_own(hit):
            self._keep(hit[1])
        else:
            self.fetch()
        hit = self.cache.load(self.mask)
        return hit[0] if hit and self._is_own(hit) else None

    def sources(self) -> Iterator[Source]:
        """Yield the sources beyond the cache in their order."""
        servers = (self.registered, self.offline, self.limits)
        url = Mirror(self.mask.url, self.mask.folder)
        if url.location and not url.is_remote:
            yield LocalCopy(self.mask, url, self.registered, kind="registered file")
        for mirror in self.mirrors:
            if not mirror.is_remote:
                yield LocalCopy(self.mask, mirror, self.registered)
        if url.is_remote:
            yield Server(self.mask, url.location, *servers, kind="registered URL")
        for mirror in self.mirrors:
            if mirror.is_remote:
                yield Server(self.mask, mirror.location, *servers)

    def _is_own(self, hit: tuple[Path, Verified]) -> bool:
        """Return whether a mask was found in the folder that is written."""
        return hit[0].parent == self.cache.folder

    def _cached_by_others(self) -> Verified | None:
        """Return what another run may have cached; damage has been logged before."""
        if self.cache.has(self.mask) and (hit := self.cache.load(self.mask)):
            log.info("mask %s: found in the cache, %s", self.mask.name, hit[0])
            return hit[1]
        return None

    def _from_sources(self, alone: bool) -> Verified:
        name = self.mask.name
        failures = [f"cache {folder}: not there" for folder in self.cache.folders()]
        for source in self.sources():
            if source.is_server and not alone:
                if found := self._wait_for_others():
                    return found
                alone = True
            try:
                found = source.read()
            except (MaskError, OSError) as err:
                log.info("mask %s: %s: %s", name, source.name, err)
                failures.append(f"{source.name}: {err}")
                continue
            except Exception as err:  # a defect keeps no other source from being tried
                problem = f"unexpected {type(err).__name__}: {one_line(str(err))}"
                log.info("mask %s: %s: %s", name, source.name, problem, exc_info=True)
                failures.append(f"{source.name}: {problem}")
                continue
            log.info("mask %s: %s, verified by %s", name, source.name, found.origin.verified_by)
            self._keep(found)
            return found
        raise FetchError(self._not_available(failures))

    def _wait_for_others(self) -> Verified | None:
        """Wait for a moment, and return what other runs may have cached by then."""
        delay = polite_delay(self.limits.spread)
        log.info("mask %s: without a lock, %.1f s until a server is asked", self.mask.name, delay)
        time.sleep(delay)
        return self._cached_by_others()

    def _keep(self, found: Verified) -> None:
        try:
            self.cache.store(self.mask, found)
        except (MaskError, OSError) as err:
            log.warning(
                "mask %s is not kept in the cache %s: %s; set `cache_dir` to a folder that you can "
                "write",
                self.mask.name,
                self.cache.folder,
                getattr(err, "strerror", None) or err,
            )

    def _not_available(self, failures: Sequence[str]) -> str:
        mask, path = self.mask, self.cache.path(self.mask)
        remedies = [mirror.remedy for mirror in self.mirrors if mirror.remedy]
        if self.offline:
            remedy = (
                f"on a machine with network that sees {path.parent}: `snakemake prefetch` with the "
                "same configuration"
            )
            # Only there is known to be what the cache holds, and not another encoding of it.
            is_exact = bool(mask.md5) or is_lacunas(mask)
            if is_exact and mask.url == shown_url(mask.url) and mask.url.startswith("http"):
                options = "--fail --location --create-dirs"
                target, url = shlex.quote(str(path)), shlex.quote(mask.url)
                remedy += f", or `curl {options} --output {target} {url}`"
            remedies.append(remedy)
        hash_ = f"MD5 {mask.md5}" if mask.md5 else f"SHA-256 {mask.sha256}"
        remedies.append(f"put the file with {hash_} at {path}")
        if not is_lacunas(mask):
            remedies.append("correct the row of the mask, if it is that which is wrong")
        if not mask.url:
            failures = [*failures, "no URL is registered"]
        lines = [
            f"mask {mask.name} is not available from any source:",
            *(f"({n}) {failure}" for n, failure in enumerate(failures, start=1)),
            f"To fix{', one of these' if len(remedies) > 1 else ''}:",
            *(f"- {remedy}" for remedy in dict.fromkeys(remedies)),
        ]
        # A line each, whatever a path or a server has in its name.
        return "\n".join(map(escaped, lines))
