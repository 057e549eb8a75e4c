"""URLs as they may be shown: without what only their owner should know."""

import re
from urllib.parse import urlsplit, urlunsplit

_USER = re.compile(r"(?<=//)[^/\s]*@")
_SECRET = re.compile(
    r"(?i)([?&](?:[\w-]*(?:token|secret|signature|password|credential)|sig|key|api_?key|auth)=)[^&\s#]+"
)


def redact(text: str) -> str:
    """Return a text without the user names, passwords and tokens of the URLs in it."""
    return _SECRET.sub(r"\1***", _USER.sub("***@", text))


def without_credentials(url: str) -> str:
    """Return a URL without user name and password, and with secret parameters hidden."""
    parts = urlsplit(url)
    return redact(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
