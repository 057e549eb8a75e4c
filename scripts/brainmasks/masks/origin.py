"""The note of where the bytes of a fetched mask came from."""

import hashlib
from dataclasses import asdict

from ..errors import InvalidMaskError
from ..fetching import Origin, Verified, difference
from ..nifti import content_limit
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import read_bounded, to_json
from .published import read_json


def note_of(found: Verified) -> bytes:
    """Return the note: where verified bytes came from, and which bytes these are."""
    return to_json({**asdict(found.origin), "sha256": found.sha256})


def read_fetched(
    mask: BrainMaskMetadata, mask_path: StrPath, origin_path: StrPath
) -> tuple[bytes, Origin]:
    """Return a fetched file, verified in memory, and where it came from.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, origin_path
        Where `download` has put the mask and the note of its origin.

    Raises
    ------
    InvalidMaskError
        If it is not the registered mask, or the note is that of other bytes.
    """
    again = "delete it to have it fetched again"
    try:
        data = read_bounded(mask_path, content_limit(mask.size))
    except OSError as err:
        problem = f"is unusable ({err.strerror})"
        raise InvalidMaskError(f"mask {mask.name}: {mask_path} {problem}; {again}") from err
    origin, sha256 = read_origin(origin_path)
    if damage := difference(data, mask, origin.verified_by):
        raise InvalidMaskError(f"mask {mask.name}: {mask_path} {damage}; {again}")
    if sha256 != hashlib.sha256(data).hexdigest():
        raise InvalidMaskError(
            f"mask {mask.name}: {origin_path} is the note of other bytes than those of "
            f"{mask_path}; delete both to have them fetched again"
        )
    return data, origin


def read_origin(path: StrPath) -> tuple[Origin, str]:
    """Return what a note says, and the SHA-256 of the bytes that it is about.

    Raises
    ------
    InvalidMaskError
        If it cannot be read, or is no such note.
    """
    try:
        note = read_json(path)
        return Origin.from_note(note), str(note["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidMaskError(
            f"{path} is no note of a mask's origin; delete it to have the mask fetched again"
        ) from err
