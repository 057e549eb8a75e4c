# SPDX-License-Identifier: MIT
"""The JSON file beside a mask: what it is, where it came from, what was checked."""

import hashlib

from ..fetching import Origin
from ..registry import BrainMaskMetadata
from ..storage import to_json
from ..urls import shown_url
from ..version import PROJECT, PROJECT_URL, __version__


def sidecar(
    asked: str,
    mask: BrainMaskMetadata,
    origin: Origin,
    data: bytes,
    checks: dict[str, str],
    code: str,
) -> bytes:
    """Return the sidecar of a published mask: the same bytes for the same mask and origin.

    Keys are those of BIDS where BIDS has one (derivatives of imaging data).

    Parameters
    ----------
    asked
        Space that was asked for.
    mask
        What is registered for the space that was served.
    origin
        Where the bytes came from.
    data
        The published file.
    checks
        Outcome of every check.
    code
        Digest of the code that checked.
    """
    content = {
        "Type": "Brain",
        "Description": f"Brain mask of {mask.space}, {mask.resolution_text} mm",
        "SpatialReference": mask.space,
        "SpaceRequested": asked,
        "SpaceServed": mask.space,
        "Resolution": mask.resolution_words,
        "Sources": [origin.location],
        "RegisteredURL": shown_url(mask.url),
        "Recoded": origin.recoded,
        "VerifiedBy": origin.verified_by,
        "SHA256": hashlib.sha256(data).hexdigest(),
        "RegisteredSHA256": mask.sha256,
        "ContentSHA256": mask.content_sha256,
        "Bytes": len(data),
        "Grid": {
            "Shape": list(mask.shape),
            "VoxelSize": list(mask.zooms),
            "Origin": mask.affine[:3, 3].tolist(),
            "Affine": mask.affine.tolist(),
            "Orientation": "RAS",
            "Units": "mm",
        },
        "Voxels": mask.voxels,
        "VolumeML": round(mask.volume_ml, 6),
        "License": mask.license,
        "ReferencesAndLinks": mask.citation.split("; "),
        "Source": mask.source,
        "Checks": checks,
        "ChecksVersion": code,
        "GeneratedBy": generated_by(),
    }
    return to_json(content)


def generated_by() -> list[dict[str, str]]:
    """Return BIDS's ``GeneratedBy``: this project and nibabel, with their versions."""
    import nibabel

    return [
        {"Name": PROJECT, "Version": __version__, "CodeURL": PROJECT_URL},
        {"Name": "nibabel", "Version": nibabel.__version__},
    ]
