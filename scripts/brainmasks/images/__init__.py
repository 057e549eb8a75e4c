# SPDX-License-Identifier: MIT
"""Images that meet a mask: listed, compared, checked in batches, brought onto its grid."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .acceptance import Policy
    from .aligning import align
    from .background_setting import backgrounds_of
    from .batch import PublishedMask, in_processes, look_again
    from .checking import accept_images, check_image, check_images, read_found
    from .compare import Examined, compare_to_mask
    from .counted import Counted, by_slices
    from .findings import FINDINGS
    from .grids import Grid
    from .image_grid import grid_of_image
    from .image_table import RESERVED, read_images
    from .remedies import OntoGrid, can_be_aligned, named, wider
    from .statistics import lie_inside
    from .verdicts import OBLIQUE, VERDICTS, Comparison
else:
    __getattr__, __all__ = on_demand(
        __name__,
        acceptance="Policy",
        aligning="align",
        background_setting="backgrounds_of",
        batch="PublishedMask in_processes look_again",
        checking="accept_images check_image check_images read_found",
        compare="Examined compare_to_mask",
        counted="Counted by_slices",
        findings="FINDINGS",
        grids="Grid",
        image_grid="grid_of_image",
        image_table="RESERVED read_images",
        remedies="OntoGrid can_be_aligned named wider",
        statistics="lie_inside",
        verdicts="OBLIQUE VERDICTS Comparison",
    )
