# SPDX-License-Identifier: MIT
"""Measure one lesion, and how much of it lies inside the brain."""

import gzip
import logging
import sys
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

log = logging.getLogger(__name__)

# What gzip and nibabel raise for a damaged file depends on the damage.
DAMAGED = (OSError, EOFError, ValueError, zlib.error, ImageFileError, HeaderDataError)


class LesionError(ValueError):
    """A file is no lesion mask; the message is meant for the user."""


def read_lesion(path):
    """Return the voxels of a lesion mask and their affine.

    Parameters
    ----------
    path
        A gzipped NIfTI image of any integer or float type; what is above 0.5 is lesion.

    Returns
    -------
    voxels : numpy.ndarray of bool
    affine : numpy.ndarray
        From voxel indices to mm.

    Raises
    ------
    LesionError
        If the file is damaged, or is no mask whose voxels have a known place.
    """
    try:
        # To the end, where the checksum is: nibabel stops reading at the last voxel.
        gzip.decompress(Path(path).read_bytes())
        image = nib.load(path)
        values = np.asanyarray(image.dataobj)
    except DAMAGED as err:
        raise LesionError(f"{path}: not readable as gzipped NIfTI: {err}") from err
    if image.ndim != 3:
        raise LesionError(f"{path}: it has {image.ndim} dimensions {image.shape}, expected 3")
    # nibabel would make up an affine, which puts the lesion anywhere.
    if not (image.header["qform_code"] > 0 or image.header["sform_code"] > 0):
        raise LesionError(f"{path}: it has no orientation: qform and sform code are 0")
    if not 0 < voxel_volume(image.affine) < np.inf:
        raise LesionError(f"{path}: its affine gives voxels no volume: {image.affine.tolist()}")
    if values.dtype.kind not in "iuf":
        raise LesionError(f"{path}: its voxels are of type {values.dtype}, not numbers")
    if odd := np.count_nonzero(~np.isfinite(values)):
        raise LesionError(f"{path}: {odd} voxels are NaN or infinite")
    voxels = values > 0.5
    if not voxels.any():
        raise LesionError(f"{path}: it is empty: no voxel is above 0.5")
    return voxels, image.affine


def voxel_volume(affine) -> float:
    """Return the volume of a voxel in cubic mm."""
    return abs(float(np.linalg.det(affine[:3, :3])))


def fraction_inside(lesion, lesion_affine, mask, mask_affine) -> float:
    """Return the fraction of lesion voxels whose centre lies inside a mask.

    The two are compared where they lie in the world: the same index may be left in one image and
    right in the other.

    Parameters
    ----------
    lesion, mask : numpy.ndarray of bool
        Voxels; each array may have its own shape, resolution and order of axes.
    lesion_affine, mask_affine : numpy.ndarray
        From voxel indices to mm of the same space.
    """
    mm = apply_affine(lesion_affine, np.argwhere(lesion))
    # Half-way goes to the even voxel: nothing is moved to one side, as it would be by going up.
    index = np.rint(apply_affine(np.linalg.inv(mask_affine), mm)).astype(int)
    on_grid = ((index >= 0) & (index < mask.shape)).all(axis=1)
    return float(mask[tuple(index[on_grid].T)].sum() / len(index))


def measure(name: str, lesion_path, mask_path) -> dict:
    """Return the row of one lesion.

    Parameters
    ----------
    name
        What to call the lesion in the table.
    lesion_path, mask_path
        The lesion and the brain mask, in the same space.

    Raises
    ------
    LesionError
        As `read_lesion` does.
    """
    lesion, affine = read_lesion(lesion_path)
    # The mask is verified: binary, three-dimensional, oriented.
    mask = nib.load(mask_path)
    voxels = int(lesion.sum())
    return {
        "lesion": name,
        "voxels": voxels,
        # To the nanolitre: beyond that stands what the determinant adds.
        "volume_ml": round(voxels * voxel_volume(affine) / 1000, 6),
        "fraction_inside": fraction_inside(
            lesion, affine, np.asanyarray(mask.dataobj).astype(bool), mask.affine
        ),
    }


def main(job) -> None:
    """Run the job that Snakemake describes."""
    logging.basicConfig(
        format="%(levelname)s: %(message)s",
        handlers=[logging.FileHandler(job.log[0], mode="w"), logging.StreamHandler()],
    )
    # Ours alone: nibabel tells of trifles in headers.
    log.setLevel(logging.INFO)
    try:
        row = measure(job.wildcards.lesion, job.input.lesion, job.input.mask)
    except LesionError as err:
        log.error("%s", err)
        sys.exit(1)
    log.info("%s", row)
    pd.DataFrame([row]).to_csv(job.output.row, sep="\t", index=False)


if __name__ == "__main__":
    main(snakemake)  # noqa: F821, provided by Snakemake
