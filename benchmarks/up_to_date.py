# SPDX-License-Identifier: MIT
"""Runs in which nothing is to be done: one mask, one of thousands, hundreds of thousands.

    python benchmarks/up_to_date.py [--rounds N]

The reference has as many jobs that do nothing, whose rule has a parameter, as ours have.
"""

import hashlib
from pathlib import Path

from bench_data import made_up_mask, write_table
from side_by_side import REPO, Row, Work, compared, environment, in_turns, run, seconds, snakemake

TRIVIAL = """
rule first:
    output: "trivial/{n}.1"
    params: row={"a": "b"}
    shell: "touch {output}"
rule second:
    input: "trivial/{n}.1"
    output: "trivial/{n}.2"
    params: row={"a": "b"}
    shell: "touch {output}"
rule third:
    input: "trivial/{n}.1", "trivial/{n}.2"
    output: "trivial/{n}.3"
    params: row={"a": "b"}
    shell: "touch {output}"
"""


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the rows."""
    rows, targets = (40, 4) if small else (10_000, 300)
    mask = made_up_mask(folder, "Bench", "2", small=True)
    many = [
        mask
        | {"space": f"Lab{n}", "description": f"mask {n}"}
        # The same voxels, and so the same hashes, for those that are made; others for the rest.
        | (
            {}
            if n < targets
            else {
                "sha256": hashlib.sha256(f"{n}".encode()).hexdigest(),
                "content_sha256": hashlib.sha256(f"content {n}".encode()).hexdigest(),
            }
        )
        for n in range(rows)
    ]
    write_table(folder / "one.tsv", [mask])
    write_table(folder / "many.tsv", many)
    (folder / "trivial.smk").write_text(TRIVIAL)

    def ours(name: str, table: str, wanted: list[str]) -> Work:
        targets = [f"masks/{each}_2mm.nii.gz" for each in wanted]
        arguments = (*targets, "--config", f"extra_registries=['{table}']")
        return Work(name, [snakemake("--snakefile", REPO / "Snakefile", *arguments)], folder)

    def trivial(name: str, number: int) -> Work:
        wanted = [f"trivial/{n}.3" for n in range(number)]
        return Work(name, [snakemake("--snakefile", "trivial.smk", *wanted)], folder)

    some = [f"Lab{n}" for n in range(targets)]
    one = ours("`snakemake masks/X`, up to date", "one.tsv", ["Bench"])
    large = ours(f"one target of a registry of {rows} rows, up to date", "many.tsv", ["Lab0"])
    all_of_them = ours(f"{targets} targets of {rows} rows, up to date", "many.tsv", some)
    single = trivial("one trivial target with params, up to date", 1)
    trivials = trivial(f"{3 * targets} trivial jobs, up to date", targets)
    env = environment(folder)
    for work in (one, all_of_them, trivials):
        seconds(work, env)  # makes what is up to date then
    found = in_turns([one, single, large], env, rounds, cpu=cpu)
    several = in_turns([all_of_them, trivials], env, max(1, rounds // 2), cpu=cpu)
    return [
        compared(found, one, single, 1.05),
        compared(found, large, single, 1.3),
        compared(several, all_of_them, trivials, 1.15),
    ]


if __name__ == "__main__":
    run(measure, __doc__)
