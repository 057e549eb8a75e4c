"""Bring the bytes behind a URL: bounded in time and size, polite, honest about what happened."""

import logging
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import FetchError
from ..storage import is_cut_off
from ..urls import redact, without_credentials
from ..version import PROJECT, PROJECT_URL, __version__

log = logging.getLogger(__name__)

HEADERS = {
    "User-Agent": f"{PROJECT}/{__version__} (+{PROJECT_URL})",
    # A server that gzips what is gzipped already would send other bytes.
    "Accept-Encoding": "identity",
}
# Answers after which it is worth asking again; every 5xx is, too.
TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
REDIRECTS = 10
PIECE = 1 << 16


@dataclass(frozen=True)
class Limits:
    """How long to wait for a server or another run, in seconds, and how often to ask a server.

    Attributes
    ----------
    connect, stall
        Longest wait for a connection, and for the next byte.
    deadline
        Longest time for all attempts at one URL, without the pauses that the server asked for.
    pause
        Longest pause that a server may ask for (Retry-After).
    retries
        How often to ask again after a transient failure.
    backoff
        First pause between attempts; it doubles, and up to as much is added at random.
    patience
        Longest wait for another run that fetches the same mask.
    spread
        Longest random delay before a server is asked without the lock that keeps others from
        doing so at the same time.
    """

    connect: float = 10
    stall: float = 20
    deadline: float = 120
    pause: float = 120
    retries: int = 3
    backoff: float = 0.25
    patience: float = 180
    spread: float = 10


DEFAULT_LIMITS = Limits()


class _Transient(Exception):
    """The attempt failed in a way that may pass: reason, response, and body, as far as known."""


class SessionDownloader:
    """Downloader as pooch calls it: one GET an attempt, over a requests session.

    Parameters
    ----------
    limits
        Times and counts.
    largest
        Most bytes to collect; the transfer stops at the first one beyond.
    expected
        Size of the right file in bytes, if it is known: a shorter body is then asked for again.
    progressbar
        Whether to draw one on the console.
    """

    def __init__(
        self, limits: Limits, largest: int, expected: int | None, progressbar: bool = False
    ) -> None:
        self.limits = limits
        self.largest = largest
        self.expected = expected
        self.progressbar = progressbar
        self.content_encoding = ""
        # When to give up; later by what the server itself asks to wait.
        self.end = time.monotonic() + limits.deadline

    def __call__(self, url: str, output_file, pooch) -> None:
        """Write the body behind a URL to a file.

        Raises
        ------
        FetchError
            If it cannot be had.
        """
        from urllib3.exceptions import MaxRetryError

        retry = self._retry()
        with _session() as session:
            while True:
                try:
                    body = self._attempt(session, url)
                    break
                except _Transient as failure:
                    reason, response, body = failure.args
                    try:
                        retry = retry.increment("GET", url, error=failure)
                    except MaxRetryError:
                        if body is not None:
                            # Short, but something to look at.
                            break
                        times = self.limits.retries + 1
                        raise FetchError(f"{reason} (asked {times} times)") from failure
                    log.info("%s: %s; asking again", without_credentials(url), reason)
                    self._wait(retry, response, reason)
        Path(output_file).write_bytes(body)

    def _retry(self):
        from urllib3.util import Retry

        class Polite(Retry):
            """Pauses before the first retry, too, and at random, so that many runs spread out."""

            def get_backoff_time(self) -> float:
                doubled = self.backoff_factor * 2 ** (len(self.history) - 1)
                return doubled + random.random() * doubled

        return Polite(total=self.limits.retries, backoff_factor=self.limits.backoff)

    def _wait(self, retry, response, reason: str) -> None:
        """Pause as long as the server asks, else as long as backoff says."""
        asked = None
        if response is not None:
            from urllib3.exceptions import InvalidHeader

            try:
                asked = retry.get_retry_after(response.raw)
            except InvalidHeader as err:
                log.info("%s; ignored", err)
        if asked:
            log.warning("%s; the server asks to wait %.0f s", reason, asked)
            if asked > self.limits.pause:
                raise FetchError(
                    f"{reason}; the server asks to wait {asked:.0f} s, at most "
                    f"{self.limits.pause:.0f} s are waited"
                )
            # Others were told the same number, and must not all be back in the same second.
            extra = random.uniform(0, asked / 4)
            time.sleep(extra)
            # Obeying is not held against the server.
            self.end += asked + extra
        elif retry.get_backoff_time() > self.end - time.monotonic():
            raise FetchError(f"{reason}; gave up after {self.limits.deadline:.0f} s")
        retry.sleep(response.raw if response is not None and asked else None)

    def _attempt(self, session, url: str) -> bytes:
        import requests
        from urllib3.exceptions import HTTPError

        timeout = (self.limits.connect, self.limits.stall)
        try:
            with session.get(url, headers=HEADERS, timeout=timeout, stream=True) as response:
                if response.status_code != 200:
                    self._refuse(response, url)
                self.content_encoding = response.headers.get("Content-Encoding", "").lower()
                body = self._body(response)
        except FetchError:
            raise
        except requests.TooManyRedirects as err:
            raise FetchError(f"redirected more than {REDIRECTS} times") from err
        except requests.exceptions.ProxyError as err:
            raise FetchError(f"the proxy {_proxy(url)} failed: {_cause(err)}") from err
        except requests.exceptions.SSLError as err:
            raise FetchError(f"no secure connection: {_cause(err)}") from err
        except requests.ConnectTimeout as err:
            raise _Transient(f"no connection within {timeout[0]:g} s", None, None) from err
        except requests.Timeout as err:
            raise _Transient(f"no answer within {timeout[1]:g} s", None, None) from err
        except (requests.ConnectionError, HTTPError, OSError) as err:
            if isinstance(err, requests.RequestException) and not isinstance(
                err, requests.ConnectionError
            ):
                raise FetchError(f"the request is not possible: {redact(str(err))}") from err
            if _name_unknown(err):
                raise FetchError(f"no connection: {_cause(err)}") from err
            raise _Transient(f"no connection: {_cause(err)}", None, None) from err
        except ValueError as err:
            raise FetchError(f"the request is not possible: {redact(str(err))}") from err
        if self.expected and len(body) < self.expected and is_cut_off(body):
            reason = f"the body is short: {len(body)} of {self.expected} bytes"
            raise _Transient(reason, None, body)
        return body

    def _refuse(self, response, url: str) -> None:
        reason = f"the server answered {response.status_code} {response.reason or ''}".rstrip()
        if proxy := _proxy(url):
            reason += f" through the proxy {proxy}"
        if response.status_code in TRANSIENT:
            raise _Transient(reason, response, None)
        raise FetchError(reason)

    def _body(self, response) -> bytes:
        from tqdm import tqdm

        # What an encoding adds to a file that cannot be packed any more is little.
        room = 1024 + self.largest // 50 if self.content_encoding else 0
        pieces = bytearray()
        with tqdm(
            total=self.expected, unit="B", unit_scale=True, disable=not self.progressbar
        ) as bar:
            while piece := self._piece(response, len(pieces)):
                pieces += piece
                bar.update(len(piece))
                if len(pieces) > self.largest + room:
                    return bytes(pieces[: self.largest + 1])
                if time.monotonic() > self.end:
                    raise FetchError(
                        f"not finished within {self.limits.deadline:.0f} s: "
                        f"{len(pieces)} bytes arrived"
                    )
        return bytes(pieces)

    def _piece(self, response, so_far: int) -> bytes:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        try:
            # As on the wire, and as soon as it arrives: neither decoded, nor awaited in full.
            return response.raw.read1(PIECE, decode_content=False)
        except ReadTimeoutError as err:
            reason = f"nothing for {self.limits.stall:g} s after {so_far} bytes"
            raise _Transient(reason, None, None) from err
        except (HTTPError, OSError) as err:
            reason = f"the body broke off after {so_far} bytes: {_cause(err)}"
            raise _Transient(reason, None, None) from err


def transfer(
    url: str, largest: int, expected: int | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[bytes, str]:
    """Return the bytes behind a URL as they came over the wire; they are not verified.

    Parameters
    ----------
    url
        ``http://``, ``https://`` or ``doi:``.
    largest
        Most bytes to collect; one more is returned if there are more.
    expected
        Size of the right file in bytes, if it is known.
    limits
        Times and counts.

    Returns
    -------
    bytes, str
        The body, and its Content-Encoding, if the server stated one.

    Raises
    ------
    FetchError
        If they cannot be had; names neither mask nor URL.
    """
    import pooch

    # It would print the URL as it is, with a password that it may carry.
    pooch.get_logger().setLevel(logging.WARNING)
    downloader = SessionDownloader(limits, largest, expected, progressbar=sys.stderr.isatty())

    def work() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "download")
            pooch.retrieve(
                # The caller verifies: pooch would delete what does not match, and a user wants
                # to know what arrived.
                _address(url),
                known_hash=None,
                fname=path.name,
                path=folder,
                downloader=downloader,
            )
            return path.read_bytes()

    return _in_time(downloader, work), downloader.content_encoding


def _in_time(downloader: SessionDownloader, work: Callable[[], bytes]) -> bytes:
    """Return what the work returns, but not later than the downloader's end.

    A server that feeds the headers byte by byte keeps within every limit on a single read.
    """
    result: list = []

    def run() -> None:
        try:
            result.append((work(), None))
        except BaseException as err:  # noqa: BLE001, handed over to the caller
            result.append((None, err))

    # A daemon, so that one that hangs for ever keeps nobody from ending.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    # A second more, for the downloader itself to say how far it came.
    while thread.is_alive() and (left := downloader.end + 1 - time.monotonic()) > 0:
        thread.join(left)
    if not result:
        raise FetchError(f"not finished within {downloader.limits.deadline:.0f} s")
    body, error = result[0]
    if error:
        raise error
    return body


def _address(url: str) -> str:
    """Return the address of a file; a DOI is looked up at its repository."""
    if not url.lower().startswith("doi:"):
        return url
    import requests
    from pooch.downloaders import doi_to_repository

    doi, _, name = url[4:].rpartition("/")
    try:
        return doi_to_repository(doi).download_url(name)
    except (requests.RequestException, ValueError) as err:
        raise FetchError(f"the DOI does not lead to the file: {err}") from err


def _session():
    import requests

    class Session(requests.Session):
        """Never goes from https to http: what was asked for in secret is not sent in the open."""

        def get_redirect_target(self, resp) -> str | None:
            target = super().get_redirect_target(resp)
            if target and resp.url.startswith("https:") and urlsplit(target).scheme == "http":
                resp.close()
                raise FetchError(f"redirected from https to {without_credentials(target)}; refused")
            return target

    session = Session()
    session.max_redirects = REDIRECTS
    return session


def _proxy(url: str) -> str:
    import requests

    return without_credentials(requests.utils.select_proxy(url, requests.utils.getproxies()) or "")


def _cause(err: BaseException) -> str:
    """Return the innermost reason: that of the operating system or of the server."""
    seen = err
    while True:
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            text = "".join(c if c.isprintable() else " " for c in str(seen))
            return redact(" ".join(text.split()))
        seen = inner


def _name_unknown(err: BaseException) -> bool:
    from urllib3.exceptions import NameResolutionError

    while err is not None:
        if isinstance(err, NameResolutionError) or isinstance(
            getattr(err, "reason", None), NameResolutionError
        ):
            return True
        err = err.__cause__ or err.__context__
    return False
