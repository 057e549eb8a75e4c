"""The note of where the bytes of a fetched mask came from."""

import json
from pathlib import Path

from ..errors import InvalidMaskError
from ..fetching import Origin
from ..paths import StrPath


def read_origin(path: StrPath) -> Origin:
    """Return what a note says.

    Raises
    ------
    InvalidMaskError
        If it cannot be read, or is no such note.
    """
    try:
        return Origin.from_note(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InvalidMaskError(
            f"{path} is no note of a mask's origin; delete it to have the mask fetched again"
        ) from err
