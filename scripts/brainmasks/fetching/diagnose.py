# SPDX-License-Identifier: MIT
"""Say in one line what a file is that is not the mask."""

import hashlib
import html
import json
import re
from collections.abc import Mapping

from ..errors import InvalidMaskError
from ..nifti import (
    canonical_file,
    content_limit,
    count_ones,
    flipped_along,
    lookalike_in_words,
    read_image,
    recode,
    stated_grid,
    stored_voxels,
)
from ..registry import BrainMaskMetadata
from ..storage import Stream, gunzip, is_gzip
from ..urls import one_line

LONGEST = 100
# Bytes of a file that are looked at, where all of it is not needed.
_LOOKED_AT = 1 << 16
# Bounded, so that a page made for it does not keep them busy.
_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,500}?)</title", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_ANNEX = re.compile(rb"annex/objects/(?:[^\s/]+/)*([^\s/]+)")


def diagnose(
    data: bytes, mask: BrainMaskMetadata, registered: Mapping[str, str], largest: int | None = None
) -> str:
    """Return what arrived instead of a mask.

    Parameters
    ----------
    data
        The file, or its beginning.
    mask
        What was expected.
    registered
        Name of each registered mask by SHA-256 of its file, and of its content.
    largest
        Most bytes that were collected; if the file has more, its end was not seen.
    """
    size = f"{len(data)} bytes"
    if largest is not None and len(data) > largest:
        size = f"more than {largest} bytes"
    other = registered.get(hashlib.sha256(data).hexdigest(), mask.name)
    if other != mask.name:
        return f"another registered mask, {other}"
    if found := what_is(data, size):
        return found
    if is_gzip(data):
        return _gzip(data, mask, registered, size, largest)
    if _is_nifti(data):
        if largest is not None and len(data) > largest:
            return _without_end(data, "a NIfTI file, not gzipped,", size)
        return f"{_image(data, mask, registered, 'a NIfTI file, not gzipped')} ({size})"
    return f"something else: {size}, beginning with {data[:8].hex(' ')} ({_text(data[:16])!r})"


def what_is(data: bytes, size: str) -> str | None:
    """Return what a file is that is no image, with what to do; None if it may be one.

    Parameters
    ----------
    data
        The file, or its beginning.
    size
        Of the whole file, in words.
    """
    if not is_gzip(data):
        return _no_image(data, size)
    stream = gunzip(data, _LOOKED_AT)
    if stream.problem and not stream.content:
        return None
    if is_gzip(stream.content):
        return f"a gzip file with another gzip file in it: unpack it once ({size})"
    if not stream.content:
        return f"a gzip file with nothing in it ({size})"
    found = _no_image(stream.content, size)
    return f"a gzip file with {found}" if found else None


def _no_image(data: bytes, size: str) -> str | None:
    """Return what a file is that is no image, and not gzipped."""
    if not data:
        return "an empty file"
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = start[:512].lower()
    if lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower:
        title = _TITLE.search(data[:_LOOKED_AT])
        name = f' titled "{_text(title[1])}"' if title else ""
        return f"an HTML page{name} ({size})"
    if start.startswith((b"<?xml", b"<Error")):
        return f'an XML message "{_text(data[:4096])}" ({size})'
    if start.startswith((b"{", b"[")) and (message := _json_message(data[:_LOOKED_AT])):
        return f'a JSON message "{message}" ({size})'
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        return f"a git-LFS pointer, not the file: run `git lfs pull` in its repository ({size})"
    if len(data) < 4096 and (key := _ANNEX.search(data)):
        return (
            f"a git-annex pointer to {_text(key[1])}, not the file: run `git annex get` in its "
            "repository"
        )
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return f"a file compressed with zstd: unpack it first, with `zstd -d` ({size})"
    if _is_text(data[:512]):
        return f'a text file that begins "{_text(data[:512])}" ({size})'
    return None


def _is_text(data: bytes) -> bool:
    # The last letter may be cut.
    text = data.decode("utf-8", "ignore")
    whole = len(text.encode()) > len(data) - 4
    return whole and all(each.isprintable() or each in "\t\r\n" for each in text)


def _gzip(
    data: bytes,
    mask: BrainMaskMetadata,
    registered: Mapping[str, str],
    size: str,
    largest: int | None,
) -> str:
    if largest is not None and len(data) > largest:
        return _without_end(data, "a gzip file", size)
    stream = gunzip(data, content_limit(mask.size))
    if stream.too_long:
        return f"a gzip file {_larger(data, mask, stream)} ({size})"
    if stream.problem:
        expected = f" of {mask.bytes}" if "cut off" in stream.problem else ""
        return f"a damaged gzip file, {len(data)}{expected} bytes: {stream.problem}"
    if other := registered.get(hashlib.sha256(stream.content).hexdigest()):
        which = "the mask itself" if other == mask.name else f"another registered mask, {other}"
        return f"{which}, compressed differently"
    return f"{_image(data, mask, registered, 'a gzip file')} ({size})"


def _without_end(data: bytes, kind: str, size: str) -> str:
    """Say of what grid a file is of which the end was not collected."""
    try:
        return f"{kind} of {size}, with {stated_grid(data)}"
    except InvalidMaskError:
        return f"{kind} of {size}"


def _larger(data: bytes, mask: BrainMaskMetadata, stream: Stream) -> str:
    """Say what is in a gzip file with far more than the mask, such as a mask of a finer grid."""
    try:
        grid = stated_grid(data)
    except InvalidMaskError as err:
        return f"that is not the mask: {stream.problem}, and {err}"
    registered = f"registered {'x'.join(map(str, mask.shape))} of {mask.resolution_text} mm"
    try:
        ones = count_ones(data)
    except InvalidMaskError as err:
        return f"that is not the mask: {stream.problem}, its header states {grid}, and {err}"
    if ones is None:
        return f"with another image: {stream.problem}, its header states {grid}, {registered}"
    return (
        f"with another image, which is whole: {grid}, {registered}; {ones} voxels are 1, "
        f"registered {mask.voxels}"
    )


def _image(data: bytes, mask: BrainMaskMetadata, registered: Mapping[str, str], kind: str) -> str:
    """Say in what an image differs from the mask."""
    if not mask.is_complete:
        return _image_of_its_grid(data, mask, kind)
    try:
        recoded = gunzip(recode(data, mask), content_limit(mask.size)).content
        binary = stored_voxels(read_image(recoded))
    except InvalidMaskError as err:
        return f"{kind} that is not the mask: {err}"
    digest = hashlib.sha256(recoded).hexdigest()
    if digest == mask.content_sha256:
        return f"{kind} with the mask, encoded differently"
    if axes := flipped_along(binary, mask):
        swapped = ", left and right are swapped" if "x" in axes else ""
        return f"{kind} with the mask flipped along {axes}: every voxel is mirrored{swapped}"
    voxels = int(binary.sum(dtype=int))
    counts = f"{voxels} voxels are 1, registered {mask.voxels}"
    if voxels != mask.voxels:
        known = lookalike_in_words(binary, mask)
        other = registered.get(digest)
        which = known or (f"it is that of {other}" if other else "")
        return f"{kind} with another mask on the same grid: {counts}{f'; {which}' if which else ''}"
    return (
        f"{kind} with a mask on the same grid: {counts}, but recoding does not give the "
        "registered bytes: others are 1, or the registered file is encoded in its own way"
    )


def _image_of_its_grid(data: bytes, mask: BrainMaskMetadata, kind: str) -> str:
    """Say what an image is where nothing is registered of the mask's voxels."""
    try:
        _, found = canonical_file(data, mask)
    except InvalidMaskError as err:
        return f"{kind} that is not the mask: {err}"
    return f"{kind} with a mask of the same shape and voxel size: {found.voxels} voxels are 1"


def _is_nifti(data: bytes) -> bool:
    return data[344:347] in (b"n+1", b"ni1") or data[4:7] in (b"n+2", b"ni2")


def _json_message(data: bytes) -> str | None:
    """Return the message of a JSON error, or its beginning."""
    try:
        content = json.loads(data)
        while isinstance(content, list) and content:
            content = content[0]
        for key in ("message", "detail", "error", "errors", "title"):
            while isinstance(content, dict) and key in content:
                content = content[key]
                while isinstance(content, list) and content:
                    content = content[0]
        text = content if isinstance(content, str) else json.dumps(content)
    except (ValueError, RecursionError):
        return None
    return _text(text.encode(errors="replace"))


def _text(raw: bytes) -> str:
    """Return readable text on one line: no tags, no control characters, not too long."""
    text = html.unescape(_TAG.sub(" ", raw[:4096].decode("utf-8", "replace")))
    return one_line("".join(each if each.isprintable() else " " for each in text), LONGEST)
