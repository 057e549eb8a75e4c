# SPDX-License-Identifier: MIT
"""Images that meet a mask: listed, compared, checked in batches, brought onto its grid."""

from .aligning import align
from .batch import PublishedMask, examine_image, in_processes
from .checking import check_image, check_images
from .compare import Examined, compare_to_mask
from .grids import Grid
from .image_table import RESERVED, read_images
from .statistics import by_slices, lie_inside
from .verdicts import IDENTICAL, OBLIQUE, VERDICTS, WITHIN_TOLERANCE, Comparison

__all__ = [
    "IDENTICAL",
    "OBLIQUE",
    "RESERVED",
    "VERDICTS",
    "WITHIN_TOLERANCE",
    "Comparison",
    "Examined",
    "Grid",
    "PublishedMask",
    "align",
    "by_slices",
    "check_image",
    "check_images",
    "compare_to_mask",
    "examine_image",
    "in_processes",
    "lie_inside",
    "read_images",
]
