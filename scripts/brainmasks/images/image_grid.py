# SPDX-License-Identifier: MIT
"""The grid of an image as the target of a mask: exactly as it is stored."""

import math

from ..errors import InvalidMaskError
from ..nifti import contradiction, is_straight, times
from ..paths import StrPath
from ..registry import LARGEST_GRID, TargetGrid
from .opening import UnreadableImage, open_image
from .orientation import missing_orientation


def grid_of_image(name: str, path: StrPath) -> TargetGrid:
    """Return the grid of an image, in its own order of storage; its voxels are not read.

    Parameters
    ----------
    name
        The id of the image.
    path
        The image; of a series the grid of each volume.

    Raises
    ------
    InvalidMaskError
        If it is no image, or does not say where its voxels lie, or has axes that do not lie along
        the world's.
    """
    refused = f"image {name} ({path}) gives no grid for a mask"
    try:
        image = open_image(path)
    except UnreadableImage as err:
        raise InvalidMaskError(f"{refused}: {err}; save it again, or give another one") from err
    if why := missing_orientation(image):
        raise InvalidMaskError(
            f"{refused}: it is not known where its voxels lie: {why}; set that in its header"
        )
    if len(image.shape) < 3:
        raise InvalidMaskError(
            f"{refused}: it has {len(image.shape)} dimensions ({times(image.shape)}), expected 3; "
            "give it as a volume"
        )
    if why := contradiction(image):
        raise InvalidMaskError(
            f"{refused}: its header contradicts itself: {why}; set qform and sform to what is right"
        )
    x, y, z = (int(n) for n in image.shape[:3])
    if not is_straight((x, y, z), image.affine):
        raise InvalidMaskError(
            f"{refused}: it is oblique, its axes do not lie along the world's, and how much of a "
            "voxel is brain is exact only where they do; resample the image to a straight grid, or "
            "bring the mask onto it with the tool of your registration"
        )
    if math.prod((x, y, z)) > LARGEST_GRID:
        raise InvalidMaskError(
            f"{refused}: it has {x}x{y}x{z} voxels, more than {LARGEST_GRID}; use one of larger "
            "voxels"
        )
    matrix = tuple(tuple(map(float, row)) for row in image.affine)
    return TargetGrid(name, (x, y, z), matrix, image=str(path))
