# SPDX-License-Identifier: MIT
"""What is registered for one mask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..urls import shown_url
from .mask_names import mask_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BrainMaskMetadata:
    """What is registered for one mask.

    Attributes
    ----------
    name : str
        For example ``MNI152NLin6Asym_2mm``.
    description : str
        Free text.
    space : str
        Template space, TemplateFlow's spelling.
    resolution : float
        Edge of a voxel in mm.
    url : str
        Where the file is published.
    sha256, content_sha256 : str
        SHA-256 of the file, and of the gunzipped file.
    bytes : int
        Size of the file.
    shape : tuple of int
        Voxels along x, y and z.
    origin : tuple of float
        Coordinates in mm (RAS+) of voxel 0, 0, 0.
    voxels : int
        How many voxels are 1.
    source, license, citation : str
        Who made it, under which licence, and what to cite.
    """

    name: str
    description: str
    space: str
    resolution: float
    url: str
    sha256: str
    source: str
    content_sha256: str
    bytes: int
    shape: tuple[int, int, int]
    origin: tuple[float, float, float]
    voxels: int
    license: str
    citation: str

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> "BrainMaskMetadata":
        """Return the metadata that a checked row of the table states."""
        x, y, z = (int(n) for n in row["shape"].split("x"))
        x_mm, y_mm, z_mm = (float(mm) for mm in row["origin"].split(","))
        return cls(
            name=mask_name(row["space"], float(row["resolution"])),
            description=row.get("description", ""),
            space=row["space"],
            resolution=float(row["resolution"]),
            # pooch knows only the small letters.
            url=re.sub(r"(?i)^doi:", "doi:", row["url"]),
            sha256=row["sha256"].lower(),
            source=row["source"],
            content_sha256=row["content_sha256"].lower(),
            bytes=int(row["bytes"]),
            shape=(x, y, z),
            origin=(x_mm, y_mm, z_mm),
            voxels=int(row["voxels"]),
            license=row["license"],
            citation=row["citation"],
        )

    def as_row(self) -> dict[str, str]:
        """Return the cells that say what the mask is: all but its description."""
        x, y, z = (f"{mm:.10g}" for mm in self.origin)
        return {
            "space": self.space,
            "resolution": f"{self.resolution:g}",
            # Recorded, and printed when it changes.
            "url": shown_url(self.url),
            "sha256": self.sha256,
            "content_sha256": self.content_sha256,
            "bytes": str(self.bytes),
            "shape": "x".join(str(n) for n in self.shape),
            "origin": f"{x},{y},{z}",
            "voxels": str(self.voxels),
            "source": self.source,
            "license": self.license,
            "citation": self.citation,
        }

    @property
    def affine(self) -> "NDArray[np.float64]":
        """Voxel indices to mm, RAS+: an array of shape (4, 4)."""
        import numpy as np

        affine = np.diag([self.resolution] * 3 + [1.0])
        affine[:3, 3] = self.origin
        return affine

    @property
    def size(self) -> int:
        """Number of voxels of the whole grid."""
        x, y, z = self.shape
        return x * y * z

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return self.resolution**3 / 1000

    @property
    def volume_ml(self) -> float:
        """Volume of the mask in ml."""
        return self.voxels * self.resolution**3 / 1000
