# SPDX-License-Identifier: MIT
"""Anatomy under an image: a T1 image of the mask's space, read and checked."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidMaskError, RegistryError
from ..images import PublishedMask
from ..nifti import (
    LARGEST_FILE,
    contradiction,
    has_orientation,
    is_usable,
    read_image,
    scaled_voxels,
    times,
)
from ..registry import shipped_backgrounds
from ..storage import gunzip_whole, is_gzip, read_bounded

if TYPE_CHECKING:
    import nibabel as nib
    import numpy as np
    from numpy.typing import NDArray

# Part of the brain that a background must show. Some fields of view end at the cerebellum.
COVERED = 0.95
# Percentiles of the values in the brain that are black and white: some voxels are far brighter.
BLACK, WHITE = 1, 99.5


@dataclass(frozen=True)
class BackgroundFile:
    """A background as the configuration names it.

    Attributes
    ----------
    path : str
        The file.
    sha256 : str or None
        What its SHA-256 must be; None if that is not known.
    known : bool
        Whether it must be one of the shipped table: nobody but that says in which space it is.
    """

    path: str
    sha256: str | None
    known: bool = False


@dataclass(frozen=True)
class Background:
    """An image of the anatomy, where its own header puts it.

    Attributes
    ----------
    name, sha256 : str
        Name and SHA-256 of its file.
    affine : array of shape (4, 4)
        Voxel indices to mm (RAS+).
    values : array
        Its voxels.
    black, white : float
        The values that are shown so.
    """

    name: str
    sha256: str
    affine: "NDArray[np.float64]"
    values: "NDArray[np.float32]"
    black: float
    white: float

    def brightness(self, points: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """Return how bright it is at points in mm, from 0 to 1, linear between voxels' centres.

        Parameters
        ----------
        points
            x, y and z (RAS+) along the last axis.
        """
        import numpy as np
        from nibabel.affines import apply_affine
        from scipy.ndimage import map_coordinates

        at = np.moveaxis(apply_affine(np.linalg.inv(self.affine), points), -1, 0)
        # Beyond its field it is black.
        values = map_coordinates(
            self.values, at, np.float64, 1, mode="grid-constant", cval=self.black
        )
        shown: NDArray[np.float64] = (values - self.black) / (self.white - self.black)
        return np.clip(shown, 0, 1)

    @property
    def in_words(self) -> str:
        """Which file it is."""
        return f"Background: {self.name}, SHA-256 {self.sha256}"


@cache
def background_under(file: BackgroundFile, mask: PublishedMask) -> Background:
    """Return the background of a mask: read once in each process.

    Parameters
    ----------
    file
        The file.
    mask
        The mask, in whose space it must be.

    Raises
    ------
    RegistryError
        If it cannot be a background of this mask; says why.
    """
    space = mask.metadata.space
    try:
        content, sha256 = _content(file)
        _require_space(content, space, file.known)
        return _background(read_image(content), Path(file.path).name, sha256, mask)
    except OSError as err:
        raise RegistryError(_wrong(space, file, err.strerror)) from err
    except InvalidMaskError as err:
        raise RegistryError(_wrong(space, file, err)) from err


def _content(file: BackgroundFile) -> tuple[bytes, str]:
    """Return the file, gunzipped, and its SHA-256, if that is what it must be."""
    data = read_bounded(file.path, LARGEST_FILE)
    sha256 = hashlib.sha256(data).hexdigest()
    if file.sha256 not in (None, sha256):
        raise InvalidMaskError("it changed since this run was planned; run again")
    return gunzip_whole(data, LARGEST_FILE) if is_gzip(data) else data, sha256


def _wrong(space: str, file: BackgroundFile, why: object) -> str:
    return f"config key 'background': {file.path} cannot be that of {space}: {why}"


def _require_space(content: bytes, space: str, known: bool) -> None:
    spaces = {each.content_sha256: each.space for each in shipped_backgrounds()}
    found = spaces.get(hashlib.sha256(content).hexdigest())
    if found and found != space:
        raise InvalidMaskError(f"it is the T1 image of {found}; give one of {space}")
    if known and not found:
        raise InvalidMaskError(
            "it is not the file that this version of its package is known for; name it under "
            "'background' yourself if it is in that space"
        )


def _background(
    image: "nib.Nifti1Image | nib.Nifti2Image", name: str, sha256: str, mask: PublishedMask
) -> Background:
    import numpy as np
    from nibabel.affines import apply_affine

    if image.ndim != 3:
        raise InvalidMaskError(f"it has {image.ndim} dimensions ({times(image.shape)}), expected 3")
    if not has_orientation(image) or not is_usable(image.affine):
        raise InvalidMaskError("its header does not say where its voxels lie")
    if why := contradiction(image):
        raise InvalidMaskError(f"its header contradicts itself: {why}")
    values = np.asarray(scaled_voxels(image), dtype=np.float32)
    affine = np.asarray(image.affine, dtype=float)
    brain = np.argwhere(mask.voxels())
    to_index = np.linalg.inv(affine) @ mask.metadata.affine
    at = np.rint(apply_affine(to_index, brain)).astype(int)
    at = at[np.all((at >= 0) & (at < values.shape), axis=1)]
    seen = values[tuple(at.T)]
    seen = seen[np.isfinite(seen)]
    if len(seen) < COVERED * len(brain):
        raise InvalidMaskError(
            f"only {len(seen) / len(brain):.0%} of the brain of {mask.metadata.name} lie in it; "
            "give an image of the whole head or brain"
        )
    black, white = np.percentile(seen, (BLACK, WHITE)).tolist()
    if not black < white:
        raise InvalidMaskError(f"it shows nothing: nearly all of the brain has the value {black:g}")
    if np.isin(seen, (seen.min(), seen.max())).all():
        raise InvalidMaskError(
            "it has two values in the brain, as a mask or a lesion; give a T1 image"
        )
    # What is not finite is black: between it and its neighbours nothing can be computed.
    values[~np.isfinite(values)] = black
    return Background(name, sha256, affine, values, black, white)
