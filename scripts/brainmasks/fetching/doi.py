# SPDX-License-Identifier: MIT
"""The address of a file that a DOI names, as its repository states it."""

from typing import TYPE_CHECKING

from ..errors import FetchError
from ..urls import one_line
from .limits import Limits
from .session import guard_redirect

if TYPE_CHECKING:
    import requests

# What a repository says of one record is far less.
LARGEST = 8 << 20


def file_address(url: str, limits: Limits) -> str:
    """Return the address behind ``doi:{DOI}/{file}``, which pooch looks up.

    Parameters
    ----------
    url
        The DOI of a record at a repository that pooch knows, and the name of a file in it.
    limits
        Times.

    Raises
    ------
    FetchError
        If it does not lead to the file.
    """
    import requests
    from pooch.downloaders import doi_to_repository
    from urllib3.exceptions import HTTPError

    failed = (requests.RequestException, HTTPError)
    # pooch expects the answer of a repository that it knows, and checks none of it.
    misunderstood = (ValueError, LookupError, TypeError, AttributeError)
    doi, _, name = url[len("doi:") :].rpartition("/")
    try:
        address: str = doi_to_repository(
            doi,
            headers={"Accept-Encoding": "identity"},
            timeout=(limits.connect, limits.stall),
            stream=True,
            hooks={"response": [guard_redirect, _read_bounded]},
        ).download_url(name)
    except (*failed, *misunderstood) as err:
        raise FetchError(f"the DOI does not lead to the file: {one_line(str(err))}") from err
    return address


def _read_bounded(response: "requests.Response", **_settings: object) -> None:
    """Read an answer as it came over the wire, and no more of it than can be meant."""
    if response.is_redirect:
        return
    body = response.raw.read(LARGEST + 1, decode_content=False)
    if len(body) > LARGEST:
        raise FetchError(f"the DOI does not lead to the file: more than {LARGEST} bytes of answer")
    response._content = body
    response.close()
