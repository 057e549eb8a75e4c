# SPDX-License-Identifier: MIT
"""Runs in which nothing is to be done: one mask, one of thousands, and from hundreds to thousands.

    python benchmarks/up_to_date.py [--rounds N]

The reference has as many jobs that do nothing, whose rule has a parameter, as ours have.
"""

import hashlib
from base64 import urlsafe_b64encode
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
    rows, sizes = (40, (2,)) if small else (10_000, (100, 300, 1_000, 3_000))
    mask = made_up_mask(folder, "Bench", "2", small=True)
    many = [
        mask
        | {"space": f"Lab{n}", "description": f"mask {n}"}
        # The same voxels, and so the same hashes, for those that are made; others for the rest.
        | (
            {}
            if n < max(sizes)
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

    def trivial(name: str, wanted: list[str]) -> Work:
        targets = [f"trivial/{each}.3" for each in wanted]
        return Work(name, [snakemake("--snakefile", "trivial.smk", *targets)], folder)

    labs = [f"Lab{n}" for n in range(max(sizes))]
    one = ours("`snakemake masks/X`, up to date", "one.tsv", ["Bench"])
    large = ours(f"one target of a registry of {rows} rows, up to date", "many.tsv", labs[:1])
    single = trivial("one trivial target with params, up to date", labs[:1])
    env = environment(folder)
    for work in (one, large, single):
        seconds(work, env)  # makes what is up to date then
    found = in_turns([one, single, large], env, rounds, cpu=cpu)
    result = [compared(found, one, single, 1.05), compared(found, large, single, 1.3)]

    give_to_others(folder, labs)
    for size in sizes:
        targets = ours(f"{size} targets of {rows} rows, up to date", "many.tsv", labs[:size])
        trivials = trivial(f"{3 * size} trivial jobs, up to date", labs[:size])
        for work in (targets, trivials):
            seconds(work, env)  # makes what is not right
        # Of thousands of jobs one round says enough.
        turns = max(1, rounds // 2) if size < 1_000 else 1
        several = in_turns([targets, trivials], env, turns, cpu=cpu)
        result.append(compared(several, targets, trivials, 1.15))
    return result


def give_to_others(folder: Path, names: list[str]) -> None:
    """Give all others what was made for the first name, and what Snakemake has recorded of it.

    Thousands of jobs take an hour.
    """
    first, *others = names
    made = [
        path
        for place in ("resources/masks", "masks", "trivial")
        for path in folder.glob(f"{place}/{first}[._]*")
    ]
    # In the order in which they were made: none is to be older than what it is made from.
    for path in sorted(made, key=lambda path: path.stat().st_mtime_ns):
        file = path.relative_to(folder).as_posix()
        for other in others:
            copy = file.replace(first, other)
            for old, new in ((path, folder / copy), (record(folder, file), record(folder, copy))):
                new.write_bytes(old.read_bytes().replace(first.encode(), other.encode()))


def record(folder: Path, file: str) -> Path:
    """Return the path of what Snakemake has recorded of a file."""
    return folder / ".snakemake" / "metadata" / urlsafe_b64encode(file.encode()).decode()


if __name__ == "__main__":
    run(measure, __doc__)
