# SPDX-License-Identifier: MIT
"""The downloader of pooch: asks again after what may pass, within limits of time and size."""

import logging
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FetchError
from ..paths import StrPath
from ..storage import is_cut_off
from ..urls import filled_in, one_line, shown_url
from ..version import PROJECT, PROJECT_URL, __version__
from .limits import Limits
from .session import REDIRECTS, innermost_cause, is_unknown_host, new_session, proxy_of

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

log = logging.getLogger(__name__)

HEADERS = {
    "User-Agent": f"{PROJECT}/{__version__} (+{PROJECT_URL})",
    # A server that gzips what is gzipped already would send other bytes.
    "Accept-Encoding": "identity",
}
# Answers after which it is worth asking again; every 5xx is, too.
TRANSIENT = frozenset({408, 425, 429, *range(500, 600)})
PIECE = 1 << 16
# Seconds above which it does not matter what a server asks for.
LONGEST_PAUSE = 1e9


class _Transient(Exception):
    """An attempt failed in a way that may pass.

    Attributes
    ----------
    reason : str
        What to tell the user.
    response : requests.Response
        What the server answered, if it did.
    body : bytes
        What it sent, if that is complete but short.
    """

    def __init__(
        self,
        reason: str,
        response: "requests.Response | None" = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.response = response
        self.body = body


class SessionDownloader:
    """Downloader as pooch calls it: one GET an attempt, over a requests session.

    Parameters
    ----------
    limits
        Times and counts.
    largest
        Most bytes to collect; the transfer stops at the first one beyond.
    progressbar
        Whether to draw one on the console.
    fills_in
        Whether the URL may name environment variables.
    """

    def __init__(
        self,
        limits: Limits,
        largest: int,
        progressbar: bool = False,
        fills_in: bool = True,
    ) -> None:
        self.limits = limits
        self.fills_in = fills_in
        self.largest = largest
        self.progressbar = progressbar
        self.content_encoding = ""
        # When to give up; later by what the server itself asks to wait.
        self.end = time.monotonic() + limits.deadline

    def __call__(self, url: str, output_file: StrPath, pooch: object) -> None:
        """Write the body behind a URL to a file.

        Raises
        ------
        FetchError
            If the body is not available.
        """
        from urllib3.exceptions import MaxRetryError

        retry = self._retry()
        with new_session() as session:
            while True:
                try:
                    body = self._attempt(session, url)
                    break
                except _Transient as failure:
                    try:
                        retry = retry.increment("GET", url, error=failure)
                    except MaxRetryError:
                        if failure.body is not None:
                            # Short, but it can be examined.
                            body = failure.body
                            break
                        times = self.limits.retries + 1
                        raise FetchError(f"{failure.reason} (asked {times} times)") from failure
                    log.info("%s: %s; asking again", shown_url(url), failure.reason)
                    self._wait(retry, url, failure)
        Path(output_file).write_bytes(body)

    def _retry(self) -> "Retry":
        from urllib3.util import Retry

        class Polite(Retry):
            """Pauses before the first retry, too, and at random, so that many runs spread out."""

            def get_backoff_time(self) -> float:
                doubled: float = self.backoff_factor * 2 ** (len(self.history) - 1)
                return doubled + random.random() * doubled  # nosec B311

        return Polite(total=self.limits.retries, backoff_factor=self.limits.backoff)

    def _wait(self, retry: "Retry", url: str, failure: _Transient) -> None:
        """Pause as long as the server asks, else as long as backoff says."""
        response, reason = failure.response, failure.reason
        asked = None if response is None else _asked_to_wait(retry, response)
        if asked:
            log.warning("%s: %s; the server asks to wait %.0f s", shown_url(url), reason, asked)
            if asked > self.limits.pause:
                raise FetchError(
                    f"{reason}; the server asks to wait {asked:.0f} s, at most "
                    f"{self.limits.pause:.0f} s are waited"
                )
            # Other runs got the same number, and must not all return in the same second.
            extra = random.uniform(0, asked / 4)  # nosec B311
            time.sleep(extra)
            # A pause that the server asks for does not count towards the deadline.
            self.end += asked + extra
        elif retry.get_backoff_time() > self.end - time.monotonic():
            raise FetchError(f"{reason}; gave up after {self.limits.deadline:.0f} s")
        retry.sleep(response.raw if response is not None and asked else None)

    def _attempt(self, session: "requests.Session", url: str) -> bytes:
        import requests
        from urllib3.exceptions import HTTPError

        timeout = (self.limits.connect, self.limits.stall)
        try:
            # What a DOI's repository answers is its own: it names no variable of the user's.
            address = filled_in(url) if self.fills_in else url
        except KeyError as err:
            raise FetchError(f"the environment variable {err.args[0]} is not set") from None
        try:
            with session.get(address, headers=HEADERS, timeout=timeout, stream=True) as response:
                if response.status_code != 200:
                    self._raise_for_status(response, url)
                self.content_encoding = response.headers.get("Content-Encoding", "").lower()
                body = self._body(response)
        except FetchError:
            raise
        except requests.TooManyRedirects as err:
            raise FetchError(f"redirected more than {REDIRECTS} times") from err
        except requests.exceptions.ProxyError as err:
            raise FetchError(f"the proxy {proxy_of(url)} failed: {innermost_cause(err)}") from err
        except requests.exceptions.SSLError as err:
            raise FetchError(f"no secure connection: {innermost_cause(err)}") from err
        except requests.ConnectTimeout as err:
            raise _Transient(f"no connection within {timeout[0]:g} s") from err
        except requests.Timeout as err:
            raise _Transient(f"no answer within {timeout[1]:g} s") from err
        except (requests.ConnectionError, HTTPError, OSError) as err:
            if isinstance(err, requests.RequestException) and not isinstance(
                err, requests.ConnectionError
            ):
                raise FetchError(f"the request is not possible: {one_line(str(err))}") from err
            if is_unknown_host(err):
                raise FetchError(f"no connection: {innermost_cause(err)}") from err
            raise _Transient(f"no connection: {innermost_cause(err)}") from err
        except ValueError as err:
            raise FetchError(f"the request is not possible: {one_line(str(err))}") from err
        if is_cut_off(body):
            reason = f"the body is cut off after {len(body)} bytes"
            raise _Transient(reason, body=body)
        return body

    def _raise_for_status(self, response: "requests.Response", url: str) -> None:
        reason = f"the server answered {response.status_code} {one_line(response.reason or '')}"
        reason = reason.rstrip()
        if proxy := proxy_of(url):
            reason += f" through the proxy {proxy}"
        if response.status_code in TRANSIENT:
            raise _Transient(reason, response)
        raise FetchError(reason)

    def _body(self, response: "requests.Response") -> bytes:
        from tqdm import tqdm

        # What an encoding adds to a file that cannot be packed any more is little.
        room = 1024 + self.largest // 50 if self.content_encoding else 0
        pieces = bytearray()
        with tqdm(
            total=_length(response), unit="B", unit_scale=True, disable=not self.progressbar
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

    def _piece(self, response: "requests.Response", so_far: int) -> bytes:
        from urllib3.exceptions import HTTPError, ReadTimeoutError

        try:
            # As on the wire, and as soon as it arrives: neither decoded, nor awaited in full.
            piece: bytes = response.raw.read1(PIECE, decode_content=False)
        except ReadTimeoutError as err:
            reason = f"nothing for {self.limits.stall:g} s after {so_far} bytes"
            raise _Transient(reason) from err
        except (HTTPError, OSError) as err:
            reason = f"the body broke off after {so_far} bytes: {innermost_cause(err)}"
            raise _Transient(reason) from err
        return piece


def _length(response: "requests.Response") -> int | None:
    """Return how many bytes a server says that it sends, None if that makes no sense."""
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() and len(length) < 16 else None


def _asked_to_wait(retry: "Retry", response: "requests.Response") -> float | None:
    """Return how many seconds a server asks to wait, None if it says nothing that makes sense."""
    from urllib3.exceptions import InvalidHeader

    try:
        asked = retry.get_retry_after(response.raw)
    except (InvalidHeader, ValueError, OverflowError, TypeError) as err:
        log.info("Retry-After is ignored: %s", one_line(str(err)))
        return None
    # A number of thousands of digits is a whole number to Python, and no float.
    return None if asked is None else float(min(asked, LONGEST_PAUSE))
