# SPDX-License-Identifier: MIT
"""An image on its mask's grid, a mask on another grid, beside nibabel, which reads and writes them.

    python benchmarks/other_grids.py [--rounds N]

What is measured is the work itself, in a process that has imported all of it and done it once.
nilearn does the same, without checks or a sidecar, if it is installed.
"""

import importlib.util
from pathlib import Path

from bench_data import PUBLISHED, lesions, made_up_mask, published, python, write_table
from side_by_side import Row, Work, environment, run, said

SETUP = """
import time, nibabel, numpy
mask, path, lesion = masks["Bench_1mm"].metadata, sys.argv[2], sys.argv[3]
affine = mask.affine.copy()
affine[:3, 3] += 0.5
"""
# `path` or `lesion` is what is read, written again by the reference.
TIMES = """
def reference():
    image = nibabel.load({file})
    nibabel.Nifti1Image(numpy.asanyarray(image.dataobj), image.affine).to_filename("copy.nii.gz")
clock = time.process_time if CPU else time.perf_counter
ratios = []
for number in range(int(sys.argv[4]) + 1):
    start = clock(); work()
    middle = clock(); reference()
    ratios.append((middle - start) / (clock() - middle))
print(*ratios[1:])
"""
ALIGN = """
from brainmasks.images import align
def work():
    align(lesion, mask, registry, None, "aligned.nii.gz", "aligned.json")
"""
NILEARN_ALIGN = """
from nilearn.image import resample_to_img
options = dict(interpolation="nearest", force_resample=True, copy_header=True)
def work():
    resample_to_img(lesion, path, **options).to_filename("aligned.nii.gz")
"""
GRID = """
from brainmasks.masks import put_on_grid
from brainmasks.registry import TargetGrid
grid = TargetGrid("half", mask.shape, tuple(map(tuple, affine.tolist())))
beside = path.replace(".nii.gz", ".json")
def work():
    put_on_grid("Bench_1mm", mask, grid, "0", path, beside, "on.nii.gz", "on.json")
"""
NILEARN_GRID = """
from nilearn.image import resample_img
options = dict(interpolation="linear", force_resample=True, copy_header=True)
def work():
    image = nibabel.Nifti1Image(nibabel.load(path).get_fdata(dtype="float32"), mask.affine)
    parts = resample_img(image, affine, mask.shape, **options).get_fdata(dtype="float32")
    nibabel.Nifti1Image((parts >= 0.5).astype("uint8"), affine).to_filename("on.nii.gz")
"""
# Name, code, what is read, goal.
WORKS = (
    ("`aligned/{id}.nii.gz` at 1 mm", ALIGN, "lesion", 1.3),
    ("nilearn's `resample_to_img`, nearest", NILEARN_ALIGN, "lesion", None),
    ("a mask of 1 mm on another grid of 1 mm", GRID, "path", 1.3),
    ("nilearn's `resample_img`, linear, cut at 0.5", NILEARN_GRID, "path", None),
)


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    row = made_up_mask(folder, "Bench", "1", small)
    write_table(folder / "own.tsv", [row])
    (lesion,) = lesions(folder / "lesions", Path(row["url"]), 1)
    mask = published(folder, row)
    env = environment(folder)
    found = []
    for name, code, file, goal in WORKS:
        if "nilearn" in code and not importlib.util.find_spec("nilearn"):
            continue
        code = f"CPU = {cpu}\n" + PUBLISHED + SETUP + code + TIMES.replace("{file}", file)
        command = python(code, "own.tsv", mask, lesion, rounds)
        ratios = [float(each) for each in said(Work(name, [command], folder), env).split()]
        found.append(Row(name, "nibabel reading and writing the file", ratios, goal))
    return found


if __name__ == "__main__":
    run(measure, __doc__)
