"""Is an image on the grid of a registered mask, and the right way round?

The header is judged first, and needs no voxels; nothing is ever resampled.
"""

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from .errors import FetchError, InvalidMaskError, UnknownMaskError
from .files import read_bounded
from .image import HEADER_ROOM, content_limit, has_orientation, read_image, stored_voxels
from .load import load_brain_mask, shipped_registry
from .recode import TOLERANCE, recode
from .registry import BrainMaskMetadata, BrainMaskRegistry
from .stream import gunzip

IDENTICAL = "identical"
WITHIN_TOLERANCE = "within_tolerance"
REORIENTED = "reoriented"
SHIFTED = "shifted"
OTHER_RESOLUTION = "other_resolution"
OTHER_SPACE = "other_space"
NO_ORIENTATION = "no_orientation"
FORM_MISMATCH = "form_mismatch"
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
    FORM_MISMATCH,
    OBLIQUE,
    UNKNOWN_GRID,
    NOT_3D,
    NOT_AN_IMAGE,
)

# Displacement in mm up to which two grids are one and the same: rounding.
EXACT = 1e-6
# How far from x = 0, in mm, a centre of mass lies in neither hemisphere.
MIDLINE = 0.5
# Voxels of an image with more than so many times the mask's are not read.
LARGEST = 64
# No image lies so far away (mm): the numbers of its affine are no coordinates.
FARTHEST = 1e9

_PIECE = 1 << 20
_DIRECTIONS = {
    "R": "right",
    "L": "left",
    "A": "front",
    "P": "back",
    "S": "top",
    "I": "bottom",
}

# What a user is told: what was found, and what to do about it.
_DETAILS = {
    IDENTICAL: "It lies on the grid of {mask}, stored in the same order; nothing needs to be done.",
    WITHIN_TOLERANCE: (
        "It lies on the grid of {mask} but for {mm:.2g} mm at most, stored in the same order; "
        "nothing needs to be done."
    ),
    REORIENTED: (
        "It lies on the grid of {mask}, but is stored {axes} instead of RAS ({order}): used "
        "index for index with the mask {harm}; reorient it first "
        "(nibabel.as_closest_canonical), or go through both affines."
    ),
    SHIFTED: (
        "It has the shape and voxels of {mask}, shifted by x {x:+.6g}, y {y:+.6g}, z {z:+.6g} "
        "mm{origin}{stored}; if only its header is wrong, correct the origin there, otherwise "
        "resample it to the mask's grid."
    ),
    OTHER_RESOLUTION: (
        "It lies on the {resolution:g} mm grid of the same space, that of {other}{stored}; use "
        "{other} for it, or resample it to the grid of {mask} (labels: nearest neighbour)."
    ),
    OTHER_SPACE: (
        "It lies on the grid of {other}, which is another space than that of {mask}{stored}; use "
        "{other} for it, or transform it to {space} by a registration: resampling alone does not."
    ),
    NO_ORIENTATION: (
        "It does not say where its voxels lie nor which side is left: {why}; export it again with "
        "its orientation, or give it the header of the image that it was drawn on."
    ),
    FORM_MISMATCH: (
        "Its header contradicts itself, so that programs place it differently: {why}; find out "
        "which is right, and set the other to it."
    ),
    OBLIQUE: (
        "Its axes are rotated or sheared against the world's, by {mm:.2g} mm at most over the "
        "volume, and those of {mask} are not; transform it to {space} and resample it to the "
        "mask's grid."
    ),
    UNKNOWN_GRID: (
        "Its grid is that of no registered mask: shape {shape}, voxels of {zooms} mm, stored "
        "{axes}, origin {corner} mm; transform it to {space} and resample it to the grid of {mask}."
    ),
    NOT_3D: "It has {ndim} dimensions ({shape}), the mask has 3; {remedy}.",
    NOT_AN_IMAGE: "It cannot be read as an image: {why}; get or export it again.",
}
_TAKE_THE_ONE = "take the one volume out, for example with nibabel: image.slicer[..., 0]"
_TAKE_ONE = "take out the volume that is meant, for example with nibabel: image.slicer[..., 0]"
_NEED_VOLUME = "pass the volume that it was cut from"
_TOO_LARGE = (
    " Its voxels were not counted: {voxels}, more than {times} times those of the mask's grid."
)
_NO_NUMBERS = " Its voxels were not counted: they are of type {dtype}, not numbers."


@dataclass(frozen=True)
class Comparison:
    """What was found about an image, compared to a registered mask.

    All but `verdict` and `detail` are None where they make no sense, and the statistics (from
    `binary` on) where the voxels were not read. Those in world space are None for an image
    without an orientation, or with two that differ (``form_mismatch``).

    Attributes
    ----------
    verdict : str
        One of `VERDICTS`.
    detail : str
        What was found and what to do, for a user.
    displacement_mm : float
        Largest distance between a voxel of the image and the mask's grid's voxel of the same
        index, in mm, after both are put into RAS order. None unless they have the same shape.
    shift_mm : tuple of float
        Image minus mask along x, y and z in mm (``shifted`` only).
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
    voxels_inside, voxels_outside : int
        How many have their centre in a voxel of the mask, and how many have not; by world
        coordinates, whatever the two grids.
    centre_of_mass_mm : tuple of float
        Mean of their centres in mm (RAS+).
    hemisphere : str
        Where that lies: ``"left"``, ``"right"``, or ``"midline"`` within 0.5 mm of it.
    components : int
        How many parts there are that touch nowhere, not even at a corner.
    largest_component : int
        Voxels of the largest part.
    """

    verdict: str
    detail: str
    displacement_mm: float | None = None
    shift_mm: tuple[float, float, float] | None = None
    axes: str | None = None
    other: str | None = None
    binary: bool | None = None
    stored_type: str | None = None
    scaling: tuple[float, float] | None = None
    voxels: int | None = None
    non_finite: int | None = None
    volume_ml: float | None = None
    voxels_inside: int | None = None
    voxels_outside: int | None = None
    centre_of_mass_mm: tuple[float, float, float] | None = None
    hemisphere: str | None = None
    components: int | None = None
    largest_component: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return all fields in plain types, for JSON."""
        plain = asdict(self)
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}


def compare_to_mask(
    image,
    mask,
    *,
    registry: BrainMaskRegistry | None = None,
    mask_voxels=None,
    voxels: bool = True,
) -> Comparison:
    """Return whether an image is on a registered mask's grid, the right way round.

    Parameters
    ----------
    image
        A path, or a nibabel image. A file that is missing or broken is a finding, no error.
    mask
        Name of a registered mask (aliases are served), its `BrainMaskMetadata`, or the path of
        a mask file, which is taken for the registered mask that has its SHA-256 or, failing
        that, its grid.
    registry
        The masks that there are; without it, the shipped ones.
    mask_voxels
        The mask on its registered grid in RAS order, an array of bool. Without it, the mask is
        read from the path that is given or, if it is a shipped one, fetched as `load_brain_mask`
        does.
    voxels
        Whether to read the voxels; otherwise the header alone is judged.

    Returns
    -------
    Comparison

    Raises
    ------
    UnknownMaskError
        (a KeyError) if no such mask is registered.
    FetchError
        (a FileNotFoundError) if the mask can be had from none of its places.
    InvalidMaskError
        (a ValueError) if the mask's file or array is not on a registered grid.
    """
    registry = shipped_registry() if registry is None else registry
    target, mask_file = _find_mask(mask, registry)
    if mask_voxels is not None:
        mask_voxels = _on_registered_grid(mask_voxels, target)
    try:
        opened = _open(image)
        judged, grid = _judge(opened, target, registry)
        if not voxels:
            return judged
        if (size := math.prod(opened.shape)) > LARGEST * target.size:
            return _noted(judged, _TOO_LARGE, voxels=size, times=LARGEST)
        _require_whole(opened)
        if opened.ndim != 3:
            return judged
        if (dtype := _stored_type(opened)).kind not in "biuf":
            return _noted(judged, _NO_NUMBERS, dtype=dtype)
        values = _values(opened)
    except _Unreadable as problem:
        return _found(NOT_AN_IMAGE, why=problem)
    judged = replace(judged, **_statistics(opened, values))
    if grid is None:
        return judged
    if mask_voxels is None:
        mask_voxels = _mask_voxels(target, mask_file)
    return replace(judged, **_world_statistics(_above(values), grid, target, mask_voxels))


class _Unreadable(Exception):
    """The image cannot be read; says why."""


# --- The mask ---------------------------------------------------------------------------------


def _find_mask(mask, registry: BrainMaskRegistry) -> tuple[BrainMaskMetadata, bytes | None]:
    """Return what is registered, and the mask's file if it was given by path."""
    if isinstance(mask, BrainMaskMetadata):
        return mask, None
    if isinstance(mask, str):
        try:
            return registry.serve(mask), None
        except UnknownMaskError:
            if not Path(mask).is_file():
                raise
    path = Path(mask)
    data, content = _read_mask(path, registry)
    names = registry.by_hash()
    for digest in (hashlib.sha256(data).hexdigest(), hashlib.sha256(content).hexdigest()):
        if digest in names:
            return registry.get(names[digest]), data
    return _by_grid(path, content, registry), data


def _read_mask(path: Path, registry: BrainMaskRegistry) -> tuple[bytes, bytes]:
    """Return a mask's file, as it is and gunzipped."""
    largest = max((content_limit(registry.get(name).size) for name in registry), default=0)
    try:
        data = read_bounded(path, largest)
    except FileNotFoundError as err:
        raise FetchError(f"there is no mask file {path}") from err
    except OSError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err.strerror}") from err
    if data[:2] != b"\x1f\x8b":
        return data, data
    stream = gunzip(data, largest)
    if stream.problem:
        raise InvalidMaskError(f"the mask file {path} is unusable: {stream.problem}")
    return data, stream.content


def _by_grid(path: Path, content: bytes, registry: BrainMaskRegistry) -> BrainMaskMetadata:
    """Return the one registered mask on whose grid a file lies."""
    found = []
    try:
        image = read_image(content)
    except InvalidMaskError as err:
        raise InvalidMaskError(f"the mask file {path} is unusable: {err}") from err
    if image.ndim == 3 and has_orientation(image) and _usable(image.affine):
        grid = _Grid.of(image)
        found = [mask for mask in map(registry.get, registry) if grid.is_that_of(mask)]
    if len(found) != 1:
        which = " and of ".join(mask.name for mask in found) or "no registered mask"
        raise InvalidMaskError(
            f"the mask file {path} has the SHA-256 of no registered mask, and the grid of {which}; "
            "pass the name of a registered mask"
        )
    return found[0]


def _mask_voxels(mask: BrainMaskMetadata, data: bytes | None):
    """Return where a mask is 1, in RAS order; from its file, or else from where it is shipped."""
    if data is None:
        shipped = shipped_registry()
        same = mask.name in shipped and shipped.get(mask.name).content_sha256 == mask.content_sha256
        if not same:
            raise FetchError(
                f"mask {mask.name} is not one of the shipped registry; pass its voxels "
                "(`mask_voxels`), or the path of its file"
            )
        data = load_brain_mask(mask.space, mask.resolution).read_bytes()
    canonical = gunzip(recode(data, mask), content_limit(mask.size)).content
    return stored_voxels(read_image(canonical)) == 1


def _on_registered_grid(mask_voxels, mask: BrainMaskMetadata):
    import numpy as np

    array = np.asarray(mask_voxels)
    if array.shape != mask.shape:
        raise InvalidMaskError(
            f"`mask_voxels` has the shape {array.shape}, mask {mask.name} {mask.shape}"
        )
    return array.astype(bool)


# --- The image --------------------------------------------------------------------------------


def _open(image):
    """Return an image whose header is readable and states at least one voxel."""
    import nibabel as nib

    if isinstance(image, str | os.PathLike):
        path = Path(image)
        try:
            image = nib.load(path)
        except MemoryError:
            raise
        except Exception as err:  # nibabel raises many kinds for bad files
            if path.is_file():
                _length(path, _PIECE)  # a damaged stream is the better reason
            raise _Unreadable(_reason(err)) from err
    if not isinstance(image, nib.spatialimages.SpatialImage):
        raise _Unreadable(f"it holds no volume ({type(image).__name__})")
    if not image.shape or any(n < 1 for n in image.shape):
        raise _Unreadable(f"its header states the shape {_times(image.shape)}")
    return image


def _require_whole(image) -> None:
    """Read the image's files to their ends, checksums included, and keep nothing of them."""
    import nibabel as nib

    if not isinstance(image.dataobj, nib.arrayproxy.ArrayProxy):
        return
    promised = image.dataobj.offset + math.prod(image.shape) * image.dataobj.dtype.itemsize
    least = {"image": promised, "header": 0}
    for role, holder in image.file_map.items():
        if role in least and holder.filename is not None:
            most = least[role] + HEADER_ROOM
            size = _length(holder.filename, most)
            if size < least[role]:
                raise _Unreadable(f"its header promises {promised} bytes, it has {size}")
            if size > most:
                raise _Unreadable(f"it has more than the {most} bytes that its header explains")


def _length(path, most: int) -> int:
    """Return how many bytes a file has, uncompressed; stops reading if they are more than most."""
    from nibabel.openers import ImageOpener

    size = 0
    try:
        with ImageOpener(path) as file:
            while piece := file.read(_PIECE):
                size += len(piece)
                if size > most:
                    break
    except Exception as err:  # each kind of compression has its own
        raise _Unreadable(_reason(err)) from err
    return size


def _values(image):
    """Return the voxels with slope and intercept applied."""
    import numpy as np

    try:
        return np.asanyarray(image.dataobj)
    except MemoryError:
        raise
    except Exception as err:  # whatever a file of any format may bring
        raise _Unreadable(_reason(err)) from err


def _stored_type(image):
    import numpy as np

    return np.dtype(image.dataobj.dtype)


def _reason(err: Exception) -> str:
    """Return one line on why a file could not be read."""
    return " ".join(str(err).split()).rstrip(".") or type(err).__name__


# --- The verdict ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Grid:
    """The grid of an image, as stored and with its axes in RAS order."""

    affine: Any
    axes: str
    ras_affine: Any
    ras_shape: tuple[int, ...]

    @classmethod
    def of(cls, image) -> "_Grid":
        import nibabel as nib
        import numpy as np

        affine = np.asarray(image.affine, dtype=float)
        orientation = nib.io_orientation(affine)
        ras_affine = affine @ nib.orientations.inv_ornt_aff(orientation, image.shape)
        stored_axis = np.argsort(orientation[:, 0])
        return cls(
            affine,
            "".join(nib.aff2axcodes(affine)),
            ras_affine,
            tuple(image.shape[axis] for axis in stored_axis),
        )

    def displacement(self, mask: BrainMaskMetadata) -> float | None:
        """Return the largest distance in mm from the mask's grid, None if the shape is another."""
        if self.ras_shape != mask.shape:
            return None
        return _displacement(self.ras_affine, mask.affine, mask.shape)

    def is_that_of(self, mask: BrainMaskMetadata) -> bool:
        """Return whether it is the mask's grid, in whatever storage order."""
        mm = self.displacement(mask)
        return mm is not None and mm <= TOLERANCE

    @property
    def stored(self) -> str:
        """A clause on the storage order, if it is not the mask's."""
        return "" if self.axes == "RAS" else f", and stored {self.axes} instead of RAS"


def _judge(image, mask: BrainMaskMetadata, registry) -> tuple[Comparison, _Grid | None]:
    """Return what the header says, and the image's grid if it has exactly one."""
    if image.ndim != 3:
        return _not_3d(image.shape), None
    if why := _missing_orientation(image):
        return _found(NO_ORIENTATION, why=why), None
    grid = _Grid.of(image)
    if why := _contradiction(image):
        return replace(_found(FORM_MISMATCH, why=why), axes=grid.axes), None
    judged = (
        _same_grid(grid, mask)
        or _other_grid(grid, mask, registry)
        or _oblique(grid, mask)
        or _shifted(grid, mask, registry)
        or _unknown(grid, mask)
    )
    return replace(judged, axes=grid.axes, displacement_mm=grid.displacement(mask)), grid


def _not_3d(shape) -> Comparison:
    remedy = _TAKE_ONE
    if len(shape) < 3:
        remedy = _NEED_VOLUME
    elif math.prod(shape[3:]) == 1:
        remedy = _TAKE_THE_ONE
    return _found(NOT_3D, ndim=len(shape), shape=_times(shape), remedy=remedy)


def _missing_orientation(image) -> str | None:
    """Return why it is not known where the image lies."""
    import nibabel as nib

    if isinstance(image, nib.Nifti1Pair):
        if not has_orientation(image):
            return "qform and sform code are 0"
    elif isinstance(image, nib.AnalyzeImage):
        return "the Analyze format does not hold that"
    elif isinstance(image, nib.MGHImage) and not _has_good_ras(image):
        return "its goodRASFlag is 0"
    if not _usable(image.affine):
        return "its affine is not usable"
    return None


def _has_good_ras(image) -> bool:
    """Return the flag as it stands in the file: nibabel sets it, with an affine, if it is 0."""
    from nibabel.openers import ImageOpener

    path = image.file_map["image"].filename
    if path is None or not Path(path).is_file():
        return True
    with ImageOpener(path) as file:
        return any(file.read(30)[28:])


def _usable(affine) -> bool:
    import numpy as np

    if affine is None or not np.all(np.abs(affine) < FARTHEST):  # nor is NaN
        return False
    return bool(np.linalg.matrix_rank(affine[:3, :3]) == 3)


def _contradiction(image) -> str | None:
    """Return how qform, sform and zooms of a NIfTI image disagree."""
    import nibabel as nib
    import numpy as np

    if not isinstance(image, nib.Nifti1Pair) or image.header["sform_code"] <= 0:
        return None  # qform and zooms are one
    sform = image.header.get_sform()
    if image.header["qform_code"] > 0:
        try:
            qform = image.header.get_qform()
        except (nib.spatialimages.HeaderDataError, ValueError) as err:
            return f"its qform is no rotation ({_reason(err)})"
        mm = _displacement(qform, sform, image.shape)
        if not mm <= TOLERANCE:
            return f"qform and sform differ by up to {mm:.4g} mm over the volume"
    zooms = np.array(image.header.get_zooms()[:3], dtype=float)
    sizes = nib.affines.voxel_sizes(sform)
    if not np.abs(zooms - sizes).max() <= TOLERANCE:
        return f"voxels of {_times(zooms)} mm by its pixdim, of {_times(sizes)} mm by its sform"
    return None


def _same_grid(grid: _Grid, mask: BrainMaskMetadata) -> Comparison | None:
    if not grid.is_that_of(mask):
        return None
    if grid.axes != "RAS":
        order, harm = _order(grid.axes), _harm(grid.axes)
        return _found(REORIENTED, mask=mask.name, axes=grid.axes, order=order, harm=harm)
    verdict = IDENTICAL if _is_exact(grid, mask) else WITHIN_TOLERANCE
    return _found(verdict, mask=mask.name, mm=grid.displacement(mask))


def _is_exact(grid: _Grid, mask: BrainMaskMetadata) -> bool:
    """Return whether the affine is the mask's, or the mask's as a NIfTI header holds it."""
    import numpy as np

    rounded = mask.affine.astype(np.float32)
    return any(
        _displacement(grid.affine, affine, mask.shape) <= EXACT for affine in (mask.affine, rounded)
    )


def _other_grid(grid: _Grid, mask: BrainMaskMetadata, registry) -> Comparison | None:
    # Those of the same space first: two spaces may share a grid.
    others = sorted(_others(mask, registry), key=lambda other: other.space != mask.space)
    for other in others:
        if grid.is_that_of(other):
            found = _found(
                OTHER_RESOLUTION if other.space == mask.space else OTHER_SPACE,
                mask=mask.name,
                space=mask.space,
                other=other.name,
                resolution=other.resolution,
                stored=grid.stored,
            )
            return replace(found, other=other.name)
    return None


def _oblique(grid: _Grid, mask: BrainMaskMetadata) -> Comparison | None:
    import numpy as np

    straight = grid.ras_affine.copy()
    straight[:3, :3] = np.diag(np.diag(straight)[:3])
    mm = _displacement(grid.ras_affine, straight, grid.ras_shape)
    if mm <= TOLERANCE:
        return None
    return _found(OBLIQUE, mask=mask.name, space=mask.space, mm=mm)


def _shifted(grid: _Grid, mask: BrainMaskMetadata, registry) -> Comparison | None:
    if grid.ras_shape != mask.shape:
        return None
    moved = grid.ras_affine.copy()
    moved[:3, 3] = mask.origin
    if _displacement(moved, mask.affine, mask.shape) > TOLERANCE:
        return None
    # Rounded to 1e-6 mm, and 0 for -0.
    x, y, z = (
        round(float(at - origin), 6) + 0.0
        for at, origin in zip(grid.ras_affine[:3, 3], mask.origin, strict=True)
    )
    found = _found(
        SHIFTED,
        mask=mask.name,
        x=x,
        y=y,
        z=z,
        origin=_whose_origin(grid, mask, registry),
        stored=grid.stored,
    )
    return replace(found, shift_mm=(x, y, z))


def _whose_origin(grid: _Grid, mask: BrainMaskMetadata, registry) -> str:
    """Return a clause on the mask of the same space that has this origin, if there is one."""
    import numpy as np

    for other in _others(mask, registry):
        same_space = other.space == mask.space
        if same_space and np.abs(grid.ras_affine[:3, 3] - other.origin).max() <= TOLERANCE:
            return f" (its origin is that of {other.name})"
    return ""


def _unknown(grid: _Grid, mask: BrainMaskMetadata) -> Comparison:
    import nibabel as nib

    return _found(
        UNKNOWN_GRID,
        mask=mask.name,
        space=mask.space,
        shape=_times(grid.ras_shape),
        zooms=_times(nib.affines.voxel_sizes(grid.ras_affine)),
        axes=grid.axes,
        corner=",".join(f"{mm:.6g}" for mm in grid.ras_affine[:3, 3]),
    )


def _others(mask: BrainMaskMetadata, registry) -> Iterator[BrainMaskMetadata]:
    return (registry.get(name) for name in registry if name != mask.name)


def _displacement(affine, other, shape) -> float:
    """Return the largest distance in mm between the two places of a voxel, over a volume."""
    import numpy as np

    # The distance is convex in the index, and so largest at a corner.
    corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(shape) - 1)
    difference = np.asarray(affine, dtype=float) - np.asarray(other, dtype=float)
    apart = corners @ difference[:3, :3].T + difference[:3, 3]
    return float(np.linalg.norm(apart, axis=1).max())


def _order(axes: str) -> str:
    """Return in words how stored axes differ from RAS."""
    flipped = [name for name, code in zip("xyz", "LPI", strict=True) if code in axes]
    parts = []
    if flipped:
        run = "runs" if len(flipped) == 1 else "run"
        parts.append(f"{' and '.join(flipped)} {run} the other way")
    if any(code not in pair for code, pair in zip(axes, ("RL", "AP", "SI"), strict=True)):
        leads = ", ".join(_DIRECTIONS[code] for code in axes)
        parts.append(f"the axes are permuted: they lead to the {leads}")
    return ", ".join(parts)


def _harm(axes: str) -> str:
    """Return what goes wrong if the storage order is ignored."""
    if "L" in axes:
        return "its hemispheres are swapped"
    return "its voxels are at other places"


def _found(verdict: str, **facts) -> Comparison:
    return Comparison(verdict, _DETAILS[verdict].format(**facts))


def _noted(judged: Comparison, note: str, **facts) -> Comparison:
    return replace(judged, detail=judged.detail + note.format(**facts))


def _times(numbers) -> str:
    return "x".join(f"{n:.6g}" for n in numbers)


# --- The voxels -------------------------------------------------------------------------------


def _above(values):
    """Return which values are finite and above 0.5."""
    import numpy as np

    return (values > 0.5) & np.isfinite(values)


def _statistics(image, values) -> dict[str, Any]:
    """Return what can be said of the voxels wherever they lie."""
    import numpy as np
    from scipy import ndimage

    above = _above(values)
    labels, components = ndimage.label(above, structure=np.ones((3, 3, 3)))
    sizes = np.bincount(labels[above])
    zeros_and_ones = np.count_nonzero(values == 0) + np.count_nonzero(values == 1)
    return {
        "binary": bool(zeros_and_ones == values.size),
        "stored_type": _stored_type(image).name,
        "scaling": _scaling(image),
        "voxels": int(np.count_nonzero(above)),
        "non_finite": int(values.size - np.count_nonzero(np.isfinite(values))),
        "components": int(components),
        "largest_component": int(sizes.max()) if components else 0,
    }


def _scaling(image) -> tuple[float, float] | None:
    slope = float(getattr(image.dataobj, "slope", 1))
    inter = float(getattr(image.dataobj, "inter", 0))
    return None if (slope, inter) == (1, 0) else (slope, inter)


def _world_statistics(above, grid: _Grid, mask: BrainMaskMetadata, mask_voxels) -> dict[str, Any]:
    """Return what can be said of the voxels where they lie."""
    import numpy as np

    voxels = int(np.count_nonzero(above))
    inside = _count_inside(above, grid, mask, mask_voxels)
    facts = {
        "volume_ml": voxels * abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000,
        "voxels_inside": inside,
        "voxels_outside": voxels - inside,
    }
    if voxels:
        centre = _centre_of_mass(above, grid)
        facts |= {"centre_of_mass_mm": centre, "hemisphere": _hemisphere(centre[0])}
    return facts


def _count_inside(above, grid: _Grid, mask: BrainMaskMetadata, mask_voxels) -> int:
    """Return how many voxels have their centre in a voxel of the mask."""
    import numpy as np
    from nibabel.affines import apply_affine

    to_mask = np.linalg.inv(mask.affine) @ grid.affine
    inside = 0
    for k in range(above.shape[2]):  # by slices: the indices of all voxels take much memory
        i, j = np.nonzero(above[:, :, k])
        centres = np.column_stack([i, j, np.full(len(i), k)])
        nearest = np.rint(apply_affine(to_mask, centres))
        within = np.all((nearest >= 0) & (nearest < mask.shape), axis=1)
        inside += np.count_nonzero(mask_voxels[tuple(nearest[within].astype(int).T)])
    return int(inside)


def _centre_of_mass(above, grid: _Grid) -> tuple[float, float, float]:
    """Return the mean of the voxels' centres in mm (RAS+)."""
    import numpy as np
    from nibabel.affines import apply_affine

    mean = []
    for axis, length in enumerate(above.shape):
        counts = np.count_nonzero(above, axis=tuple({0, 1, 2} - {axis}))
        mean.append(np.average(np.arange(length), weights=counts))
    x, y, z = apply_affine(grid.affine, mean).tolist()
    return x, y, z


def _hemisphere(x: float) -> str:
    if abs(x) <= MIDLINE:
        return "midline"
    return "left" if x < 0 else "right"
