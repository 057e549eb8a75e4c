# SPDX-License-Identifier: MIT
"""The JSON file beside a mask: what it is, where it came from, what was checked."""

import hashlib

from ..fetching import Origin
from ..nifti import CONTENT_SHA256, MD5, SHA256
from ..registry import BRAIN, BrainMaskMetadata
from ..storage import to_json
from ..urls import shown_url
from ..version import PROJECT, PROJECT_URL, __version__
from .published import grid_note

# What was verified, in words: no more than that.
VERIFICATIONS = {
    SHA256: "The file has the registered SHA-256.",
    CONTENT_SHA256: (
        "The gunzipped file has the registered SHA-256. The file itself has another one, as it has "
        "if another deflate library made it."
    ),
    MD5: (
        "The file as it was published has the registered MD5 and size. The SHA-256 of the mask was "
        "computed from it, and is not registered; nor is what a check says was not."
    ),
}


def sidecar(
    asked: str,
    mask: BrainMaskMetadata,
    origin: Origin,
    data: bytes,
    fetched: str,
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
        What is registered for the space that was served, and all that was computed of it.
    origin
        Where the bytes came from.
    data
        The published file.
    fetched
        SHA-256 of the file that was verified.
    checks
        Outcome of every check.
    code
        Digest of the code that checked.
    """
    kind = "" if mask.desc == BRAIN else f" ({mask.desc})"
    content = {
        "Type": "Brain",
        "Description": f"Brain mask of {mask.space}, {mask.resolution_text} mm{kind}",
        "Desc": mask.desc,
        "SpatialReference": mask.space,
        "SpaceRequested": asked,
        "SpaceServed": mask.space,
        "Resolution": mask.resolution_words,
        "Sources": [origin.location],
        "RegisteredURL": shown_url(mask.url),
        # Where an MD5 is registered, what was fetched is kept as it was published.
        "Recoded": origin.recoded or hashlib.sha256(data).hexdigest() != fetched,
        "VerifiedBy": origin.verified_by,
        "Verification": VERIFICATIONS[origin.verified_by],
        "SHA256": hashlib.sha256(data).hexdigest(),
        **_registered(mask),
        "ContentSHA256": mask.content_sha256,
        "Bytes": len(data),
        "Grid": grid_note(mask),
        "Voxels": mask.voxels,
        "VolumeML": round(mask.volume_ml or 0.0, 6),
        "License": mask.license,
        **({"CopyrightNotice": mask.notice} if mask.notice else {}),
        "ReferencesAndLinks": mask.citation.split("; "),
        "Source": mask.source,
        "Checks": checks,
        "ChecksVersion": code,
        "GeneratedBy": generated_by(),
    }
    return to_json(content)


def _registered(mask: BrainMaskMetadata) -> dict[str, str | int]:
    """Return what is registered of the file: nothing that was computed."""
    if mask.md5:
        return {"RegisteredMD5": mask.md5, "RegisteredBytes": mask.bytes}
    return {"RegisteredSHA256": mask.sha256}


def generated_by() -> list[dict[str, str]]:
    """Return BIDS's ``GeneratedBy``: this project and nibabel, with their versions."""
    import nibabel

    return [
        {"Name": PROJECT, "Version": __version__, "CodeURL": PROJECT_URL},
        {"Name": "nibabel", "Version": nibabel.__version__},
    ]
