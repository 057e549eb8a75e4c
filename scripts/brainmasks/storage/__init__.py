# SPDX-License-Identifier: MIT
"""Files on disk: read within limits, published whole or not at all, shared by a group."""

from .gzip_stream import Stream, gunzip, gunzip_whole, is_cut_off, is_gzip
from .locking import alone_in
from .permissions import make_shared_folder, readable_as
from .reading import read_bounded
from .writing import publish, to_json

__all__ = [
    "Stream",
    "alone_in",
    "gunzip",
    "gunzip_whole",
    "is_cut_off",
    "is_gzip",
    "make_shared_folder",
    "publish",
    "read_bounded",
    "readable_as",
    "to_json",
]
