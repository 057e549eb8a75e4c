# SPDX-License-Identifier: MIT
"""Fetching a mask: cache, sources in their order, one run for many, and what arrived instead."""

from .cache import Cache, canonical_path
from .diagnose import what_is
from .fetcher import Fetcher
from .limits import Limits
from .verification import Origin, Verified

__all__ = [
    "Cache",
    "Fetcher",
    "Limits",
    "Origin",
    "Verified",
    "canonical_path",
    "what_is",
]
