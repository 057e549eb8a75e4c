# SPDX-License-Identifier: MIT
"""A host workflow of many rules and jobs, with this one as a module and without it.

    python benchmarks/host_workflow.py [--rounds N]

Nothing is to be done in either: what counts is what the module adds to reading and planning.
"""

from pathlib import Path

from bench_data import made_up_mask, write_table
from side_by_side import REPO, Row, Work, compared, environment, in_turns, run, seconds, snakemake

MODULE = f"""
module masks:
    snakefile: "{REPO}/Snakefile"
    config: {{"extra_registries": ["own.tsv"]}}
use rule * from masks as masks_*
"""


def host(rules: int, jobs: int, asked: str) -> str:
    """Return a Snakefile of as many rules, each of which makes its part of the jobs."""
    wanted = f'expand("host/{{r}}.{{n}}", r=range({rules}), n=range({jobs // rules})){asked}'
    text = f"rule everything:\n    default_target: True\n    input: {wanted}\n"
    for number in range(rules):
        text += f'rule host{number}:\n    output: "host/{number}.{{n}}"\n'
        text += '    shell: "touch {output}"\n'
    return text


def measure(folder: Path, rounds: int, small: bool, cpu: bool) -> list[Row]:
    """Return the row."""
    rules, jobs = (3, 6) if small else (100, 400)
    write_table(folder / "own.tsv", [made_up_mask(folder, "Bench", "2", small=True)])
    (folder / "without.smk").write_text(host(rules, jobs, ""))
    (folder / "with.smk").write_text(MODULE + host(rules, jobs, ', "masks/Bench_2mm.nii.gz"'))
    ours = Work(
        f"a host of {rules} rules and {jobs} jobs with the module, up to date",
        [snakemake("--snakefile", "with.smk")],
        folder,
    )
    alone = Work("the host without it", [snakemake("--snakefile", "without.smk")], folder)
    env = environment(folder)
    for work in (alone, ours):
        seconds(work, env)
    return [compared(in_turns([ours, alone], env, rounds, cpu=cpu), ours, alone, 1.05)]


if __name__ == "__main__":
    run(measure, __doc__)
