# SPDX-License-Identifier: MIT
"""What pictures and views say of an image."""

from ..images import Comparison
from .montage import volume_text

HEMISPHERES = {"left": "left hemisphere", "right": "right hemisphere", "midline": "midline"}


def outcome_in_words(found: Comparison, accepted: bool) -> str:
    """Return whether an image is accepted, its verdict, and the codes of its findings."""
    outcome = "accepted: " if accepted else "rejected: "
    return outcome + ", ".join((found.verdict, *found.codes))


def facts_in_words(found: Comparison) -> list[str]:
    """Return what was counted of an image: voxels, volume, and where they lie."""
    facts = []
    if found.voxels is not None:
        facts.append(f"{found.voxels:,} voxel{'s' * (found.voxels != 1)}")
    if found.volume_ml is not None:
        facts.append(f"{volume_text(found.volume_ml)} ml")
        facts.append(f"{found.voxels_inside:,} inside the brain, {found.voxels_outside:,} outside")
    if found.hemisphere is not None:
        sides = f"{found.voxels_left:,} left, {found.voxels_right:,} right"
        facts.append(f"{HEMISPHERES[found.hemisphere]} ({sides})")
    return facts
