# SPDX-License-Identifier: MIT
"""Images that meet a mask: listed, compared, checked in batches, brought onto its grid."""

from .acceptance import Policy
from .aligning import align
from .batch import PublishedMask, in_processes, look_again
from .checking import accept_images, check_image, check_images, read_found
from .compare import Examined, compare_to_mask
from .findings import FINDINGS
from .grids import Grid
from .image_grid import grid_of_image
from .image_table import RESERVED, read_images
from .statistics import by_slices, lie_inside
from .verdicts import OBLIQUE, VERDICTS, Comparison

__all__ = [
    "FINDINGS",
    "OBLIQUE",
    "RESERVED",
    "VERDICTS",
    "Comparison",
    "Examined",
    "Grid",
    "Policy",
    "PublishedMask",
    "accept_images",
    "align",
    "by_slices",
    "check_image",
    "check_images",
    "compare_to_mask",
    "grid_of_image",
    "in_processes",
    "lie_inside",
    "look_again",
    "read_found",
    "read_images",
]
