# SPDX-License-Identifier: MIT
"""Fill the cache beforehand, for machines without network."""

import logging
from collections.abc import Sequence

from ..errors import FetchError
from ..fetching import Fetcher
from ..telling import TOLD

log = logging.getLogger(__name__)


def prefetch(fetchers: Sequence[Fetcher]) -> None:
    """Fill the cache with masks, from site caches or another source; every one is tried.

    Parameters
    ----------
    fetchers
        Each mask, and its sources.

    Raises
    ------
    FetchError
        If one or more are not available or cannot be cached, after all were tried. Why is logged.
    """
    missing = []
    for fetcher in fetchers:
        mask = fetcher.mask
        try:
            path = fetcher.fill_cache()
        except FetchError as err:
            log.error("%s", err)
            path = None
        if path:
            log.info("%s: verified, in the cache, %s", mask.name, path, extra=TOLD)
        else:
            missing.append(mask.name)
    if missing:
        raise FetchError(
            f"{len(missing)} of {len(fetchers)} masks are not in the cache: {', '.join(missing)}"
        )
