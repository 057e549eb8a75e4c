"""URLs as they may be shown: without what only their owner should know."""

import re
from urllib.parse import urlsplit, urlunsplit

_URL = re.compile(r"\w+://[^\s\"']+")
_USER = re.compile(r"(?<=//)[^/\s]*@")
# Any other parameter may be a password by some name; so may what follows a #.
_HARMLESS = "versionid|version|download|dl|raw|ref|file|filename|path|name|format|forcedownload|id"
_PARAMETER = re.compile(
    rf"([?&;](?!(?i:{_HARMLESS})=)[^=&;\s#]+=)[^&;\s#]*?(?=[:,.)\]]*(?:[&;\s#]|$))"
)
_FRAGMENT = re.compile(r"#[\w-]+=[^\s]*?(?=[:,.)\]]*(?:\s|$))")


def redact(text: str) -> str:
    """Return a text without the user names, passwords and tokens of the URLs in it."""
    text = _USER.sub("***@", text)
    # Only within URLs: elsewhere a ; and a = are nothing secret.
    return _URL.sub(lambda url: _FRAGMENT.sub("#***", _PARAMETER.sub(r"\1***", url[0])), text)


def without_credentials(url: str) -> str:
    """Return a URL without user name and password, and with secret parameters hidden."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact(url)
    return redact(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))


def is_possible(url: str) -> bool:
    """Return whether a URL has a host and a port that can be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
