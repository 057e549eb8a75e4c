# SPDX-License-Identifier: MIT
"""An image on its mask's grid, a mask on another grid, beside nibabel, which reads and writes them.

    python benchmarks/other_grids.py [--rounds N]

What is measured is the work itself, in a process that has imported all of it and done it once.
"""

from pathlib import Path

from bench_data import PUBLISHED, lesions, made_up_mask, published, python, write_table
from side_by_side import Row, Work, environment, run, said

TIMES = """
import statistics, time
def times(work, other, rounds):
    clock = time.process_time if CPU else time.perf_counter
    ratios = []
    for number in range(rounds + 1):
        start = clock(); work()
        middle = clock(); other()
        ratios.append((middle - start) / (clock() - middle))
    print(*ratios[1:])
"""
ALIGN = """
import nibabel, numpy
from brainmasks.images import align
mask = masks["Bench_1mm"].metadata
def ours():
    align(sys.argv[3], mask, registry, None, "aligned.nii.gz", "aligned.json")
def nibabels():
    image = nibabel.load(sys.argv[3])
    nibabel.Nifti1Image(numpy.asanyarray(image.dataobj), image.affine).to_filename("copy.nii.gz")
times(ours, nibabels, int(sys.argv[4]))
"""
GRID = """
import nibabel, numpy
from brainmasks.masks import put_on_grid
from brainmasks.registry import TargetGrid
mask, path = masks["Bench_1mm"].metadata, sys.argv[2]
affine = mask.affine.copy()
affine[:3, 3] += 0.5
grid = TargetGrid("half", mask.shape, tuple(map(tuple, affine.tolist())))
beside = path.replace(".nii.gz", ".json")
def ours():
    put_on_grid("Bench_1mm", mask, grid, "0", path, beside, "on.nii.gz", "on.json")
def nibabels():
    image = nibabel.load(path)
    nibabel.Nifti1Image(numpy.asanyarray(image.dataobj), image.affine).to_filename("copy.nii.gz")
times(ours, nibabels, int(sys.argv[4]))
"""


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    row = made_up_mask(folder, "Bench", "1", small)
    write_table(folder / "own.tsv", [row])
    (lesion,) = lesions(folder / "lesions", Path(row["url"]), 1)
    mask = published(folder, row)
    env = environment(folder)
    found = []
    works = {"`aligned/{id}.nii.gz` at 1 mm": ALIGN, "a mask of 1 mm on another grid of 1 mm": GRID}
    for name, code in works.items():
        start = f"CPU = {cpu}\n" + TIMES + PUBLISHED
        command = python(start + code, "own.tsv", mask, lesion, rounds)
        ratios = [float(each) for each in said(Work(name, [command], folder), env).split()]
        found.append(Row(name, "nibabel reading and writing the file", ratios, 1.3))
    return found


if __name__ == "__main__":
    run(measure, __doc__)
