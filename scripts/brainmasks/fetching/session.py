# SPDX-License-Identifier: MIT
"""The session of requests that asks a server, and what its errors mean."""

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from ..errors import FetchError
from ..urls import one_line, shown_url

if TYPE_CHECKING:
    import requests

log = logging.getLogger(__name__)

REDIRECTS = 10


def new_session() -> "requests.Session":
    """Return a session that follows a few redirects, and none from https to http."""
    import requests

    session = requests.Session()
    session.max_redirects = REDIRECTS
    session.hooks["response"].append(guard_redirect)
    return session


def guard_redirect(response: "requests.Response", **_settings: object) -> None:
    """Leave the body of a redirect unread, which requests would inflate whole.

    Parameters
    ----------
    response
        As requests hands it to the hook ``response``, before it goes where the answer leads.

    Raises
    ------
    FetchError
        If it leads from https to http: what was asked for in secret is not sent in the open.
    """
    if not response.is_redirect:
        return
    response._content = b""
    response.close()
    target = response.headers["Location"]
    try:
        # As requests does before it goes there: a server's header is bytes.
        target.encode("latin-1").decode()
    except UnicodeDecodeError as err:
        raise FetchError("redirected to what is no URL") from err
    if response.url.startswith("https:") and urlsplit(target).scheme == "http":
        raise FetchError(f"redirected from https to {one_line(target)}; refused")
    if response.is_permanent_redirect:
        log.info("%s has moved for good, to %s", shown_url(response.url), one_line(target))


def proxy_of(url: str) -> str:
    """Return the proxy that the environment sets for a URL, without credentials; else nothing."""
    import requests

    return shown_url(requests.utils.select_proxy(url, getproxies()) or "")


def innermost_cause(err: BaseException) -> str:
    """Return the innermost reason: that of the operating system or of the server."""
    seen = err
    while True:
        inner = seen.__cause__ or seen.__context__ or getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            return one_line(str(seen))
        seen = inner


def is_unknown_host(err: BaseException) -> bool:
    """Return whether an error means that the name of a host cannot be resolved."""
    from urllib3.exceptions import NameResolutionError

    seen: BaseException | None = err
    while seen is not None:
        if isinstance(seen, NameResolutionError) or isinstance(
            getattr(seen, "reason", None), NameResolutionError
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
