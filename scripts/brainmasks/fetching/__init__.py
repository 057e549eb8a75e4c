"""Fetching a mask: cache, sources in their order, one run for many, and what arrived instead."""

from .cache import Cache
from .fetcher import Fetcher
from .limits import Limits
from .verification import CONTENT_SHA256, SHA256, Origin, Verified, difference

__all__ = [
    "CONTENT_SHA256",
    "SHA256",
    "Cache",
    "Fetcher",
    "Limits",
    "Origin",
    "Verified",
    "difference",
]
