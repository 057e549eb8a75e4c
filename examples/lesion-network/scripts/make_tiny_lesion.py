# SPDX-License-Identifier: MIT
"""Make lesions/tiny.nii.gz: a ball in the left hemisphere, stored LAS as many lesions are."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

# The 2 mm grid of MNI152NLin6Asym with x running from right to left.
SHAPE = (91, 109, 91)
AFFINE = np.array([[-2, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]], dtype=float)
# In mm, RAS+: a negative x is left.
CENTRE = (-30, -20, 24)
RADIUS = 6


def tiny_lesion() -> nib.Nifti1Image:
    """Return the lesion: 1 where a voxel's centre is at most RADIUS mm from CENTRE, else 0."""
    mm = nib.affines.apply_affine(AFFINE, np.moveaxis(np.indices(SHAPE), 0, -1))
    ball = ((mm - CENTRE) ** 2).sum(axis=-1) <= RADIUS**2
    image = nib.Nifti1Image(ball.astype(np.int16), AFFINE)
    image.set_sform(AFFINE, code="mni")
    image.set_qform(AFFINE, code="mni")
    image.header.set_xyzt_units("mm")
    return image


def main() -> None:
    """Write the file."""
    path = Path(__file__).parents[1] / "lesions" / "tiny.nii.gz"
    # nibabel compresses fast; almost all of this is zeros, which deserve better.
    path.write_bytes(gzip.compress(tiny_lesion().to_bytes(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
