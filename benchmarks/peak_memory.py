# SPDX-License-Identifier: MIT
"""The most memory that the work of a job has on an image of 1 mm: VmHWM, in processes of their own.

    python benchmarks/peak_memory.py

The reference is an interpreter that has imported numpy and nibabel, and two images uncompressed.
"""

import math
from pathlib import Path

from bench_data import PUBLISHED, lesions, made_up_mask, published, python, write_table
from side_by_side import REPO, Row, Work, environment, run, said

PEAK = """
import re
def peak():
    status = open("/proc/self/status").read()
    print(re.search(r"VmHWM:[^0-9]*([0-9]+) kB", status)[1])
"""
CHECK = """
from brainmasks.images import check_images, read_images
check_images(read_images("images.tsv", sys.argv[3], registry), masks, registry, 0.5, "found.json")
peak()
"""
ALIGN = """
from brainmasks.images import align
align(sys.argv[4], masks["Bench_1mm"].metadata, registry, None, "aligned.nii.gz", "aligned.json")
peak()
"""
GRID = """
from brainmasks.masks import put_on_grid
from brainmasks.registry import TargetGrid
mask, path = masks["Bench_1mm"].metadata, sys.argv[2]
affine = mask.affine.copy()
affine[:3, 3] += 0.5
grid = TargetGrid("half", mask.shape, tuple(map(tuple, affine.tolist())))
beside = path.replace(".nii.gz", ".json")
put_on_grid("Bench_1mm", mask, grid, "0", path, beside, "on.nii.gz", "on.json")
peak()
"""
VALIDATE = """
from brainmasks.nifti import require_valid
require_valid(open(sys.argv[2], "rb").read(), masks["Bench_1mm"].metadata, sys.argv[2])
peak()
"""
DRAW = """
from brainmasks.images import Policy, check_images, read_found
from brainmasks.qc import draw_images
paths = {name: f"{name}.png" for name in read_found("found.json")}
draw_images("found.json", masks, Policy([], []), paths, {})
peak()
"""
WORKS = {
    "validation of a mask": VALIDATE,
    "check of a lesion": CHECK,
    "`aligned/{id}.nii.gz`": ALIGN,
    "a mask on another grid": GRID,
    "a picture of a lesion": DRAW,
}


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows; once each: memory does not vary with the load."""
    row = made_up_mask(folder, "Bench", "1", small)
    write_table(folder / "own.tsv", [row])
    (lesion,) = lesions(folder / "lesions", Path(row["url"]), 1)
    write_table(folder / "images.tsv", [{"image": str(lesion), "mask": "Bench_1mm"}])
    mask = published(folder, row)
    schema = REPO / "workflow" / "schemas" / "images.schema.json"
    env = environment(folder)

    def peak(name: str, code: str) -> int:
        command = python(PEAK + code, "own.tsv", mask, schema, lesion)
        return int(said(Work(name, [command], folder), env)) * 1024

    image = math.prod(map(int, row["shape"].split("x")))
    limit = peak("imports", "import numpy, nibabel; peak()") + 2 * image
    found = []
    for name, code in WORKS.items():
        ratio = peak(name, PUBLISHED + code) / limit
        said_of = "numpy and nibabel imported, and two images"
        found.append(Row(f"peak memory: {name}, 1 mm", said_of, [ratio], 1))
    return found


if __name__ == "__main__":
    run(measure, __doc__)
