# SPDX-License-Identifier: MIT
"""What to cite for a mask: sentences for people, BibTeX for their programs."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, count

from ..paths import StrPath
from .metadata import BrainMaskMetadata
from .schemas import read_schema
from .table_reading import read_table

# As the registry says that nothing is known.
UNKNOWN = "unknown"
# Authors that a sentence names before it says "et al.".
NAMED = 6

_DOI = re.compile(r"(?i)(?:https?://(?:dx[.])?doi[.]org/|doi:\s*)(10[.][0-9]{4,9}/\S+)")
_HOST = re.compile(r"https?://(?:www[.])?([^/\s]+)")
_ADDRESS = re.compile(r"https?://\S+")
# What TeX would obey, and how it is written as a letter.
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{each: f"\\{each}" for each in "&%$#_"},
}


@dataclass(frozen=True)
class Reference:
    """A publication, or what else a registry names under "citation".

    Attributes
    ----------
    text : str
        As the registry writes it: a DOI's address, another address, or free text.
    doi : str
        Its DOI, if it is one.
    kind, authors, title, journal, volume, number, pages, year : str
        As BibTeX has them; empty if nothing is known.
    """

    text: str
    doi: str = ""
    kind: str = "misc"
    authors: str = ""
    title: str = ""
    journal: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    year: str = ""

    @property
    def sentence(self) -> str:
        """The reference for people; the text itself if no more is known of it."""
        if not self.title:
            return self.text
        authors = [each for each in self.authors.split(" and ") if each]
        if len(authors) > NAMED or "others" in authors:
            named = [each for each in authors if each != "others"]
            authors = [*named[:NAMED], "et al."]
        issue = f"{self.volume}({self.number})" if self.number else self.volume
        place = ", ".join(each for each in (self.journal, issue, self.pages) if each)
        head = ", ".join(authors) + f" ({self.year})" * bool(self.year)
        parts = [each.rstrip(".") for each in (head, self.title, place) if each]
        return f"{'. '.join(parts)}. https://doi.org/{self.doi}"

    @property
    def stem(self) -> str:
        """The beginning of a BibTeX key: the first author's name, the year, a word; else a host."""
        family = self.authors.partition(",")[0].partition(" and ")[0]
        words = [family, self.year, *re.findall(r"\w{4,}", self.title)[:1]]
        if not self.title:
            host = _HOST.match(self.text)
            words = re.findall(r"\w+", host[1] if host else self.text)[:4]
        return "".join(re.findall("[A-Za-z0-9]+", _plain("".join(words)))) or "brainmask"

    def entry(self, key: str) -> str:
        """Return the BibTeX entry of that key."""
        fields = {"author": _escaped(self.authors), "title": f"{{{_escaped(self.title)}}}"}
        if not self.title:
            is_address = bool(_ADDRESS.fullmatch(self.text))
            fields = {"howpublished" if is_address else "note": _note(self.text)}
        place = "booktitle" if self.kind == "inproceedings" else "journal"
        fields |= {
            place: _escaped(self.journal),
            "volume": _escaped(self.volume),
            "number": _escaped(self.number),
            "pages": self.pages.replace("-", "--"),
            "year": self.year,
            # A link, and no text: escaped, it would lead nowhere.
            "doi": _link(self.doi),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{key},", *lines, "}"])


def read_references(path: StrPath, schema: StrPath) -> dict[str, Reference]:
    """Read a table of publications.

    Parameters
    ----------
    path, schema
        The table, and the JSON schema of a row.

    Returns
    -------
    dict
        Each by its DOI in small letters: a DOI has no others.

    Raises
    ------
    RegistryError
        If a row is wrong.
    """
    return {
        row["doi"].lower(): Reference(text=f"https://doi.org/{row['doi']}", **row)
        for _, row in read_table(path, read_schema(schema))
    }


def references_of(mask: BrainMaskMetadata, known: Mapping[str, Reference]) -> list[Reference]:
    """Return what to cite for a mask, in the order of the registry; empty if it is unknown.

    Parameters
    ----------
    mask
        The mask.
    known
        What `read_references` returned.
    """
    texts = [text.strip() for text in mask.citation.split("; ")]
    return [_reference(text, known) for text in texts if text and text.lower() != UNKNOWN]


def _reference(text: str, known: Mapping[str, Reference]) -> Reference:
    match = _DOI.fullmatch(text)
    if not match:
        return Reference(text)
    return known.get(match[1].lower(), Reference(text, doi=match[1]))


def bibtex(references: Iterable[Reference]) -> dict[str, Reference]:
    """Return each reference once, by a key that no other has."""
    keyed: dict[str, Reference] = {}
    for each in dict.fromkeys(references):
        suffixes = chain([""], "abcdefghijklmnopqrstuvwxyz", (str(n) for n in count(27)))
        keyed[next(each.stem + s for s in suffixes if each.stem + s not in keyed)] = each
    return keyed


def _plain(text: str) -> str:
    """Return letters without their accents, which a key must not have."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(each, each) for each in text)


def _link(text: str) -> str:
    """Return an address or DOI; a brace in it would end its field, and a backslash is none."""
    return text.replace("\\", "%5C").replace("{", "%7B").replace("}", "%7D")


def _note(text: str) -> str:
    """Return free text, with addresses as links."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(".,;:)")
        parts += [_escaped(text[end : match.start()]), rf"\url{{{_link(address)}}}"]
        end = match.start() + len(address)
    return "".join([*parts, _escaped(text[end:])])
