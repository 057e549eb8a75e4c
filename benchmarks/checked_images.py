# SPDX-License-Identifier: MIT
"""Lesions checked by a whole run, beside processes that do nothing but read them.

    python benchmarks/checked_images.py [--rounds N]

What no workflow can do without is measured, too: a run of as many jobs that do nothing.
"""

from pathlib import Path

from bench_data import lesions, made_up_mask, python, write_table
from side_by_side import REPO, Row, Work, compared, environment, in_turns, run, snakemake

READ = """
import sys, nibabel, numpy
for path in sys.argv[1:]:
    numpy.asanyarray(nibabel.load(path).dataobj)
"""
# Its jobs wait for each other as those of a check do.
EMPTY = """
rule all:
    input: "empty.2"
rule first:
    output: "empty.1"
    script: "empty.py"
rule second:
    input: "empty.1"
    output: "empty.2"
    script: "empty.py"
"""


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    count = 4 if small else 200
    row = made_up_mask(folder, "Bench", "1", small)
    write_table(folder / "own.tsv", [row])
    paths = lesions(folder / "lesions", Path(row["url"]), count)
    write_table(
        folder / "images.tsv", [{"image": str(path), "mask": "Bench_1mm"} for path in paths]
    )
    (folder / "empty.smk").write_text(EMPTY)
    (folder / "empty.py").write_text("open(snakemake.output[0], 'w')\n")
    checks = [
        folder / "checks" / name for name in ("images.tsv", "images.json", "images.found.json")
    ]
    empty = [folder / "empty.1", folder / "empty.2"]

    def without(files: list[Path]) -> None:
        for path in files:
            path.unlink(missing_ok=True)

    ours = Work(
        f"`checks/images.tsv` of {count} lesions at 1 mm, `--cores 2`",
        [
            snakemake(
                *("--snakefile", REPO / "Snakefile", "checks/images.tsv", "--config"),
                *("extra_registries=['own.tsv']", "images=images.tsv", "refuse=[]"),
            )
        ],
        folder,
        lambda: without(checks),
    )
    reading = Work(
        "two processes that read them with nibabel",
        [python(READ, *paths[::2]), python(READ, *paths[1::2])],
        folder,
    )
    jobs = Work(
        "Snakemake with two empty jobs",
        [snakemake("--snakefile", "empty.smk")],
        folder,
        lambda: without(empty),
    )
    found = in_turns([ours, reading, jobs], environment(folder), rounds, cpu=cpu)
    both = [a + b for a, b in zip(found[reading.name], found[jobs.name], strict=True)]
    floor = [a / b for a, b in zip(found[ours.name], both, strict=True)]
    return [
        compared(found, ours, reading, 1.5),
        compared(found, jobs, reading, None),
        Row(ours.name, "reading them and two empty jobs, one after the other", floor, None),
    ]


if __name__ == "__main__":
    run(measure, __doc__)
