# SPDX-License-Identifier: MIT
"""What validating a mask costs, as ratios that are measured in one run.

    python benchmarks/validation_speed.py [FILE] [--repeats N] [--cpu]

FILE is the registered 1 mm mask; else it is looked for where BRAINMASKS_REAL_MASKS says, and if
it is not there a mask of the same grid is made. The exit status is 1 if a limit is missed.

Each time is that of the first call in a new process, as each mask is validated by a job of its
own: what a process did before decides how soon it is given memory, and moves bare gunzip by a
factor of three. What is imported, and read from the disk, does not count.
"""

import argparse
import gzip
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zlib
from pathlib import Path
from statistics import median

import nibabel as nib
import numpy as np
from side_by_side import Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from brainmasks import BRAIN_MASK_REGISTRY, BrainMaskMetadata
from brainmasks.nifti import read_image, stored_voxels
from brainmasks.nifti.checks import CHECKS, PASSED, Evidence, examine
from brainmasks.storage import Stream

NAME = "MNI152NLin6Asym_1mm"
VALIDATION, GUNZIP, SHA256 = "validation", "gunzip", "SHA-256 of the content"
VOXELS, UNIQUE = "checks of the voxels", "np.unique of the voxels"
UNIQUE_LOADED = "np.unique of get_fdata()"
# What a validation is often made of: the file read, scaled to float64, and its values listed.
USUAL = "gunzip, get_fdata() and np.unique"
WORKS = (VALIDATION, GUNZIP, SHA256, VOXELS, UNIQUE, UNIQUE_LOADED, USUAL)


def real_file() -> Path | None:
    """Return the registered mask if it is where the environment says."""
    folder = os.environ.get("BRAINMASKS_REAL_MASKS")
    path = Path(folder or ".", "registered", f"{NAME}_desc-brain_mask.nii.gz")
    return path if folder and path.is_file() else None


def synthetic(row: dict) -> tuple[bytes, dict]:
    """Return an ellipsoid on a mask's grid as a file, and its row."""
    grid = BrainMaskMetadata.from_row(row)
    x, y, z = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in grid.shape)]
    voxels = ((x / 0.78) ** 2 + (y / 0.8) ** 2 + (z / 0.75) ** 2 < 1).astype(np.uint8)
    content = nib.Nifti1Image(voxels, grid.affine).to_bytes()
    data = gzip.compress(content, compresslevel=1, mtime=0)
    return data, row | {
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "bytes": str(len(data)),
        "voxels": str(voxels.sum()),
    }


def prepared(work: str, data: bytes, mask: BrainMaskMetadata):
    """Return a function that does a work; what it needs is done before."""
    if work == VALIDATION:
        examine(data[:2], mask)  # to have everything imported
        return lambda: examine(data, mask)
    if work == GUNZIP:
        return lambda: zlib.decompress(data, wbits=31)
    if work == USUAL:
        return lambda: np.unique(read_image(zlib.decompress(data, wbits=31)).get_fdata())
    content = zlib.decompress(data, wbits=31)
    if work == SHA256:
        return lambda: hashlib.sha256(content).digest()
    image = read_image(content)
    voxels = stored_voxels(image)
    if work == VOXELS:
        evidence = Evidence(Stream(content, None), image, None, voxels, voxels)
        checks = [check for check, needs in CHECKS if {"stored", "scaled"} & set(needs)]
        return lambda: [list(check(evidence, mask)) for check in checks]
    if work == UNIQUE_LOADED:
        voxels = image.get_fdata()
    return lambda: np.unique(voxels)


def seconds(work, cpu: bool) -> float:
    """Return how long a work takes by the clock, or on the processors."""
    clock = time.process_time if cpu else time.perf_counter
    start = clock()
    work()
    return clock() - start


def rounds(path: Path, row: dict, repeats: int, cpu: bool) -> dict[str, list[float]]:
    """Return the seconds of each work in each round; a round does every work once."""
    found = {work: [] for work in WORKS}
    for _ in range(repeats):
        for work in WORKS:
            command = [sys.executable, __file__, str(path), "--once", work, "--row"]
            done = subprocess.run(
                [*command, json.dumps(row), *(["--cpu"] if cpu else [])],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            found[work].append(float(done.stdout))
    return found


def peak(work) -> int:
    """Return how many bytes a work has in use at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def ratio(found: dict[str, list[float]], one: str, other: str) -> float:
    """Return the median of a ratio, taken in each round: what slows a machine slows both."""
    return median(a / b for a, b in zip(found[one], found[other], strict=True))


def table(found: dict[str, list[float]], images: float) -> tuple[list[str], int]:
    """Return the lines of the table of ratios, and how many limits are missed."""
    ratios = (
        ("validation / gunzip", ratio(found, VALIDATION, GUNZIP), "at most", 1.5),
        ("np.unique / checks of the voxels", ratio(found, UNIQUE, VOXELS), "at least", 5),
        (f"{USUAL} / validation", ratio(found, USUAL, VALIDATION), "at least", 5),
        ("peak memory / uncompressed image", images, "at most", 2),
    )
    lines = ["| ratio | measured | limit | |", "|---|---|---|---|"]
    missed = 0
    for what, value, kind, limit in ratios:
        kept = value <= limit if kind == "at most" else value >= limit
        missed += not kept
        lines.append(f"| {what} | {value:.2f} | {kind} {limit} | {'pass' if kept else 'FAIL'} |")
    return lines, missed


def measure(folder: Path, repeats: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows for the page of all benchmarks."""
    row = BRAIN_MASK_REGISTRY.get(NAME).as_row()
    path = real_file()
    if path is None:
        path = folder / "mask.nii.gz"
        data, row = synthetic(row)
        path.write_bytes(data)
    found = rounds(path, row, 1 if small else repeats, cpu)

    def compared(work: str, reference: str, goal: float | None) -> Row:
        ratios = [a / b for a, b in zip(found[work], found[reference], strict=True)]
        return Row(work, reference, ratios, goal, median(found[work]))

    return [compared(VALIDATION, GUNZIP, 1.3), compared(USUAL, VALIDATION, None)]


def main() -> int:
    """Measure, print two tables, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("file", nargs="?", type=Path, default=real_file())
    parser.add_argument("--repeats", type=int, default=11, metavar="N")
    parser.add_argument(
        "--cpu", action="store_true", help="time on the processors: for a machine that is busy"
    )
    # How this script calls itself.
    parser.add_argument("--once", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--row", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        mask = BrainMaskMetadata.from_row(options.row)
        work = prepared(options.once, options.file.read_bytes(), mask)
        print(seconds(work, options.cpu))
        return 0

    row = BRAIN_MASK_REGISTRY.get(NAME).as_row()
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = Path(folder, "mask.nii.gz")
            data, row = synthetic(row)
            path.write_bytes(data)
        data, mask = path.read_bytes(), BrainMaskMetadata.from_row(row)
        outcome = examine(data, mask)
        if set(outcome.values()) != {PASSED}:
            parser.error(f"{path} is not {NAME}: {outcome}")
        found = rounds(path, row, options.repeats, options.cpu)
    image = len(zlib.decompress(data, wbits=31))
    lines, missed = table(found, peak(lambda: examine(data, mask)) / image)
    source = "the registered file" if options.file else "a mask made on its grid"
    print(f"{NAME}, {source}: {image} bytes uncompressed; medians of {options.repeats}\n")
    print("\n".join(lines))
    # Without a limit: each of the works alone, and set against the whole validation.
    print("\n| for reference | median, ms | of a validation |\n|---|---|---|")
    for work in WORKS:
        share = ratio(found, work, VALIDATION)
        print(f"| {work} | {median(found[work]) * 1000:.1f} | {share:.2f} |")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
