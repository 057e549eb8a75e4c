# SPDX-License-Identifier: MIT
"""What benchmarks work on: made-up masks in a table of their own, lesions, the real masks."""

import gzip
import hashlib
import os
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nibabel as nib
import numpy as np
from side_by_side import REPO

SHAPES = {"1": (182, 218, 182), "2": (91, 109, 91)}
COLUMNS = (REPO / "config" / "masks.tsv").read_text(encoding="utf-8").splitlines()[0].split("\t")
REAL_MASK = "registered/MNI152NLin6Asym_2mm_desc-brain_mask.nii.gz"


def real_mask() -> Path | None:
    """Return the real mask of 2 mm, if BRAINMASKS_REAL_MASKS names the folder that has it."""
    path = Path(os.environ.get("BRAINMASKS_REAL_MASKS", "nowhere"), REAL_MASK)
    return path if path.is_file() else None


def ellipsoid(shape: tuple[int, ...], part: float = 0.8) -> np.ndarray:
    """Return an ellipsoid that fills a part of each edge of a grid."""
    x, y, z = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in shape)]
    return (x**2 + y**2 + z**2 < part**2).astype(np.uint8)


def made_up_mask(folder: Path, space: str, resolution: str, small: bool) -> dict[str, str]:
    """Write a mask that is no real one; return its row, whose URL is its path."""
    shape = (20, 24, 20) if small else SHAPES[resolution]
    # Another one for each space.
    voxels = ellipsoid(shape, 0.7 + int(hashlib.sha256(space.encode()).hexdigest()[:4], 16) / 1e6)
    affine = np.diag([float(resolution)] * 3 + [1.0])
    affine[:3, 3] = [-n * float(resolution) // 2 for n in shape]
    content = nib.Nifti1Image(voxels, affine).to_bytes()
    data = gzip.compress(content, 1, mtime=0)
    path = folder / f"{space}_{resolution}mm.nii.gz"
    path.write_bytes(data)
    return dict.fromkeys(COLUMNS, "unknown") | {
        "space": space,
        "resolution": resolution,
        "url": str(path),
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "bytes": str(len(data)),
        "shape": "x".join(map(str, shape)),
        "origin": ",".join(f"{mm:g}" for mm in affine[:3, 3]),
        "voxels": str(int(voxels.sum())),
        **{name: "" for name in ("desc", "md5", "notice") if name in COLUMNS},
    }


# In a process that is given the table and the published mask.
PUBLISHED = """
import sys
from brainmasks import read_registry
from brainmasks.images import PublishedMask
registry = read_registry(sys.argv[1], aliases={})
masks = {name: PublishedMask(sys.argv[2], registry[name]) for name in registry}
"""


def published(folder: Path, row: dict[str, str]) -> Path:
    """Publish the mask of a row, with its sidecar; return its path."""
    from brainmasks.fetching import Cache, Fetcher
    from brainmasks.masks import download, validate
    from brainmasks.registry import BrainMaskMetadata

    mask = BrainMaskMetadata.from_row(row)
    raw, note = folder / "raw.nii.gz", folder / "raw.origin.json"
    path = folder / "masks" / f"{mask.name}.nii.gz"
    sidecar = path.with_name(f"{mask.name}.json")
    download(mask.name, Fetcher(mask, Cache(folder / "cache")), raw, note)
    validate(mask.name, mask, "0", raw, note, path, sidecar)
    return path


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write rows as a table; return its path."""
    columns = list(rows[0])
    text = "".join("\t".join(row[name] for name in columns) + "\n" for row in rows)
    path.write_text("\t".join(columns) + "\n" + text, encoding="utf-8")
    return path


def lesions(folder: Path, mask: Path, count: int) -> list[Path]:
    """Write lesions on the grid of a mask, one to three ellipsoids each; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    image = nib.load(mask)
    brain = np.asanyarray(image.dataobj)
    places = np.argwhere(brain)
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        voxels = np.zeros(brain.shape, np.uint8)
        for _ in range(rng.integers(1, 4)):
            centre, radii = places[rng.integers(len(places))], rng.uniform(3, 18, 3)
            i, j, k = np.ogrid[tuple(slice(0, n) for n in brain.shape)]
            at = zip((i, j, k), centre, radii, strict=True)
            voxels |= sum(((n - c) / r) ** 2 for n, c, r in at) < 1
        paths.append(folder / f"lesion{number:03}.nii.gz")
        nib.save(nib.Nifti1Image(voxels & brain, image.affine), paths[-1])
    return paths


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and prints nothing of it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(folder: Path) -> str:
    """Serve a folder on loopback as long as this process lives; return the URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def python(code: str, *arguments: object) -> list[object]:
    """Return the command that runs code in a fresh process."""
    return [sys.executable, "-c", code, *arguments]
