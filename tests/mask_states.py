# SPDX-License-Identifier: MIT
"""What may stand in the place of each file of one mask, and whether what stands there is true."""

import csv
import gzip
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from support import entry_of, tiny_mask

NAME = "A_2mm"
DATA, ROW = tiny_mask("A")
# A right mask, too, on the same grid: of another row.
OTHER, OTHER_ROW = tiny_mask("B", seed=1)

ENTRY = str(entry_of(ROW, "cache")).removesuffix(".nii.gz")
RECODED = f"{ENTRY}_recoded"
OTHER_ENTRY = str(entry_of(OTHER_ROW, "cache")).removesuffix(".nii.gz")
FETCHED = f"resources/masks/{NAME}.nii.gz"
ORIGIN = f"resources/masks/{NAME}.origin.json"
CHECKSUM = f"resources/masks/{NAME}.nii.gz.sha256"
PUBLISHED = f"masks/{NAME}.nii.gz"
SIDECAR = f"masks/{NAME}.json"

MASKS = (f"{ENTRY}.nii.gz", f"{RECODED}.nii.gz", FETCHED, PUBLISHED)
NOTES = (f"{ENTRY}.source.json", f"{RECODED}.source.json", ORIGIN)
PLACES = (*MASKS, *NOTES, CHECKSUM, SIDECAR)

YEAR = 365 * 24 * 3600
# Seconds of a modification time from now: a file may be older or younger than any other.
AGES = (0, -60, -YEAR, 5, 60, YEAR)


def sha(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def flipped(data: bytes, at: float) -> bytes:
    """Return bytes of which one bit is flipped."""
    place = int(at * (len(data) - 1))
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def voxels(data: bytes) -> np.ndarray:
    """Return the voxels of a compressed image."""
    return np.asarray(nib.Nifti1Image.from_bytes(gzip.decompress(data)).dataobj)


def stored_las(data: bytes) -> bytes:
    """Return a mask as FSL stores it: the same voxels in another order."""
    image = nib.Nifti1Image.from_bytes(gzip.decompress(data))
    las = image.as_reoriented(np.array([[0, -1], [1, 1], [2, 1]]))
    return gzip.compress(las.to_bytes(), mtime=0)


CONTENT = gzip.decompress(DATA)
REPACKED = gzip.compress(CONTENT, 9, mtime=0)
MASK_CONTENTS = {
    "right": DATA,
    "cut": DATA[: len(DATA) // 2],
    "first byte damaged": flipped(DATA, 0),
    # Of the time in its gzip header: other bytes, and the same content.
    "header damaged": flipped(DATA, 4 / len(DATA)),
    "middle damaged": flipped(DATA, 0.5),
    "end damaged": flipped(DATA, 1),
    "no image": b"<html><title>Sign in</title></html>",
    "of another row": OTHER,
    "repacked": REPACKED,
    "stored LAS": stored_las(DATA),
    "not compressed": CONTENT,
    "followed by more": DATA + gzip.compress(b"more", mtime=0),
}
# The registered content in other bytes: true where only the content is registered, and it is said.
FAITHFUL = {sha(data): data for data in (REPACKED, MASK_CONTENTS["header damaged"])}


def to_bytes(content: object) -> bytes:
    """Return JSON as a person writes it."""
    return json.dumps(content).encode()


def json_contents(right: bytes, other: bytes, key: str, verified_by: str) -> dict[str, bytes]:
    """Return what may stand in the place of a JSON file that states a SHA-256.

    Parameters
    ----------
    right, other
        The file itself, and the one of another row.
    key, verified_by
        The names of the SHA-256 and of what was verified.
    """
    stated = json.loads(right)
    repacked = stated | {key: sha(REPACKED), verified_by: "content_sha256"}
    return {
        "right": right,
        "cut": right[: len(right) // 2],
        "first byte damaged": flipped(right, 0),
        "middle damaged": flipped(right, 0.5),
        "no JSON": b"\x00\xff\x00",
        "an empty object": b"{}",
        "no object": b"[]",
        "nested deeply": b"[" * 100_000,
        "of another row": other,
        "of repacked bytes": to_bytes(repacked),
        "of repacked bytes, a lie": to_bytes(repacked | {verified_by: "sha256"}),
        "of right bytes, by content": to_bytes(stated | {verified_by: "content_sha256"}),
        "verified by eye": to_bytes(stated | {verified_by: "eye"}),
        "verified by a list": to_bytes(stated | {verified_by: ["sha256"]}),
        "of other bytes": to_bytes(stated | {key: sha(OTHER)}),
        "all null": to_bytes(dict.fromkeys(stated)),
    }


def contents(made: Path) -> dict[str, dict[str, bytes]]:
    """Return what may stand in each place, by its name.

    `made` is a folder in which both masks were made.
    """
    found = dict.fromkeys(MASKS, MASK_CONTENTS)
    for place in (*NOTES, SIDECAR):
        keys = ("SHA256", "VerifiedBy") if place == SIDECAR else ("sha256", "verified_by")
        place_of_right = place.replace("_recoded", "")
        place_of_other = place_of_right.replace(ENTRY, OTHER_ENTRY).replace("A_2mm", "B_2mm")
        source, other = made / place_of_right, made / place_of_other
        found[place] = json_contents(source.read_bytes(), other.read_bytes(), *keys)
    right = (made / CHECKSUM).read_bytes()
    found[CHECKSUM] = {
        "right": right,
        "cut": right[:10],
        "of other bytes": right.replace(ROW["sha256"].encode(), sha(OTHER).encode()),
        "of repacked bytes": right.replace(ROW["sha256"].encode(), sha(REPACKED).encode()),
    }
    return found


# What belongs together, as other tools and other masks leave it.
SETS = {
    "repacked, as another deflate library makes it": {
        FETCHED: "repacked",
        ORIGIN: "of repacked bytes",
        CHECKSUM: "of repacked bytes",
        PUBLISHED: "repacked",
        SIDECAR: "of repacked bytes",
    },
    "replaced after it was published": {PUBLISHED: "of another row", SIDECAR: "right"},
    "of another row": {
        FETCHED: "of another row",
        ORIGIN: "of another row",
        PUBLISHED: "of another row",
        SIDECAR: "of another row",
    },
    "recoded in the cache": {
        f"{ENTRY}.nii.gz": None,
        f"{RECODED}.nii.gz": "repacked",
        f"{RECODED}.source.json": "of repacked bytes",
        FETCHED: None,
    },
    "nothing fetched": {f"{ENTRY}.nii.gz": None, FETCHED: None, PUBLISHED: None},
    "nothing published": {PUBLISHED: None},
}


def put(path: Path, data: bytes | None, ahead: float) -> None:
    """Put a file in a place, its time so many seconds ahead of the clock; None: no file."""
    if data is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    os.utime(new, (time.time() + ahead,) * 2)
    new.replace(path)


@dataclass
class Writer:
    """A process of somebody else that replaces a file by turns, from now on until it is stopped."""

    path: Path
    turns: tuple[bytes, bytes]
    ahead: float

    def __enter__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self._thread.start()

    def __exit__(self, *_) -> None:
        self._stop.set()
        self._thread.join()

    def _write(self) -> None:
        turn = 0
        while not self._stop.wait(0.01):
            if self.path.parent.is_dir():
                put(self.path, self.turns[turn % 2], self.ahead)
                turn += 1


def read(path: Path) -> bytes | None:
    """Return the bytes of a file; None if there is none."""
    return path.read_bytes() if path.is_file() else None


def age(path: Path) -> str:
    """Return of what time a file is, as one of a few words."""
    ahead = path.stat().st_mtime - time.time()
    size = abs(ahead)
    words = "seconds" if size < 30 else "minutes" if size < YEAR / 2 else "a year"
    return f"{words} {'ahead' if ahead > 0 else 'old'}"


def states_truth(stated: Mapping, key: str, verified_by: str) -> bool:
    """Return whether a SHA-256 is that of the mask, and what was verified of it is true."""
    if stated.get(verified_by) == "sha256":
        return stated.get(key, ROW["sha256"]) == ROW["sha256"]
    return stated.get(verified_by) == "content_sha256" and (
        stated.get(key, ROW["sha256"]) in {ROW["sha256"], *FAITHFUL}
    )


def is_right(place: str, data: bytes) -> bool:
    """Return whether bytes in a place are what a run may write there."""
    if place == f"{ENTRY}.nii.gz":
        return data == DATA
    if place in MASKS:
        return data == DATA or sha(data) in FAITHFUL
    if place == CHECKSUM:
        digest, path = data.decode().split()
        return path == FETCHED and digest in {ROW["sha256"], *FAITHFUL}
    stated = json.loads(data)
    if place == SIDECAR:
        return states_truth(stated, "SHA256", "VerifiedBy") and is_registered(stated)
    return states_truth(stated, "sha256", "verified_by")


def is_registered(sidecar: Mapping) -> bool:
    """Return whether a sidecar names what is registered of the mask."""
    return (
        sidecar.get("RegisteredSHA256") == ROW["sha256"]
        and sidecar.get("ContentSHA256") == ROW["content_sha256"]
        and sidecar.get("Voxels") == int(ROW["voxels"])
    )


def published_problem(folder: Path) -> str | None:
    """Say in what a published mask and its sidecar are not right; None if they are."""
    data, described = read(folder / PUBLISHED), read(folder / SIDECAR)
    if data is None or described is None:
        return f"{SIDECAR if data else PUBLISHED} is not there"
    if not is_right(PUBLISHED, data):
        return f"{PUBLISHED} has SHA-256 {sha(data)}"
    if not is_right(SIDECAR, described) or json.loads(described)["SHA256"] != sha(data):
        return f"{SIDECAR} is not true: {described.decode()}"
    return None


# A lesion of which the masks of the two rows have other voxels.
INSIDE, OUTSIDE = 3, 1


def lesion() -> np.ndarray:
    """Return three voxels that only the right mask has, and one that only the other one has."""
    right, other = voxels(DATA), voxels(OTHER)
    found = np.zeros(right.shape, np.int16)
    for index in (
        *np.argwhere((right == 1) & (other == 0))[:INSIDE],
        *np.argwhere((right == 0) & (other == 1))[:OUTSIDE],
    ):
        found[tuple(index)] = 1
    return found


def table_problem(path: Path) -> str | None:
    """Say in what a table of the lesion is wrong; None if it is not, or is not there."""
    if not path.is_file():
        return None
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file, delimiter="\t")
    counted = row["voxels_inside"], row["voxels_outside"]
    return None if counted == (str(INSIDE), str(OUTSIDE)) else f"{path.name} counts {counted}"
