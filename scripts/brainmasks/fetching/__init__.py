# SPDX-License-Identifier: MIT
"""Fetching a mask: cache, sources in their order, one run for many, and what arrived instead."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .cache import Cache, canonical_path
    from .diagnose import what_is
    from .fetcher import Fetcher
    from .limits import Limits
    from .verification import Origin, Verified
else:
    __getattr__, __all__ = on_demand(
        __name__,
        cache="Cache canonical_path",
        diagnose="what_is",
        fetcher="Fetcher",
        limits="Limits",
        verification="Origin Verified",
    )
