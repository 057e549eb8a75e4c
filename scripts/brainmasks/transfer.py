"""Bring the bytes behind a URL, or say in a few words why that failed."""

import logging
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from .errors import FetchError
from .version import PROJECT, PROJECT_URL, __version__

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 30.0  # seconds without a byte
HEADERS = {
    "User-Agent": f"{PROJECT}/{__version__} (+{PROJECT_URL})",
    # A server that gzips what is gzipped already would make requests hand over other bytes.
    "Accept-Encoding": "identity",
}


def without_credentials(url: str) -> str:
    """Return a URL without the user name and password that it may carry."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def transfer(url: str) -> bytes:
    """Return the bytes behind a URL; they are not verified.

    Parameters
    ----------
    url
        ``http://``, ``https://`` or ``doi:``.

    Raises
    ------
    FetchError
        If they cannot be had; names no mask and no URL.
    """
    import pooch
    import requests

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "download")
        try:
            downloader = pooch.downloaders.choose_downloader(url, progressbar=sys.stderr.isatty())
            if isinstance(downloader, pooch.HTTPDownloader):
                downloader.kwargs.update(headers=HEADERS, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT))
            downloader(url, str(path), None)
        except requests.HTTPError as err:
            raise FetchError(f"the server answered {err.response.status_code}") from err
        except requests.ConnectionError as err:
            raise FetchError(f"no connection: {_root_cause(err)}") from err
        except requests.Timeout as err:
            raise FetchError("the server did not answer in time") from err
        except (requests.RequestException, ValueError, OSError) as err:
            raise FetchError(f"{type(err).__name__}: {err}") from err
        return path.read_bytes()


def _root_cause(err: BaseException) -> str:
    while err.__cause__ or err.__context__:
        err = err.__cause__ or err.__context__
    return str(err)
