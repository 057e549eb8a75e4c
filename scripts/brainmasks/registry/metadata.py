# SPDX-License-Identifier: MIT
"""What is registered for one mask."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from ..urls import shown_url
from .mask_names import BRAIN, Resolution, mask_name, read_resolution, resolution_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BrainMaskMetadata:
    """What is registered for one mask.

    A mask is registered by the SHA-256 of its canonical file, or, where only the publisher's MD5
    is known, by that of the file as it is published: then the hashes, the number of voxels and
    the origin of the mask are not known before that file was fetched.

    Attributes
    ----------
    name : str
        For example ``MNI152NLin6Asym_2mm``.
    description : str
        Free text.
    space : str
        Template space, TemplateFlow's spelling, with its cohort if it has some.
    resolution : float or tuple of float
        Edge of a voxel in mm, or its three edges if it is no cube.
    url : str
        Where the file is published, or its path: absolute, or relative to `folder`.
    sha256, content_sha256 : str
        SHA-256 of the canonical file, and of the gunzipped file; empty if `md5` is known instead.
    source : str
        Who made it.
    md5 : str
        MD5 of the file as it is published, if that is what is registered; else empty.
    bytes : int
        Size of the file that is registered; 0 if it is not known.
    shape : tuple of int
        Voxels along x, y and z; zeros if they are not known.
    origin : tuple of float, or None
        Coordinates in mm (RAS+) of voxel 0, 0, 0, if they are known.
    voxels : int
        How many voxels are 1, None if it is not known.
    desc : str
        Which of the masks of this grid.
    license, citation, notice : str
        Under which licence, what to cite, and the copyright notice that the licence wants kept.
    folder : str
        Folder of the table, from which a relative path in `url` starts.
    """

    name: str
    description: str
    space: str
    resolution: Resolution
    url: str = ""
    sha256: str = ""
    source: str = "templateflow"
    content_sha256: str = ""
    md5: str = ""
    bytes: int = 0
    shape: tuple[int, int, int] = (0, 0, 0)
    origin: tuple[float, float, float] | None = None
    voxels: int | None = None
    desc: str = BRAIN
    license: str = "unknown"
    citation: str = "unknown"
    notice: str = ""
    folder: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> "BrainMaskMetadata":
        """Return the metadata that a checked row of the table states."""
        x, y, z = (int(n) for n in row["shape"].split("x"))
        origin = None
        if row["origin"]:
            x_mm, y_mm, z_mm = (float(mm) for mm in row["origin"].split(","))
            origin = (x_mm, y_mm, z_mm)
        resolution = read_resolution(row["resolution"])
        desc = row.get("desc") or BRAIN
        return cls(
            name=mask_name(row["space"], resolution, desc),
            description=row.get("description", ""),
            space=row["space"],
            resolution=resolution,
            # pooch knows only the small letters.
            url=re.sub(r"(?i)^doi:", "doi:", row["url"]),
            sha256=row["sha256"].lower(),
            source=row["source"],
            content_sha256=row["content_sha256"].lower(),
            md5=row.get("md5", "").lower(),
            bytes=int(row["bytes"]),
            shape=(x, y, z),
            origin=origin,
            voxels=int(row["voxels"]) if row["voxels"] else None,
            desc=desc,
            license=row["license"],
            citation=row["citation"],
            notice=row.get("notice", ""),
            folder=row.get("folder", ""),
        )

    def as_row(self) -> dict[str, str]:
        """Return the cells that say what the mask is: all but its description."""
        return {
            "space": self.space,
            "resolution": resolution_text(self.resolution),
            "desc": self.desc,
            # Recorded, and printed when it changes.
            "url": shown_url(self.url),
            "sha256": self.sha256,
            "content_sha256": self.content_sha256,
            "md5": self.md5,
            "bytes": str(self.bytes),
            "shape": "x".join(str(n) for n in self.shape),
            "origin": ",".join(f"{mm:.12g}" for mm in self.origin or ()),
            "voxels": str(self.voxels or ""),
            "source": self.source,
            "license": self.license,
            "citation": self.citation,
            "notice": self.notice,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return every attribute by its name, as far as a file's reader has use for it.

        Secrets of `url` are left out, and `folder` is.
        """
        known = {**asdict(self), "url": shown_url(self.url)}
        del known["folder"]
        return known

    @property
    def is_complete(self) -> bool:
        """Whether the hashes, voxels and origin of the canonical mask are known."""
        return bool(self.sha256)

    @property
    def zooms(self) -> tuple[float, float, float]:
        """Edges of a voxel along x, y and z in mm."""
        if isinstance(self.resolution, tuple):
            return self.resolution
        return (self.resolution,) * 3

    @property
    def resolution_text(self) -> str:
        """The resolution in mm as names and tables write it: ``2``, ``2x2x4``."""
        return resolution_text(self.resolution)

    @property
    def resolution_words(self) -> str:
        """The resolution in words: ``2 mm isotropic``, ``2x2x4 mm``."""
        isotropic = len(set(self.zooms)) == 1
        return f"{self.resolution_text} mm{' isotropic' if isotropic else ''}"

    @property
    def affine(self) -> "NDArray[np.float64]":
        """Voxel indices to mm, RAS+: an array of shape (4, 4).

        Raises
        ------
        ValueError
            If the origin is not known.
        """
        import numpy as np

        if self.origin is None:
            raise ValueError(f"the origin of {self.name} is not known before it was fetched")
        affine = np.diag([*self.zooms, 1.0])
        affine[:3, 3] = self.origin
        return affine

    @property
    def size(self) -> int:
        """Number of voxels of the whole grid."""
        return prod(self.shape)

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel in ml."""
        return prod(self.zooms) / 1000

    @property
    def volume_ml(self) -> float | None:
        """Volume of the mask in ml, None if the number of its voxels is not known."""
        return self.voxels * prod(self.zooms) / 1000 if self.voxels else None
