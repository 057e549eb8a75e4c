# SPDX-License-Identifier: MIT
"""A mask that was resampled to another grid: what it must be, its checks, its numbers."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..nifti import PASSED, Covered, covered
from ..registry import BrainMaskMetadata, TargetGrid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# By how many voxels the centre of mass may be moved along each axis. Of the larger voxels of the
# two grids: where smaller ones halve those of the mask, each half counts as a whole on both sides,
# which moves the centre of mass by a part of the mask's voxel, however small the new ones are.
FARTHEST = 0.1
# Relative difference of two sums of the same volume: rounding, of headers too.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class _OnGrid(BrainMaskMetadata):
    """What a mask on another grid must be, for the checks that all masks pass.

    Attributes
    ----------
    grid : TargetGrid
        The grid, stored in any order of axes, as that of an image may be.
    """

    grid: TargetGrid | None = None

    @property
    def affine(self) -> "NDArray[np.float64]":
        """Voxel indices to mm, RAS+: an array of shape (4, 4)."""
        return super().affine if self.grid is None else self.grid.affine


@dataclass(frozen=True)
class Resampled:
    """A mask on another grid, with what it was made from.

    Attributes
    ----------
    mask : BrainMaskMetadata
        The mask that it was made from.
    grid : TargetGrid
        The grid.
    before : array of bool
        The voxels of the mask.
    on_ras : Covered
        The result, with the grid's axes in RAS order.
    ras_affine : array of shape (4, 4)
        The grid's affine with its axes in RAS order.
    voxels : array of bool
        The result, as it is stored.
    """

    mask: BrainMaskMetadata
    grid: TargetGrid
    before: "NDArray[np.bool_]"
    on_ras: Covered
    ras_affine: "NDArray[np.float64]"
    voxels: "NDArray[np.bool_]"

    @cached_property
    def after(self) -> int:
        """How many voxels are 1."""
        import numpy as np

        return int(np.count_nonzero(self.voxels))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel of the grid in ml."""
        import numpy as np

        return abs(float(np.linalg.det(self.grid.affine[:3, :3]))) / 1000

    @property
    def after_ml(self) -> float:
        """Volume of the result in ml."""
        return self.after * self.voxel_ml

    @cached_property
    def cut_ml(self) -> float:
        """Volume of the mask that lies outside the grid, in ml."""
        import numpy as np

        return (int(np.count_nonzero(self.before)) - self.on_ras.inside) * self.mask.voxel_ml

    def image(self) -> Any:
        """Return the result as the image that is published."""
        import nibabel as nib
        import numpy as np

        return nib.Nifti1Image(self.voxels.view(np.uint8), self.grid.affine)

    @cached_property
    def metadata(self) -> _OnGrid:
        """What the published file must be."""
        import nibabel as nib

        x, y, z = (round(float(mm), 6) for mm in nib.affines.voxel_sizes(self.grid.affine))
        return _OnGrid(
            name=f"{self.mask.name} on the grid {self.grid.name}",
            description="",
            space=self.mask.space,
            resolution=(x, y, z),
            content_sha256=hashlib.sha256(self.image().to_bytes()).hexdigest(),
            shape=self.grid.shape,
            voxels=self.after,
            grid=self.grid,
        )

    def checks(self) -> dict[str, str]:
        """Return the outcome of the checks beyond those of every mask."""
        return {"volume": self._volume(), "centre_of_mass": self._centre_of_mass()}

    def _volume(self) -> str:
        """The volume is that of the mask inside the grid, but for what partial voxels allow."""
        inside_ml = self.on_ras.inside * self.mask.voxel_ml
        fractions_ml = self.on_ras.fractions * self.voxel_ml
        allowed_ml = self.on_ras.allowed * self.voxel_ml + _ROUNDING * inside_ml
        if not abs(fractions_ml - inside_ml) <= _ROUNDING * inside_ml:
            return (
                f"{inside_ml:.6g} ml of the mask lie inside the grid, and its voxels hold "
                f"{fractions_ml:.6g} ml of it"
            )
        if not abs(self.after_ml - inside_ml) <= allowed_ml:
            return (
                f"its volume is {self.after_ml:.6g} ml, that of the mask inside the grid "
                f"{inside_ml:.6g} ml: more apart than the {allowed_ml:.6g} ml that "
                f"{self.on_ras.partial} partial voxels allow"
            )
        return PASSED

    def _centre_of_mass(self) -> str:
        """The centre of mass is that of the mask, within `FARTHEST` voxels."""
        import numpy as np

        if self.cut_ml > 0:
            return f"not run: the grid cuts {self.cut_ml:.6g} ml of the mask off"
        larger = np.maximum(np.diag(self.ras_affine)[:3], self.mask.zooms)
        moved = self.shift_mm / larger
        # `not <=`, as for all numbers of files
        if not np.abs(moved).max() <= FARTHEST:
            axis = int(np.abs(moved).argmax())
            return (
                f"its centre of mass is moved by {moved[axis]:+.2g} voxels along {'xyz'[axis]}, "
                f"more than {FARTHEST}: voxels so large, a part of one apart, cannot hold it"
            )
        return PASSED

    @cached_property
    def shift_mm(self) -> "NDArray[np.float64]":
        """How far the centre of mass is from that of the mask, in mm along x, y and z."""
        return _centre(self.on_ras.voxels, self.ras_affine) - _centre(self.before, self.mask.affine)

    def as_note(self) -> dict[str, Any]:
        """Return the numbers for the sidecar: ml to 1e-6, mm to 1e-4."""
        return {
            "VoxelsBefore": self.mask.voxels,
            "VoxelsAfter": self.after,
            "VolumeBeforeML": round(self.mask.volume_ml or 0.0, 6),
            "VolumeAfterML": round(self.after_ml, 6),
            "PartialVoxels": self.on_ras.partial,
            "CutOffVoxels": self.on_ras.cut_off,
            "CutOffML": round(self.cut_ml, 6),
            # 0 for -0.
            "CentreOfMassShiftMM": [round(mm, 4) + 0.0 for mm in self.shift_mm.tolist()],
        }

    def grid_note(self) -> dict[str, Any]:
        """Return what the sidecar says of the grid."""
        import nibabel as nib

        affine = self.grid.affine
        note: dict[str, Any] = {"Name": self.grid.name}
        if self.grid.image:
            note["Image"] = self.grid.image
            said = (
                "the configuration lists the image with a mask of this space: it is taken as lying "
                "in it"
            )
        elif self.grid.spaces:
            said = "the grid's table names the spaces that are known to have it"
        else:
            said = "the grid's table names no space: it is taken as lying in the space of the mask"
        return {
            **note,
            "KnownSpaces": list(self.grid.spaces),
            "Space": said,
            "Shape": list(self.grid.shape),
            "VoxelSize": list(self.metadata.zooms),
            "Origin": affine[:3, 3].tolist(),
            "Affine": affine.tolist(),
            "Orientation": "".join(nib.aff2axcodes(affine)),
            "Units": "mm",
        }


def resampled(before: "NDArray[np.bool_]", mask: BrainMaskMetadata, grid: TargetGrid) -> Resampled:
    """Return a mask on a grid, in the grid's order of storage.

    Parameters
    ----------
    before
        The voxels of the mask.
    mask
        The mask.
    grid
        The grid, of the same space.
    """
    import nibabel as nib

    stored = nib.io_orientation(grid.affine)
    ras_affine = grid.affine @ nib.orientations.inv_ornt_aff(stored, grid.shape)
    x, y, z = (grid.shape[axis] for axis in stored[:, 0].argsort())
    on_ras = covered(before, mask.affine, (x, y, z), ras_affine)
    ras = [[0, 1], [1, 1], [2, 1]]
    to_stored = nib.orientations.ornt_transform(ras, stored)
    voxels = nib.orientations.apply_orientation(on_ras.voxels, to_stored)
    return Resampled(mask, grid, before, on_ras, ras_affine, voxels)


def _centre(voxels: "NDArray[np.bool_]", affine: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the centre of mass of voxels in mm; axes in RAS order."""
    import numpy as np

    # Planes are stored one after the other: to add them up takes least.
    columns = voxels.sum(axis=2, dtype=np.uint32)
    planes = np.array([np.count_nonzero(voxels[:, :, k]) for k in range(voxels.shape[2])])
    index = [
        counts @ np.arange(len(counts)) / counts.sum()
        for counts in (columns.sum(axis=1), columns.sum(axis=0), planes)
    ]
    centre: NDArray[np.float64] = np.diag(affine)[:3] * index + affine[:3, 3]
    return centre
