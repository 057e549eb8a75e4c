# SPDX-License-Identifier: MIT
"""Files on disk: read within limits, published whole or not at all, shared by a group."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .gzip_stream import Stream, gunzip, gunzip_whole, is_cut_off, is_gzip
    from .locking import alone_in
    from .permissions import make_shared_folder, readable_as
    from .reading import read_bounded
    from .writing import publish, to_json
else:
    __getattr__, __all__ = on_demand(
        __name__,
        gzip_stream="Stream gunzip gunzip_whole is_cut_off is_gzip",
        locking="alone_in",
        permissions="make_shared_folder readable_as",
        reading="read_bounded",
        writing="publish to_json",
    )
