# SPDX-License-Identifier: MIT
"""A mask, folders to work in, and the main job on them, for tests of faults."""

import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

from faultserver import FaultServer, serve
from support import tiny_mask

from brainmasks.fetching import Fetcher, Limits
from brainmasks.fetching.cache import Cache
from brainmasks.masks import published_damage, steps
from brainmasks.registry import BrainMaskMetadata
from brainmasks.registry.mirrors import Mirror

LIMITS = Limits(
    connect=2,
    stall=0.4,
    deadline=1.5,
    pause=1.2,
    retries=2,
    backoff=0.01,
    patience=0.5,
    spread=0.05,
)
ASKED_IN_VAIN = LIMITS.retries + 1


class Bench:
    """One mask and the folders that a run of the main job touches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data, self.row = tiny_mask("A")
        other, other_row = tiny_mask("B", seed=1)
        self.other = other
        # What is fetched, and kept in the cache: the mask itself, unless an MD5 is registered.
        self.original = self.data
        self.server = FaultServer(serve(self.data))
        self.row["url"] = f"{self.server.url}/mask.nii.gz"
        self.registered = {
            row[column]: f"{row['space']}_2mm"
            for row in (self.row, other_row)
            for column in ("sha256", "content_sha256")
        }
        self.cache = folder / "cache"
        self.site_caches: list[Path] = []
        self.mirrors: list[str] = []
        self.offline = False
        self.limits = LIMITS
        self.raw = folder / "resources" / "A_2mm.nii.gz"
        self.origin = folder / "resources" / "A_2mm.origin.json"
        self.checksum = folder / "resources" / "A_2mm.nii.gz.sha256"
        self.mask = folder / "masks" / "A_2mm.nii.gz"
        self.sidecar = folder / "masks" / "A_2mm.json"

    @property
    def entry(self) -> Path:
        """Where the cache keeps the mask."""
        return Cache(self.cache).path(self.metadata)

    @property
    def metadata(self) -> BrainMaskMetadata:
        return BrainMaskMetadata.from_row(self.row)

    def fetcher(self) -> Fetcher:
        return Fetcher(
            self.metadata,
            Cache(self.cache, self.site_caches),
            [Mirror(location) for location in self.mirrors],
            self.offline,
            self.registered,
            self.limits,
        )

    def leave_only_the_content(self) -> None:
        """Register the mask as another library compresses it; a mirror has it as ours does."""
        theirs = gzip.compress(gzip.decompress(self.data), 9, mtime=1)
        self.row |= {"sha256": hashlib.sha256(theirs).hexdigest(), "bytes": str(len(theirs))}
        copy = self.folder / "copy.nii.gz"
        copy.write_bytes(self.data)
        self.mirrors = [str(copy)]

    def register_md5(self, original: bytes, **cells: str) -> None:
        """Register the mask by the MD5 of the file as it is published, and serve that one."""
        self.row |= {
            "md5": hashlib.md5(original).hexdigest(),
            "bytes": str(len(original)),
            **dict.fromkeys(("sha256", "content_sha256", "origin", "voxels"), ""),
            **cells,
        }
        self.original = original
        self.heal_server()

    def run(self) -> None:
        """Do the main job: download, checksum, validate."""
        mask = self.metadata
        # As a run does before its jobs: what stands there and is wrong is removed.
        if published_damage(mask, self.mask, self.sidecar, self.raw, self.origin):
            self.mask.unlink()
        steps.download("A_2mm", self.fetcher(), self.raw, self.origin)
        steps.checksum(mask, self.raw, self.origin, self.checksum)
        steps.validate("A_2mm", mask, "0", self.raw, self.origin, self.mask, self.sidecar)

    def assert_nothing_wrong(self, kept: Sequence[Path] = ()) -> None:
        """Every file that stands for the mask is right, and nothing temporary is left but that."""
        made = {self.raw: self.original, self.mask: self.data, self.entry: self.original}
        for path, right in made.items():
            if path.is_file():
                assert path.read_bytes() == right, path
        left = [
            path
            for path in self.folder.rglob("*")
            if path.name.endswith((".part", ".lock")) and path not in kept
        ]
        assert left == []

    def assert_published(self) -> None:
        """The mask is there, whole and right."""
        assert self.mask.read_bytes() == self.data
        assert self.raw.read_bytes() == self.original
        self.assert_nothing_wrong()

    def heal_server(self) -> None:
        """Let the server be healthy from now on."""
        self.server.behaviour = serve(self.original)
