# SPDX-License-Identifier: MIT
"""Download from a URL, within limits of time and size, with the reason of every failure."""

import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import FetchError
from .doi import file_address
from .downloader import SessionDownloader
from .limits import DEFAULT_LIMITS, Limits


def transfer(url: str, largest: int, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, str]:
    """Return the bytes behind a URL as they came over the wire; they are not verified.

    Parameters
    ----------
    url
        ``http://``, ``https://`` or ``doi:``.
    largest
        Most bytes to collect; one more is returned if there are more.
    limits
        Times and counts.

    Returns
    -------
    bytes, str
        The body, and its Content-Encoding, if the server stated one.

    Raises
    ------
    FetchError
        If they are not available; names neither mask nor URL.
    """
    import pooch

    # It would print the URL as it is, with a password that it may carry.
    pooch.get_logger().setLevel(logging.WARNING)
    by_doi = url.lower().startswith("doi:")
    downloader = SessionDownloader(
        limits,
        largest,
        progressbar=sys.stderr.isatty(),
        fills_in=not by_doi,
    )

    def work() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "download")
            pooch.retrieve(
                # The caller verifies: pooch would delete what does not match, and a user wants
                # to know what arrived.
                file_address(url, limits) if by_doi else url,
                known_hash=None,
                fname=path.name,
                path=folder,
                downloader=downloader,
            )
            return path.read_bytes()

    return _within_deadline(downloader, work), downloader.content_encoding


def _within_deadline(downloader: SessionDownloader, work: Callable[[], bytes]) -> bytes:
    """Return what the work returns, but not later than the downloader's end.

    A server that feeds the headers byte by byte keeps within every limit on a single read.
    """
    bodies: list[bytes] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            bodies.append(work())
        except BaseException as err:  # noqa: BLE001, handed over to the caller
            errors.append(err)

    # A daemon thread: one that hangs for ever does not keep the process from ending.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    # One second more, so that the downloader itself can say how far it came.
    while thread.is_alive() and (left := downloader.end + 1 - time.monotonic()) > 0:
        thread.join(left)
    if errors:
        raise errors[0]
    if not bodies:
        raise FetchError(f"not finished within {downloader.limits.deadline:.0f} s")
    return bodies[0]
