# SPDX-License-Identifier: MIT
"""Two works side by side: each in processes of its own, in turns, as medians of ratios."""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

REPO = Path(__file__).resolve().parents[1]
SCRIPTS = REPO / "scripts"
sys.path.insert(0, str(SCRIPTS))


@dataclass(frozen=True)
class Work:
    """Commands that are measured as one: all are started at once, and waited for.

    Attributes
    ----------
    name : str
        What it does, in words.
    commands : list of lists
        Each a program with its arguments.
    folder : path
        Where they run.
    before : callable
        What is done before, and not measured.
    """

    name: str
    commands: Sequence[Sequence[object]]
    folder: Path
    before: Callable[[], object] = field(default=lambda: None)


@dataclass(frozen=True)
class Row:
    """What was measured of a work and of its reference.

    Attributes
    ----------
    work, reference : str
        What they do, in words.
    ratios : list of float
        Of each round.
    goal : float
        The most that the ratio is to be; None for a peer, or what is there to compare with.
    seconds : float
        Median of the work.
    """

    work: str
    reference: str
    ratios: Sequence[float]
    goal: float | None
    seconds: float | None = None


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return the environment of all works: nothing of the user's caches, compiled modules kept."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    programs = Path(sys.executable).parent
    return env | {
        "PATH": f"{programs}{os.pathsep}{env['PATH']}",
        "LACUNA_CACHE_DIR": str(folder / "cache"),
        "XDG_CACHE_HOME": str(folder / "xdg"),
        "TEMPLATEFLOW_HOME": str(folder / "templateflow"),
        "PYTHONPATH": str(SCRIPTS),
        **more,
    }


def seconds(work: Work, env: Mapping[str, str]) -> tuple[float, float]:
    """Return how long a work takes by the clock, and on the processors."""
    work.before()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    started = [
        subprocess.Popen(
            [str(part) for part in command],
            cwd=work.folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for command in work.commands
    ]
    said_of = [process.communicate()[0] for process in started]
    took = time.perf_counter() - start
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    for process, text in zip(started, said_of, strict=True):
        if process.returncode:
            sys.exit(f"{work.name}: exit status {process.returncode}\n{text}")
    return took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def said(work: Work, env: Mapping[str, str]) -> str:
    """Return what a work of one command prints."""
    (command,) = work.commands
    done = subprocess.run(
        [str(part) for part in command],
        cwd=work.folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{work.name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def in_turns(
    works: Iterable[Work], env: Mapping[str, str], rounds: int, *, cpu: bool = False
) -> dict[str, list[float]]:
    """Return the seconds of each work in each round; of several, after one that does not count.

    Every round does each work once: what slows the machine slows all of them.

    Parameters
    ----------
    works
        What is measured.
    env
        The environment of their processes.
    rounds
        How often.
    cpu
        Whether the time on the processors counts, and not that of the clock.
    """
    works = list(works)
    found: dict[str, list[float]] = {work.name: [] for work in works}
    if rounds > 1:
        for work in works:
            seconds(work, env)
    for _ in range(rounds):
        for work in works:
            found[work.name].append(seconds(work, env)[1 if cpu else 0])
    return found


def compared(
    found: Mapping[str, Sequence[float]], work: Work, reference: Work, goal: float | None
) -> Row:
    """Return the row of a work that was measured with its reference."""
    ratios = [a / b for a, b in zip(found[work.name], found[reference.name], strict=True)]
    return Row(work.name, reference.name, ratios, goal, median(found[work.name]))


def lines(rows: Iterable[Row]) -> list[str]:
    """Return a table in Markdown: medians of the ratios, and from where to where they reach."""
    table = [
        "| work | reference | ratio | spread | goal | | median |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = median(row.ratios)
        goal = "" if row.goal is None else f"≤ {row.goal:g}"
        reached = "" if row.goal is None else "yes" if ratio <= row.goal else "no"
        time_text = "" if row.seconds is None else f"{row.seconds:.3g} s"
        spread = f"{min(row.ratios):.2f} to {max(row.ratios):.2f}"
        table.append(
            f"| {row.work} | {row.reference} | {ratio:.2f} | {spread} | {goal} | {reached} "
            f"| {time_text} |"
        )
    return table


def run(measure: Callable[..., list[Row]], description: str | None) -> None:
    """Measure as the command line says, and print the table.

    Parameters
    ----------
    measure
        Takes a folder, the number of rounds, whether sizes are tiny, and whether the time on the
        processors counts.
    description
        What is measured.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=7, metavar="N")
    parser.add_argument("--small", action="store_true", help="tiny sizes: to try the script")
    parser.add_argument(
        "--cpu", action="store_true", help="time on the processors: for a machine that is busy"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), options.rounds, options.small, options.cpu)
    print("\n".join(lines(rows)))


def snakemake(*arguments: object, cores: int = 2) -> list[object]:
    """Return a command that runs Snakemake as most do."""
    return [
        *(sys.executable, "-m", "snakemake", "--quiet", "all", "--cores", cores),
        # Else that of the workflow's own, which the others lack.
        *("--workflow-profile", "none", *arguments),
    ]
