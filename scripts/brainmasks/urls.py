# SPDX-License-Identifier: MIT
"""URLs and text of others as they may be shown: no secret, no control character, not too long.

Everything here takes time in proportion to the length of the text, whoever wrote it.
"""

import os
import re
from urllib.parse import urlsplit

# Letters of a foreign text that are shown at the most.
LONGEST = 300
# What a query may tell of itself, known to be harmless by name and by form: an S3 version.
_HARMLESS = re.compile(r"versionId=[A-Za-z0-9._-]{1,64}")
_HIDDEN = "***"
_END_OF_SENTENCE = ".,:;!?)]}>'\""
# No other variable of a user may be named: a table may come from elsewhere, and so may its server.
_VARIABLE = re.compile(r"\$\{(BRAINMASKS_\w+)\}")


def shown_url(url: str) -> str:
    """Return scheme, host and path of a URL, and of its query only what is known to be harmless.

    Where something is left out, ``?***`` stands for it. The user and the password go without a
    sign.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, separator, rest = "", "//" * url.startswith("//"), url.removeprefix("//")
    if scheme and "@" in rest and not is_possible(url):
        # A password with a / or a # in it looks like a path.
        return f"{scheme}://{_HIDDEN}"
    place = re.split("[?#]", rest, maxsplit=1)[0]
    query = rest[len(place) + 1 :]
    authority, slash, path = place.partition("/")
    parts = [part for part in query.split("&") if _HARMLESS.fullmatch(part)]
    if query and query != "&".join(parts):
        parts.append(_HIDDEN)
    shown = f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"
    return f"{shown}?{'&'.join(parts)}" if parts else shown


def redact(text: str) -> str:
    """Return a text in which each URL is shown as `shown_url` shows it."""
    return "".join(_redacted(word) for word in re.split(r"(\s+)", text))


def one_line(text: str, longest: int = LONGEST) -> str:
    """Return what others wrote, for a message: cut, without secrets, on one line.

    Parameters
    ----------
    text
        Of a server, a table or a file: of any length, with any characters.
    longest
        Letters that are kept at the most.
    """
    # Cut first, so that nothing works on more than that; a word that is cut may be half a secret.
    kept = text[: 4 * longest]
    if len(text) > len(kept):
        kept = kept.rstrip()
        whole, _, last = kept.rpartition(" ")
        kept = whole if whole or "/" in last or "@" in last else last
    words = escaped(" ".join(redact(kept).split()))
    if len(words) > longest or len(text) > len(kept):
        return f"{words[: longest - 1]}…"
    return words


def escaped(text: str, but: str = "") -> str:
    """Return a text in which whatever a terminal may obey is spelled out.

    Parameters
    ----------
    text
        Any text; lone surrogates are spelled out, too.
    but
        Characters that stay, such as line ends.
    """
    return "".join(
        each if each.isprintable() or each in but else each.encode("unicode_escape").decode()
        for each in text
    )


def filled_in(url: str) -> str:
    """Return a URL with the values of the variables that it names, ``${BRAINMASKS_TOKEN}``.

    Only those of the environment whose names begin with ``BRAINMASKS_``.

    Raises
    ------
    KeyError
        If one is not set.
    """
    return _VARIABLE.sub(lambda name: os.environ[name[1]], url)


def is_possible(url: str) -> bool:
    """Return whether a URL has a host and a port that can be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _redacted(word: str) -> str:
    """Return a word, with each URL in it and each query without the rest of its URL shown."""
    end = len(word.rstrip(_END_OF_SENTENCE))
    word, punctuation = word[:end], word[end:]
    if "://" not in word:
        place, mark, query = word.partition("?")
        return f"{place}{mark}{_HIDDEN if query else ''}{punctuation}"
    first, *others = word.split("://")
    if len(others) > 1 and "@" in word:
        # Which of them is a password's cannot be told.
        return f"{first}://{_HIDDEN}{punctuation}"
    shown = [first]
    for number, other in enumerate(others, start=1):
        shown.append(shown_url(f"://{other}").removeprefix("://"))
        if "?" in shown[-1]:
            # What follows a query up to the next space is the query's.
            if number < len(others) and not shown[-1].endswith(_HIDDEN):
                shown[-1] += f"&{_HIDDEN}"
            break
    return "://".join(shown) + punctuation
