# SPDX-License-Identifier: MIT
"""Masks in a working folder, in the cache and in Python: steps, sidecar, prefetch, status, load."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .cache_status import status
    from .damage import fetched_damage, published_damage
    from .gridded import gridded_damage, read_gridded, read_gridded_sidecar
    from .load import fetch_brain_mask, load_brain_mask, path_of
    from .on_grid import put_on_grid
    from .own_mask import OwnMask, read_own_mask
    from .prefetching import prefetch
    from .published import completed, read_published, read_sidecar, sidecar_beside
    from .registering import register_in, remarks, try_out
    from .sidecar import generated_by
    from .steps import checksum, download, validate
else:
    __getattr__, __all__ = on_demand(
        __name__,
        cache_status="status",
        damage="fetched_damage published_damage",
        gridded="gridded_damage read_gridded read_gridded_sidecar",
        load="fetch_brain_mask load_brain_mask path_of",
        on_grid="put_on_grid",
        own_mask="OwnMask read_own_mask",
        prefetching="prefetch",
        published="completed read_published read_sidecar sidecar_beside",
        registering="register_in remarks try_out",
        sidecar="generated_by",
        steps="checksum download validate",
    )
