# SPDX-License-Identifier: MIT
"""What a NIfTI header states, before nibabel corrects it or takes it as it is."""

from typing import TYPE_CHECKING

from .words import times

if TYPE_CHECKING:
    import numpy as np

# Bytes of a file in which either version has its header.
HEADER_SIZE = 540


def nifti_version(beginning: bytes) -> int | None:
    """Return 1 or 2 if a file begins with the size of such a header, in either byte order."""
    sizes = {int.from_bytes(beginning[:4], order) for order in ("little", "big")}
    return 2 if 540 in sizes else 1 if 348 in sizes else None


def offset_problem(beginning: bytes, *, single: bool) -> str | None:
    """Return why no voxels can be where a header puts them, None if they can.

    nibabel takes an offset of 0 as it is and counts the header as voxels; others begin after it.

    Parameters
    ----------
    beginning
        The first `HEADER_SIZE` bytes of a file, uncompressed.
    single
        Whether the voxels are in the same file.
    """
    header = _stored_header(beginning)
    if header is None:
        return None
    offset = header["vox_offset"].item()
    # A flag of 4 bytes follows the header.
    least = header.dtype.itemsize + 4 if single else 0
    if float(offset).is_integer() and offset >= least:
        return None
    return (
        f"its header puts the voxels at byte {offset:.10g} (vox_offset), which must be a whole "
        f"number, {least} or more"
    )


def voxel_size_problem(beginning: bytes) -> str | None:
    """Return which voxel sizes of a header are 0, None if none is; nibabel takes those for 1 mm.

    Parameters
    ----------
    beginning
        The first `HEADER_SIZE` bytes of a file, uncompressed.
    """
    header = _stored_header(beginning)
    if header is None:
        return None
    sizes = header["pixdim"][1:4][: max(int(header["dim"][0]), 0)]
    if sizes.all():
        return None
    return f"its header states voxels of {times(sizes.astype(float))} mm (pixdim)"


def _stored_header(beginning: bytes) -> "np.void | None":
    """Return the fields of a header as they are stored, None if it is no NIfTI header."""
    import nibabel as nib
    import numpy as np

    version = nifti_version(beginning)
    layout = nib.nifti2.header_dtype if version == 2 else nib.nifti1.header_dtype
    if version is None or len(beginning) < layout.itemsize:
        return None
    if int.from_bytes(beginning[:4], "little") != layout.itemsize:
        layout = layout.newbyteorder(">")
    else:
        layout = layout.newbyteorder("<")
    header: np.void = np.frombuffer(beginning[: layout.itemsize], layout)[0]
    return header if header["magic"].item()[:3] in (b"n+1", b"ni1", b"n+2", b"ni2") else None
