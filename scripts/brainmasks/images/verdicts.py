# SPDX-License-Identifier: MIT
"""The verdicts on the grid of an image, in words for programs and for users."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .findings import Finding

IDENTICAL = "identical"
WITHIN_TOLERANCE = "within_tolerance"
REORIENTED = "reoriented"
SHIFTED = "shifted"
OTHER_RESOLUTION = "other_resolution"
OTHER_SPACE = "other_space"
NO_ORIENTATION = "no_orientation"
QFORM_SFORM_MISMATCH = "qform_sform_mismatch"
OBLIQUE = "oblique"
UNKNOWN_GRID = "unknown_grid"
NOT_3D = "not_3d"
NOT_AN_IMAGE = "not_an_image"

VERDICTS = (
    IDENTICAL,
    WITHIN_TOLERANCE,
    REORIENTED,
    SHIFTED,
    OTHER_RESOLUTION,
    OTHER_SPACE,
    NO_ORIENTATION,
    QFORM_SFORM_MISMATCH,
    OBLIQUE,
    UNKNOWN_GRID,
    NOT_3D,
    NOT_AN_IMAGE,
)
# On the mask's grid but for the order of storage.
SAME_GRID = (IDENTICAL, WITHIN_TOLERANCE, REORIENTED)

# The detail of each verdict: what was found, and what to do about it.
_DETAILS = {
    IDENTICAL: "It lies on the grid of {mask}, stored in the same order.",
    WITHIN_TOLERANCE: (
        "It lies on the grid of {mask} but for {mm:.2g} mm at most, stored in the same order."
    ),
    REORIENTED: (
        "It lies on the grid of {mask}, but is stored {axes} instead of RAS ({order}): used "
        "index for index with the mask {harm}; reorient it first "
        "(nibabel.as_closest_canonical), or go through both affines."
    ),
    SHIFTED: (
        "It has the shape and voxels of {mask}, shifted by x {x:+.6g}, y {y:+.6g}, z {z:+.6g} "
        "mm{origin}{margins}{stored}; if only its header is wrong, correct the origin there, "
        "otherwise {remedy}.{known}"
    ),
    OTHER_RESOLUTION: (
        "It lies on the {resolution} mm grid of the same space, that of {other}{stored}; use "
        "{other} for it, or resample it to the grid of {mask} (labels: nearest neighbour)."
    ),
    OTHER_SPACE: (
        "It lies on the grid of {other}, which is another space than that of {mask}{stored}; "
        "{remedy}."
    ),
    NO_ORIENTATION: (
        "It does not say where its voxels lie nor which side is left: {why}; export it again with "
        "its orientation, or give it the header of the image that it was drawn on."
    ),
    QFORM_SFORM_MISMATCH: (
        "Its header contradicts itself, so that programs place it differently: {why}; find out "
        "which is right, and set the other to it."
    ),
    OBLIQUE: (
        "Its axes are rotated or sheared against the world's, by {mm:.2g} mm at most over the "
        "volume, and those of {mask} are not; if it is in {space}, resample it to the "
        "mask's grid (config key `resample`), otherwise it needs a registration."
    ),
    UNKNOWN_GRID: (
        "Its grid is {whose}: shape {shape}, voxels of {zooms} mm, stored "
        "{axes}, origin {corner} mm.{known}{margins} The grid does not tell the space: if the "
        "image is in {space}, {remedy}; otherwise it needs a registration."
    ),
    NOT_3D: "It has {ndim} dimensions ({shape}), the mask has 3; {remedy}.",
    NOT_AN_IMAGE: "It cannot be read as an image: {why}; get or export it again.",
}


@dataclass(frozen=True)
class Comparison:
    """What was found about an image, compared to a registered mask.

    All but `verdict` and `detail` are None where they make no sense, and the statistics (from
    `binary` on) where the voxels were not read. Those in world space are None for an image
    without an orientation, or with two that differ (``qform_sform_mismatch``).

    Attributes
    ----------
    verdict : str
        One of `VERDICTS`.
    detail : str
        What was found of its grid and what to do, for a user.
    findings : tuple of Finding
        What else was found; empty if nothing was, or if the voxels were not read.
    displacement_mm : float
        Largest distance between a voxel of the image and the mask's grid's voxel of the same
        index, in mm, after both are put into RAS order. None unless they have the same shape.
    shift_mm : tuple of float
        Image minus mask along x, y and z in mm (``shifted`` only).
    lattice : tuple of int
        How many voxels the image has more (less: negative) than the mask's grid at its left,
        right, back, front, bottom and top, if one is a crop or pad of the other and the voxels of
        both lie upon each other (``shifted`` and ``unknown_grid`` only).
    axes : str
        Where the stored axes lead, for example ``"LAS"``.
    other : str
        Name of the registered mask whose grid it is (``other_resolution``, ``other_space``).
    binary : bool
        Whether each value is exactly 0 or 1 after scaling.
    stored_type : str
        Type of the stored values, for example ``"uint8"``.
    scaling : tuple of float
        Slope and intercept; None if the stored values are the values.
    voxels : int
        How many finite values are above 0.5 after scaling: what follows is about these voxels.
    non_finite : int
        How many values are NaN or infinite.
    volume_ml : float
        Their volume in ml.
    maximum : float
        The largest finite value; None if there is none.
    voxels_inside, voxels_outside : int
        How many have their centre in a voxel of the mask, and how many have not; by world
        coordinates, whatever the two grids.
    inside_fraction : float
        The first of the two as a fraction of both; None if there are no voxels.
    voxels_left, voxels_right : int
        How many have their centre left and right of x = 0.
    centre_of_mass_mm : tuple of float
        Mean of their centres in mm (RAS+).
    hemisphere : str
        Where that lies: ``"left"``, ``"right"``, or ``"midline"`` within 0.5 mm of it.
    components : int
        How many parts there are that touch nowhere, not even at a corner.
    largest_component : int
        Voxels of the largest part.
    equals_mask : bool
        Whether these voxels are exactly the mask's; None unless it lies on the mask's grid.
    """

    verdict: str
    detail: str
    findings: tuple[Finding, ...] = ()
    displacement_mm: float | None = None
    shift_mm: tuple[float, float, float] | None = None
    lattice: tuple[int, ...] | None = None
    axes: str | None = None
    other: str | None = None
    binary: bool | None = None
    stored_type: str | None = None
    scaling: tuple[float, float] | None = None
    voxels: int | None = None
    maximum: float | None = None
    non_finite: int | None = None
    volume_ml: float | None = None
    voxels_inside: int | None = None
    voxels_outside: int | None = None
    inside_fraction: float | None = None
    voxels_left: int | None = None
    voxels_right: int | None = None
    centre_of_mass_mm: tuple[float, float, float] | None = None
    hemisphere: str | None = None
    components: int | None = None
    largest_component: int | None = None
    equals_mask: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all fields in plain types, for JSON."""
        plain = asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Comparison":
        """Return the comparison of which `as_dict` returned the fields; others are ignored."""
        known = {field.name: plain[field.name] for field in fields(cls)}
        for name in ("shift_mm", "scaling", "centre_of_mass_mm", "lattice"):
            known[name] = known[name] and tuple(known[name])
        return cls(**known | {"findings": tuple(Finding(**each) for each in known["findings"])})

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings."""
        return tuple(finding.code for finding in self.findings)


def judged_as(verdict: str, **facts: object) -> Comparison:
    """Return a comparison whose detail states these facts."""
    return Comparison(verdict, _DETAILS[verdict].format(**facts))


def with_note(judged: Comparison, note: str, **facts: object) -> Comparison:
    """Return a comparison with one more sentence in its detail."""
    return replace(judged, detail=judged.detail + note.format(**facts))
