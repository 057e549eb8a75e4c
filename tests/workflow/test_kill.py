# SPDX-License-Identifier: MIT
"""Kill -9 at every step and at random moments, and 64 processes at once.

40 whole runs are killed before they end; 200 with
`BRAINMASKS_KILLS=200 pytest tests/workflow/test_kill.py -k any_moment`.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from crowd import fetch_at_once
from forks import RUNS, Forks, printed
from step_cases import (
    DATA,
    ENTRY,
    MASKS,
    NAME,
    NOTE,
    ROW,
    Case,
    Run,
    leftovers,
    names,
    wrong,
)
from support import Server, sha256, write_table

KILLS = int(os.environ.get("BRAINMASKS_KILLS", "40"))
SEED = int(os.environ.get("BRAINMASKS_KILL_SEED", "1"))
# Whole runs at once.
AT_ONCE = 2
# Moments are drawn from a little more than a run's duration.
SPREAD = 1.2

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux for orphans")


@pytest.fixture(autouse=True)
def bounded():
    """Set no alarm: each process here has a bound of its own."""


STEPS = """
import pathlib
import filelock, nibabel, numpy, pooch, requests, tqdm
from brainmasks.masks import steps
from brainmasks.fetching import Fetcher
from brainmasks.registry import BrainMaskMetadata

KILLED = (
    (os, "open"),
    (os, "mkdir"),
    (os, "fdopen"),
    (os, "fchmod"),
    (os, "fsync"),
    (os, "replace"),
    (os, "unlink"),
    (pathlib.Path, "read_bytes"),
)
calls = []


def deadly(owner, name, at, when):
    real = getattr(owner, name)

    def call(*args, **kwargs):
        calls.append(name)
        mine = len(calls) == at
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            return real(*args, **kwargs)
        finally:
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, call)


def work(request):
    for owner, name in KILLED:
        deadly(owner, name, request.get("at"), request.get("when"))
    arguments = request["arguments"]
    if request["step"] == "download":
        arguments["fetcher"] = Fetcher.from_settings(**arguments["fetcher"])
    else:
        arguments["mask"] = BrainMaskMetadata.from_row(arguments["mask"])
    getattr(steps, request["step"])(**arguments)
    if "trace" in request:
        pathlib.Path(request["trace"]).write_text(json.dumps(calls))
    os._exit(0)  # an orderly end takes longer than the step


serve(work)
"""


STARTS = {
    "download into an empty folder": ("download", "an empty folder"),
    "download from a filled cache": ("download", "a filled cache"),
    "validate": ("validate", "a downloaded mask"),
}


@pytest.fixture(scope="module")
def forks():
    """Return a process whose children do steps, and die at a given call."""
    forks = Forks(STEPS)
    yield forks
    forks.close()


@pytest.fixture(scope="module", params=STARTS)
def killed(request, forks, tmp_path_factory):
    """Kill a step before and after each of its calls; return what was found, by place of death."""
    step, start = STARTS[request.param]
    top = tmp_path_factory.mktemp("killed")
    server = Server()
    server.files["/A"] = DATA
    url = f"{server.url}/A"
    whole = Case(forks, top / "whole", url)
    whole.prepare(start)
    whole.succeed(step, trace="calls.json")
    calls = json.loads((whole.folder / "calls.json").read_text())
    assert calls.count("replace") == {"an empty folder": 4}.get(start, 2)
    deaths = {}
    for at, when in product(range(1, len(calls) + 1), ("before", "after")):
        case = Case(forks, top / f"{at} {when}", url)
        case.prepare(start)
        died = case.run(step, at=at, when=when) == -signal.SIGKILL
        at_death = wrong(case.folder)
        case.succeed(step)
        deaths[f"{when} call {at} ({calls[at - 1]})"] = {
            "died": died,
            "wrong at death": at_death,
            "wrong afterwards": wrong(case.folder),
            "missing": sorted(
                f"{part}/{name}"
                for part in ("cache", "resources/masks", "masks")
                for name in names(whole.folder / part) - names(case.folder / part)
                # Where a cached file came from is told if it is known.
                if name != NOTE
            ),
            "left": leftovers(case.folder),
        }
    server.close()
    return deaths


def found(deaths: dict, key: str) -> dict:
    """Return what was found of one kind, by place of death."""
    return {place: death[key] for place, death in deaths.items() if death[key]}


def test_killed_step_leaves_no_wrong_byte_under_a_final_name(killed):
    assert found(killed, "died").keys() == killed.keys()
    assert found(killed, "wrong at death") == {}


def test_step_after_a_killed_one_has_the_right_bytes_everywhere(killed):
    assert found(killed, "wrong afterwards") == {}
    assert found(killed, "missing") == {}


def test_step_after_a_killed_one_leaves_no_temporary_file_and_no_lock(killed):
    assert found(killed, "left") == {}


@pytest.fixture
def runners(machine):
    """Return processes whose children are whole runs."""
    runners = [Forks(RUNS) for _ in range(AT_ONCE)]
    yield runners
    for forks in runners:
        forks.close()


@dataclass
class Outcome:
    """What came of killing runs in one folder."""

    statuses: list[int]
    # How many of cached, downloaded and published mask stood there after each kill.
    stages: list[int]
    # Seconds that those took which ended before the kill.
    whole: list[float]
    problems: list[str]

    @property
    def hits(self) -> int:
        """How many runs had not ended before."""
        return self.statuses.count(-signal.SIGKILL)


def kill_runs(forks: Forks, run: Run, start: str, moments: list[float]) -> Outcome:
    """Kill runs in one folder, each at its moment, then let one run to its end."""
    statuses, stages, whole, problems = [], [], [], []
    force = ["--forceall"] if start == "published" else []
    for moment in moments:
        run.unlock(forks)
        begin = time.monotonic()
        statuses.append(run.run(forks, *force, kill_after=moment))
        if statuses[-1] == 0:
            whole.append(time.monotonic() - begin)
        stages.append(sum((run.folder / path).exists() for path in MASKS))
        problems += [f"after the kill: {path}" for path in wrong(run.folder)]
    if not set(statuses) <= {0, -signal.SIGKILL}:
        problems.append(f"status {statuses}: {printed(run.folder)}")
    # The same command: one that has nothing to do clears nothing away either.
    run.recover(forks, *force)
    later = wrong(run.folder) + leftovers(run.folder)
    if names(run.folder / "masks") != {f"{NAME}.nii.gz", f"{NAME}.json"}:
        later.append(f"in masks/ {names(run.folder / 'masks')}")
    return Outcome(
        statuses, stages, whole, problems + [f"after the next run: {text}" for text in later]
    )


def test_run_killed_at_any_moment_publishes_nothing_wrong_and_the_next_one_is_clean(
    runners, server, tmp_path
):
    server.files["/A"] = DATA
    registry = write_table(tmp_path / "masks.tsv", [ROW | {"url": f"{server.url}/A"}])

    def duration(forks: Forks, folder: Path) -> float:
        run = Run(folder, registry, "empty", None)
        begin = time.monotonic()
        run.succeed(forks)
        assert wrong(folder) + leftovers(folder) == []
        return time.monotonic() - begin

    def work(mine: int) -> list[Outcome]:
        outcomes, span = [], longest
        for number in range(mine, 4 * KILLS, AT_ONCE):
            if sum(outcome.hits for outcome in outcomes) >= KILLS / AT_ONCE:
                break
            rng = random.Random(f"{SEED}/{number}")
            start = rng.choice(("empty", "cached", "published", "killed"))
            moments = [rng.uniform(0, span) for _ in range(2 if start == "killed" else 1)]
            run = Run(tmp_path / f"run {number}", registry, start, tmp_path / "second 0")
            outcome = kill_runs(runners[mine], run, start, moments)
            if outcome.problems:
                at = ", ".join(f"{moment:.3f} s" for moment in moments)
                print(f"seed {SEED}, run {number}, {start}, killed at {at}: {outcome}")
            outcomes.append(outcome)
            # How long a run takes varies with what else the machine does: follow it.
            span = SPREAD * outcome.whole[-1] if outcome.whole else 1.02 * span
            shutil.rmtree(run.folder)
        return outcomes

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # The first runs take longer: they fill the caches of Python and of the disk.
        longest = min(
            max(pool.map(duration, runners, [tmp_path / f"{turn} {n}" for n in range(AT_ONCE)]))
            for turn in ("first", "second", "third")
        )
        outcomes = [outcome for part in pool.map(work, range(AT_ONCE)) for outcome in part]
    hits = sum(outcome.hits for outcome in outcomes)
    stages = Counter(stage for outcome in outcomes for stage in outcome.stages)
    print(f"{hits} runs killed in {len(outcomes)} folders, of {longest:.2f} s; {stages=}")
    assert [outcome for outcome in outcomes if outcome.problems] == []
    assert hits >= KILLS


class SlowFiles(dict):
    """Files of a server that takes half a second to find one."""

    def get(self, path, default=None):
        time.sleep(0.5)
        return super().get(path, default)


def test_64_processes_with_a_cold_cache_ask_the_server_once(server, cache):
    server.files = SlowFiles({"/A": DATA})
    fetch_at_once(ROW | {"url": f"{server.url}/A"}, cache, [(None, 0o022)] * 64)
    assert server.asked == ["/A"]
    assert sha256(cache / ENTRY) == ROW["sha256"]
    assert names(cache) == {ENTRY, NOTE}
