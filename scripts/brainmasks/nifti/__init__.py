# SPDX-License-Identifier: MIT
"""NIfTI: read in memory, recoded to the canonical encoding, checked, brought onto other grids."""

from typing import TYPE_CHECKING

from ..on_demand import on_demand

if TYPE_CHECKING:
    from .boxes import bounding_box
    from .canonical import canonical_file, recode, recodings
    from .checks import PASSED, examine, in_words, limited_to_registered, require_valid
    from .covering import Covered, covered
    from .flips import flipped_along, is_registered
    from .hashes import CONTENT_SHA256, MD5, SHA256, difference, md5
    from .headers import HEADER_SIZE, nifti_version, offset_problem, voxel_size_problem
    from .lookalikes import lookalike_in_words
    from .orientation import TOLERANCE, contradiction, displacement, is_usable
    from .outline import count_ones, stated_grid
    from .reading import (
        HEADER_ROOM,
        content_limit,
        has_orientation,
        read_image,
        scaled_voxels,
        stored_voxels,
    )
    from .resampling import at_least_half, count_outside, is_straight, nearest, overlap
    from .unregistered import LARGEST_FILE, number_text, own_grid, values_beyond
    from .words import listed, reason, times
    from .writing import as_nii_gz
else:
    __getattr__, __all__ = on_demand(
        __name__,
        boxes="bounding_box",
        canonical="canonical_file recode recodings",
        checks="PASSED examine in_words limited_to_registered require_valid",
        covering="Covered covered",
        flips="flipped_along is_registered",
        hashes="CONTENT_SHA256 MD5 SHA256 difference md5",
        headers="HEADER_SIZE nifti_version offset_problem voxel_size_problem",
        lookalikes="lookalike_in_words",
        orientation="TOLERANCE contradiction displacement is_usable",
        outline="count_ones stated_grid",
        reading="HEADER_ROOM content_limit has_orientation read_image scaled_voxels stored_voxels",
        resampling="at_least_half count_outside is_straight nearest overlap",
        unregistered="LARGEST_FILE number_text own_grid values_beyond",
        words="listed reason times",
        writing="as_nii_gz",
    )
