# SPDX-License-Identifier: MIT
"""What people look at: pictures of masks and images, and pages with tables of them."""

from .background import BackgroundFile
from .image_page import tabulate_images
from .image_picture import draw_images
from .image_view import view_image
from .mask_page import tabulate_masks
from .mask_picture import draw_gridded, draw_mask

__all__ = [
    "BackgroundFile",
    "draw_gridded",
    "draw_images",
    "draw_mask",
    "tabulate_images",
    "tabulate_masks",
    "view_image",
]
