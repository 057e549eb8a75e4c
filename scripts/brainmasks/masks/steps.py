# SPDX-License-Identifier: MIT
"""The three steps of a mask in a working folder: download, checksum, validate."""

import hashlib
import logging
from typing import TYPE_CHECKING

from ..errors import InvalidMaskError
from ..fetching import Origin
from ..nifti import (
    CONTENT_SHA256,
    MD5,
    SHA256,
    canonical_file,
    in_words,
    limited_to_registered,
    require_valid,
)
from ..paths import StrPath
from ..registry import BrainMaskMetadata, space_of
from ..storage import publish
from ..telling import TOLD, size_in_words
from .origin import note_of, read_fetched
from .sidecar import sidecar

if TYPE_CHECKING:
    from ..fetching import Fetcher

# What was verified, for people; the sidecar says what exactly.
_VERIFIED = {
    SHA256: "verified",
    CONTENT_SHA256: "verified by its content",
    MD5: "verified by its MD5",
}

log = logging.getLogger(__name__)


def download(asked: str, fetcher: "Fetcher", mask_path: StrPath, origin_path: StrPath) -> None:
    """Bring a mask into the working folder.

    Parameters
    ----------
    asked
        Name of the mask that was asked for.
    fetcher
        The mask, and its sources.
    mask_path, origin_path
        Where to put the mask and the note of where it came from.

    Raises
    ------
    FetchError
        If no source has the mask.
    """
    mask = fetcher.mask
    if asked != mask.name:
        log.warning("mask %s: %s is served under this name", asked, mask.name)
    found = fetcher.fetch()
    # The note first: a mask without its note counts as damaged.
    publish(note_of(found), origin_path)
    publish(found.data, mask_path)


def checksum(
    mask: BrainMaskMetadata, mask_path: StrPath, origin_path: StrPath, checksum_path: StrPath
) -> None:
    """Verify the file in the working folder and write its checksum as sha256sum does.

    Parameters
    ----------
    mask
        What is registered.
    mask_path, origin_path
        What `download` has put there.
    checksum_path
        Where to put the checksum.

    Raises
    ------
    InvalidMaskError
        If it has another hash than registered.
    """
    data, origin = _fetched(mask, mask_path, origin_path)
    log.info("mask %s: %s has the registered %s", mask.name, mask_path, origin.verified_by)
    publish(f"{hashlib.sha256(data).hexdigest()}  {mask_path}\n".encode(), checksum_path)


def validate(
    asked: str,
    mask: BrainMaskMetadata,
    code: str,
    mask_path: StrPath,
    origin_path: StrPath,
    published_path: StrPath,
    sidecar_path: StrPath,
) -> None:
    """Publish a mask and its sidecar if the mask passes every check.

    Parameters
    ----------
    asked
        Name of the mask that was asked for.
    mask
        What is registered for the mask that is served.
    code
        Digest of the code that checks.
    mask_path, origin_path
        What `download` has put there.
    published_path, sidecar_path
        Where to publish the mask and its sidecar.

    Raises
    ------
    InvalidMaskError
        If it does not; names every problem.
    """
    # Verified again, because the file may have been replaced since `checksum` saw it.
    fetched, origin = _fetched(mask, mask_path, origin_path)
    try:
        data, whole = canonical_file(fetched, mask)
    except InvalidMaskError as err:
        raise InvalidMaskError(
            f"mask {mask.name}: {mask_path} has the registered MD5, but does not hold what its row "
            f"states: {err}. Correct the row"
        ) from err
    outcome = limited_to_registered(require_valid(data, whole, mask_path), mask)
    log.info("mask %s: %s", mask.name, in_words(outcome))
    asked_space = space_of(asked)
    log.info("space asked for: %s; space served: %s", asked_space, mask.space)
    source = hashlib.sha256(fetched).hexdigest()
    publish(sidecar(asked_space, whole, origin, data, source, outcome, code), sidecar_path)
    publish(data, published_path)
    served = "" if asked == mask.name else f" (served as {mask.name})"
    log.info(
        "%s%s: %s, from %s, %s",
        asked,
        served,
        _VERIFIED[origin.verified_by],
        origin.in_words(recoded=origin.recoded or data != fetched),
        size_in_words(len(data)),
        extra=TOLD,
    )


def _fetched(
    mask: BrainMaskMetadata, mask_path: StrPath, origin_path: StrPath
) -> tuple[bytes, Origin]:
    """Return what `read_fetched` does; says in an error which mask it is, and what to do."""
    try:
        return read_fetched(mask, mask_path, origin_path)
    except InvalidMaskError as err:
        raise InvalidMaskError(
            f"mask {mask.name}: {err}; run again to have it fetched again"
        ) from err
