# SPDX-License-Identifier: MIT
"""The session of requests that asks a server, and what its errors mean."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from ..errors import FetchError
from ..urls import one_line, shown_url

if TYPE_CHECKING:
    import requests

REDIRECTS = 10


def new_session() -> "requests.Session":
    """Return a session that follows a few redirects, and none from https to http."""
    import requests

    class Session(requests.Session):
        """Never goes from https to http: what was asked for in secret is not sent in the open.

        Nor does it read the body of a redirect, which requests would inflate whole.
        """

        def get_redirect_target(self, resp: requests.Response) -> str | None:
            target = super().get_redirect_target(resp)
            if target is None:
                return None
            resp._content = b""
            resp.close()
            if resp.url.startswith("https:") and urlsplit(target).scheme == "http":
                raise FetchError(f"redirected from https to {one_line(target)}; refused")
            return target

    session = Session()
    session.max_redirects = REDIRECTS
    return session


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
