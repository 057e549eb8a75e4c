# SPDX-License-Identifier: MIT
"""What may be found of an image's voxels and name, in words for programs and for users."""

import math
from dataclasses import dataclass

EMPTY = "empty"
NOT_FINITE = "not_finite"
NOT_BINARY = "not_binary"
NOT_NUMERIC = "not_numeric"
MOSTLY_OUTSIDE = "mostly_outside"
PARTLY_OUTSIDE = "partly_outside"
COVERS_BRAIN = "covers_brain"
IS_A_MASK = "is_a_mask"
IS_FLIPPED_MASK = "is_flipped_mask"
IS_OTHER_MASK = "is_other_mask"
NAME_CONTRADICTS = "name_contradicts"
SIDE_CONTRADICTS = "side_contradicts"
DUPLICATE = "duplicate"
MIRROR_TWIN = "mirror_twin"
SHARED_GRID = "shared_grid"

# What was found, and what to do about it, in the order in which they are reported.
_DETAILS = {
    EMPTY: (
        "It is empty, no {finite}value is above 0.5: {maximum}; export it again, or make a "
        "probability map binary at a threshold of your choice."
    ),
    NOT_FINITE: (
        "{count} of its {all} values are NaN or infinite, and were not counted; replace them, for "
        "example by 0 (numpy.nan_to_num)."
    ),
    NOT_BINARY: "It is not binary: {values}; {remedy}.",
    NOT_NUMERIC: (
        "Its voxels are {dtype}, and were not counted; export it as a binary image of numbers."
    ),
    MOSTLY_OUTSIDE: (
        "Only {percent} % of its voxels lie inside the brain of {mask}; look at its picture: it "
        "may be inverted, shifted, or in another space."
    ),
    PARTLY_OUTSIDE: (
        "{outside} of its {all} voxels lie outside the brain of {mask} ({percent} % inside); look "
        "at its picture whether that is right."
    ),
    COVERS_BRAIN: (
        "It covers {percent} % of the brain of {mask}; if it is an inverted lesion, subtract it "
        "from the brain, otherwise export the right image."
    ),
    IS_A_MASK: "Its voxels are those of the brain mask {mask}; list an image of your own instead.",
    IS_FLIPPED_MASK: (
        "Its voxels are those of the brain mask {mask}, flipped along {axes}; do not use it: get "
        "the file again, and look for what flipped it."
    ),
    IS_OTHER_MASK: (
        "It resembles the brain mask {mask}, but is another one: {difference}{known}; if it is "
        "meant as a mask, use the one that you name, or name the one that you use."
    ),
    NAME_CONTRADICTS: "{claims}; check which is right, and name the image or its mask accordingly.",
    SIDE_CONTRADICTS: (
        "Its side is given as {side}, but {left} of its voxels lie left and {right} right; correct "
        "that, or look for what flipped the image."
    ),
    DUPLICATE: "It has the same voxels as {others}; list each image once.",
    MIRROR_TWIN: (
        "Mirrored from left to right it has, to within a voxel, the same voxels as {others}; one "
        "of them may be flipped."
    ),
    SHARED_GRID: (
        "Its grid does not tell its space: it is also that of {spaces}; make sure that the image "
        "is in the space of {mask}."
    ),
}
FINDINGS = tuple(_DETAILS)


@dataclass(frozen=True)
class Finding:
    """Something that was found of an image, beside the verdict on its grid.

    Attributes
    ----------
    code : str
        One of `FINDINGS`.
    detail : str
        What was found and what to do, for a user: one sentence.
    """

    code: str
    detail: str


def found(code: str, **facts: object) -> Finding:
    """Return a finding whose detail states these facts."""
    return Finding(code, _DETAILS[code].format(**facts))


def in_order(findings: "list[Finding]") -> "tuple[Finding, ...]":
    """Return findings in the order of `FINDINGS`."""
    return tuple(sorted(findings, key=lambda each: FINDINGS.index(each.code)))


def percent(fraction: float) -> str:
    """Return a fraction in percent, rounded down to 0.01: 0 and 100 only if it is 0 or 1.

    Parameters
    ----------
    fraction
        From 0 to 1.
    """
    if 0 < fraction < 0.0001:
        return "less than 0.01"
    # Never rounded up to a limit that it is below.
    return f"{math.floor(10000 * round(fraction, 9)) / 100:g}"
