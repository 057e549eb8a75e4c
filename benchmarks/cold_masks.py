# SPDX-License-Identifier: MIT
"""Masks fetched from a server on loopback by a whole run, beside runs of as many empty jobs.

python benchmarks/cold_masks.py [--rounds N]
"""

import shutil
from pathlib import Path

from bench_data import made_up_mask, serve, write_table
from side_by_side import REPO, Row, Work, compared, environment, in_turns, run, snakemake

# The shape of three jobs for each mask.
EMPTY = """
rule first:
    output: "empty/{n}.1"
    script: "empty.py"
rule second:
    input: "empty/{n}.1"
    output: "empty/{n}.2"
    script: "empty.py"
rule third:
    input: "empty/{n}.1", "empty/{n}.2"
    output: "empty/{n}.3"
    script: "empty.py"
"""
MADE = ("masks", "resources", "cache", "empty")


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    served = folder / "served"
    served.mkdir()
    url = serve(served)
    rows = [made_up_mask(served, f"Bench{n}", "2", small) for n in range(4)]
    table = [row | {"url": f"{url}/{Path(row['url']).name}"} for row in rows]
    write_table(folder / "own.tsv", table)
    (folder / "empty.smk").write_text(EMPTY)
    (folder / "empty.py").write_text("open(snakemake.output[0], 'w')\n")

    def cold() -> None:
        for name in MADE:
            shutil.rmtree(folder / name, ignore_errors=True)

    def ours(name: str, number: int) -> Work:
        targets = [f"masks/Bench{n}_2mm.nii.gz" for n in range(number)]
        arguments = (*targets, "--config", "extra_registries=['own.tsv']")
        command = snakemake("--snakefile", REPO / "Snakefile", *arguments)
        return Work(name, [command], folder, cold)

    def empty(name: str, number: int) -> Work:
        targets = [f"empty/{n}.3" for n in range(number)]
        return Work(name, [snakemake("--snakefile", "empty.smk", *targets)], folder, cold)

    four = ours("four masks cold, `--cores 2`", 4)
    one = ours("one mask cold", 1)
    twelve = empty("twelve empty `script:` jobs in the same shape", 4)
    three = empty("three empty `script:` jobs", 1)
    found = in_turns([four, twelve, one, three], environment(folder), rounds, cpu=cpu)
    return [compared(found, four, twelve, 1.2), compared(found, one, three, 1.1)]


if __name__ == "__main__":
    run(measure, __doc__)
