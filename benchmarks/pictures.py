# SPDX-License-Identifier: MIT
"""Pictures of lesions over their mask, beside matplotlib, which saves as many empty figures.

    python benchmarks/pictures.py [--rounds N]

nilearn draws as many slices, without checks or words, if it is installed: of every tenth lesion.
"""

import importlib.util
from pathlib import Path

from bench_data import PUBLISHED, lesions, made_up_mask, published, python, write_table
from PIL import Image
from side_by_side import REPO, Row, Work, compared, environment, in_turns, run, seconds

FIND = (
    PUBLISHED
    + """
from brainmasks.images import check_images, read_images
images = read_images("images.tsv", sys.argv[3], registry)
check_images(images, masks, registry, 0.5, "found.json", 2)
"""
)
DRAW = (
    PUBLISHED
    + """
from brainmasks.images import Policy, read_found
from brainmasks.qc import draw_images
paths = {name: f"pictures/{name}.png" for name in read_found("found.json")}
draw_images("found.json", masks, Policy([], []), paths, {})
"""
)
EMPTY = """
import sys
from matplotlib.figure import Figure
count, width, height = map(int, sys.argv[1:])
for _ in range(count):
    Figure(figsize=(width / 150, height / 150), dpi=150).savefig("pictures/empty.png")
"""

NILEARN = """
import sys, warnings
from nilearn.plotting import plot_roi
warnings.simplefilter("ignore")
mask, *paths = sys.argv[1:]
for path in paths:
    plot_roi(path, mask, display_mode="mosaic", cut_coords=7, output_file="pictures/nilearn.png")
"""


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    count, part = (2, 1) if small else (100, 10)
    row = made_up_mask(folder, "Bench", "1", small)
    write_table(folder / "own.tsv", [row])
    paths = lesions(folder / "lesions", Path(row["url"]), count)
    write_table(
        folder / "images.tsv", [{"image": str(path), "mask": "Bench_1mm"} for path in paths]
    )
    (folder / "pictures").mkdir()
    mask = published(folder, row)
    env = environment(folder)
    schema = REPO / "workflow" / "schemas" / "images.schema.json"
    seconds(Work("what is found", [python(FIND, "own.tsv", mask, schema)], folder), env)
    ours = Work(
        f"pictures of {count} lesions at 1 mm, one process", [python(DRAW, "own.tsv", mask)], folder
    )
    seconds(ours, env)
    width, height = Image.open(next((folder / "pictures").glob("*.png"))).size
    empty = Work(
        f"matplotlib saving {count} empty figures of that size",
        [python(EMPTY, count, width, height)],
        folder,
    )
    peer = Work(
        f"nilearn's `plot_roi`, a mosaic of 21 slices: {part} pictures, times {count // part}",
        [python(NILEARN, row["url"], *paths[:part])],
        folder,
    )
    peers = [peer] if importlib.util.find_spec("nilearn") else []
    found = in_turns([ours, empty, *peers], env, rounds, cpu=cpu)
    if peers:
        found[peer.name] = [each * (count // part) for each in found[peer.name]]
    return [
        compared(found, ours, empty, 1.5),
        *(compared(found, each, empty, None) for each in peers),
    ]


if __name__ == "__main__":
    run(measure, __doc__)
