# SPDX-License-Identifier: MIT
"""The note of where the bytes of a fetched mask came from."""

import hashlib

from ..errors import InvalidMaskError
from ..fetching import Origin, Verified
from ..nifti import content_limit, difference
from ..paths import StrPath
from ..registry import BrainMaskMetadata
from ..storage import read_bounded, to_json
from .published import read_json


def note_of(found: Verified) -> bytes:
    """Return the note: where verified bytes came from, and which bytes these are."""
    return to_json(found.origin.note(found.sha256))


def read_fetched(
    mask: BrainMaskMetadata, mask_path: StrPath, origin_path: StrPath
) -> tuple[bytes, Origin]:
    """Return a fetched file as it is registered, verified in memory, and where it came from.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, origin_path
        Where `download` has put the mask and the note of its origin.

    Raises
    ------
    InvalidMaskError
        If it is not the registered mask, or the note is that of other bytes; says which.
    """
    try:
        data = read_bounded(mask_path, content_limit(mask.size))
    except OSError as err:
        raise InvalidMaskError(f"{mask_path} is unusable ({err.strerror})") from err
    try:
        note = read_json(origin_path)
        origin = Origin.from_note(note)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidMaskError(f"{origin_path} is no note of a mask's origin") from err
    if damage := difference(data, mask, origin.verified_by):
        raise InvalidMaskError(f"{mask_path} {damage}")
    # A note that an earlier version wrote does not say of which bytes it is.
    found = hashlib.sha256(data).hexdigest()
    if note.get("sha256", found) != found:
        raise InvalidMaskError(f"{origin_path} is the note of other bytes than {mask_path} has")
    return data, origin
