# SPDX-License-Identifier: MIT
"""What may be done with an image to bring it onto its mask's grid, by its verdict."""

from .verdicts import (
    OBLIQUE,
    OTHER_RESOLUTION,
    REORIENTED,
    SAME_GRID,
    SHIFTED,
    UNKNOWN_GRID,
    Comparison,
)

UNCHANGED = "unchanged"
REORDERED = "axes reordered"
CROPPED = "cropped and padded"
NEAREST = "nearest neighbour"
OVERLAP = "overlap"

LOSSLESS = (UNCHANGED, REORDERED, CROPPED)

# How a voxel of the mask's grid gets its value, for the note.
RULES = {
    UNCHANGED: "none: each voxel keeps its value and its place",
    REORDERED: "none: each voxel keeps its value and its place",
    CROPPED: "none: each voxel keeps its value and its place; what the image lacks is 0",
    NEAREST: (
        "the value of the voxel in which the centre of the new voxel lies; between two voxels, of "
        "the one that is further left, posterior or inferior; outside the image 0"
    ),
    OVERLAP: "1 if voxels above 0.5 cover at least half of the new voxel, else 0",
}

# What `resample` allows for what is in the same world elsewhere.
RESAMPLABLE = {
    SHIFTED: ("nearest", "overlap"),
    OTHER_RESOLUTION: ("nearest", "overlap"),
    OBLIQUE: ("nearest",),
    UNKNOWN_GRID: ("nearest", "overlap"),
}


def method_for(found: Comparison, resample: str | None) -> str | None:
    """Return what is done with an image, None if nothing may be; `resample` as for `align`."""
    if found.verdict in SAME_GRID:
        return REORDERED if found.verdict == REORIENTED else UNCHANGED
    if found.lattice is not None:
        return CROPPED
    if resample in RESAMPLABLE.get(found.verdict, ()):
        return OVERLAP if resample == "overlap" else NEAREST
    return None


def remedy(found: Comparison, resample: str | None) -> str:
    """Return a sentence on the setting with which an image would be resampled, if there is one."""
    allowed = RESAMPLABLE.get(found.verdict, ())
    if not allowed:
        return ""
    if resample == "overlap":
        return (
            " Overlap is for axes that lie along the world's; set `resample: nearest` in the "
            "configuration, or resample it with the tool of your registration"
        )
    also = ", or `resample: overlap` if it is binary" if "overlap" in allowed else ""
    return f" Or set `resample: nearest` in the configuration{also}"
