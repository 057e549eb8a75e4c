# SPDX-License-Identifier: MIT
"""States of the files of one mask that Hypothesis makes up, and runs from each of them.

A fixed sample of them; 500 others, longer ones, with
`BRAINMASKS_STATES=500 pytest -s tests/workflow/test_states.py`.
"""

import os
import re
import shutil
import sys
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import hypothesis
import pytest
from forks import RUNS, Forks
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from mask_states import (
    AGES,
    CHECKSUM,
    DATA,
    ENTRY,
    FETCHED,
    MASK_CONTENTS,
    NAME,
    ORIGIN,
    OTHER,
    OTHER_ROW,
    PLACES,
    PUBLISHED,
    ROW,
    SETS,
    SIDECAR,
    Writer,
    age,
    contents,
    is_right,
    lesion,
    published_problem,
    put,
    read,
    sha,
    table_problem,
)
from support import REPO, Server, Workflow, module, rule_all, save_image, write_table

EXAMPLES = int(os.environ.get("BRAINMASKS_STATES", "0"))
SEED = int(os.environ.get("BRAINMASKS_STATES_SEED", "1"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it asks Linux for orphans")

TABLE, SUMMARY = "checks/images.tsv", "summary.txt"

# What a run may be told, and whether it then makes all that it is asked for. A rule is called {0}.
OPTIONS = {
    (): True,
    ("--rerun-triggers", "mtime"): True,
    ("--rerun-triggers", "params", "input"): True,
    ("--ignore-incomplete",): True,
    ("--keep-going",): True,
    ("--nolock",): True,
    ("--drop-metadata",): True,
    ("--forcerun", "{0}download"): True,
    ("--forcerun", "{0}checksum"): True,
    ("--forcerun", "{0}validate"): True,
    ("--forceall",): True,
    ("--consider-ancient", "{0}validate=mask"): True,
    ("--groups", "{0}download=one", "{0}checksum=one", "{0}validate=one"): True,
    ("--touch",): False,
    ("--until", "{0}checksum"): False,
    ("--until", "{0}validate"): False,
    ("--omit-from", "{0}validate"): False,
    ("--allowed-rules", "all"): False,
    ("--allowed-rules", "all", "{0}validate", "{0}check_images"): False,
}

# Snakemake ends a job whose input is younger than what the job has just written, as a right file of
# the future is.
CLOCKS = "could indicate a clock skew problem"
# How a run may fail: with words of this workflow, or of Snakemake.
EXPECTED = re.compile(
    "|".join(
        (
            r"mask A_2mm is not available from any source",
            r"`--touch` does not regenerate it",
            r"run again to have it fetched again",
            r"Run again to have it regenerated",
            r"1 of 1 masks are not in the cache",
            CLOCKS,
            r"the disk does not hold what was written to it",
            r"MissingInputException",
            r"MissingRuleException",
        )
    )
)
# What no message to a user has in it.
DEFECT = re.compile(r"Traceback \(most recent call last\)|unexpected \w+: ")

HOST = f"""
rule summary:
    input:
        "{PUBLISHED}",
    output:
        "{SUMMARY}",
    localrule: True
    shell:
        "gzip --decompress --stdout {{input}} | sha256sum > {{output}}"
"""
# A process of somebody else that replaces a file between two steps of a run: it goes first.
INTRUDER = """
rule intruder:
    input:
        "{after}",
    output:
        "intruder.txt",
    localrule: True
    priority: 100
    shell:
        "cp --preserve=timestamps {new} {place} && touch {{output}}"
"""


LAST_OUTPUT = {"download": ORIGIN, "checksum": CHECKSUM, "validate": SIDECAR}
# After which step which file is replaced, and by what: mostly by what can be read.
INTRUSIONS = [
    (step, place, name)
    for name in ("repacked", "of another row", "header damaged", "stored LAS", "cut", "right")
    for step, place in (("checksum", FETCHED), ("validate", PUBLISHED), ("download", FETCHED))
]
INTRUSIONS += [
    (step, place, name)
    for step, place in (("checksum", ORIGIN), ("validate", SIDECAR))
    for name in ("of repacked bytes", "of repacked bytes, a lie", "of another row")
]


class World:
    """What all examples share: a process that runs, a server, a folder with both masks; counts."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.server = Server()
        self.forks = Forks(RUNS)
        rows = []
        for data, row in ((DATA, ROW), (OTHER, OTHER_ROW)):
            url = f"{self.server.url}/{row['space']}.nii.gz"
            self.server.files[f"/{row['space']}.nii.gz"] = data
            rows.append(row | {"url": url})
        self.registry = str(write_table(top / "masks.tsv", rows))
        table = [{"image": "lesion.nii.gz", "mask": NAME, "id": "one"}]
        self.images = str(write_table(top / "images.tsv", table, ["image", "mask", "id"]))
        self.lesion = save_image(top / "lesion.nii.gz", lesion())
        self.states: set = set()
        self.runs = 0
        made = self.folder("made")
        workflow = self.workflow(made)
        status = self.run(workflow, "masks/A_2mm.nii.gz", "masks/B_2mm.nii.gz", TABLE)
        assert status == 0, (made / "output.txt").read_text()
        (made / "output.txt").unlink()
        self.made = made
        self.contents = contents(made)

    def folder(self, name: str, of: Path | None = None) -> Path:
        """Return a new working folder, or a copy of one."""
        folder = self.top / name
        if of:
            shutil.copytree(of, folder)
        else:
            folder.mkdir()
            shutil.copy(self.lesion, folder)
        return folder

    def workflow(self, folder: Path) -> Workflow:
        workflow = Workflow(folder)
        workflow.config = {
            "registry": self.registry,
            "mirrors": False,
            "masks": [NAME],
            "images": self.images,
            "cache_dir": str(folder / "cache"),
        }
        return workflow

    def run(self, workflow: Workflow, *args: str, **request) -> int:
        """Return the exit status of a run."""
        self.runs += 1
        # Without the interpreter's own `-m snakemake`.
        arguments = workflow.command(*args)[3:]
        return self.forks.run(workflow.folder, arguments=arguments, **request)

    def close(self) -> None:
        self.forks.close()
        self.server.close()


def changes() -> st.SearchStrategy:
    """Return what is done to the files before a run: places, what is put there, of what time."""
    # The masks that are used first and last more often than the rest.
    places = st.sampled_from((*PLACES, FETCHED, PUBLISHED, PUBLISHED))
    one = st.tuples(places, st.integers(-1, 15), st.sampled_from(AGES))
    several = st.tuples(st.sampled_from(sorted(SETS)), st.just(0), st.sampled_from(AGES))
    return st.lists(st.one_of(one, one, several), min_size=1, max_size=3)


SERVED = st.sampled_from(("right", "right", "right", None, *MASK_CONTENTS))
ASKED = st.sampled_from(((), (PUBLISHED,), (TABLE,), (PUBLISHED, TABLE)))


class States(RuleBasedStateMachine):
    """One working folder: its files are changed, and runs are made, killed and disturbed."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.told: list[str] = []

    @initialize(made=st.booleans())
    def start(self, made: bool) -> None:
        name = f"folder {len(list(self.world.top.glob('folder *')))}"
        self.folder = self.world.folder(name, self.world.made if made else None)
        self.workflow = self.world.workflow(self.folder)

    def teardown(self) -> None:
        # The folder itself stays, empty: the names go on.
        for path in list(self.folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    @rule(
        changes=changes(),
        served=SERVED,
        asked=ASKED,
        options=st.sampled_from(sorted(OPTIONS)),
        offline=st.sampled_from((False, False, True)),
    )
    def run(self, changes, served, asked, options, offline) -> None:
        self.change(changes, served)
        self.as_module(None)
        self.make(asked, options, offline)

    @rule(
        changes=changes(),
        served=SERVED,
        asked=st.sampled_from(((), (SUMMARY,), (SUMMARY, TABLE))),
        options=st.sampled_from(sorted(OPTIONS)),
    )
    def run_as_module(self, changes, served, asked, options) -> None:
        self.change(changes, served)
        self.as_module(HOST)
        self.make(asked, options)

    @rule(
        changes=changes(),
        options=st.sampled_from(("--dry-run", "--summary", "--dag")),
        host=st.booleans(),
    )
    def look(self, changes, options, host) -> None:
        self.change(changes, "right")
        self.as_module(HOST if host else None)
        before = self.snapshot()
        self.act(options)
        assert self.snapshot() == before, self.report("a look at the plan has changed files")

    @rule(changes=changes(), served=SERVED)
    def prefetch(self, changes, served) -> None:
        self.change(changes, served)
        self.as_module(None)
        self.make(("prefetch",))

    @rule(changes=changes(), served=SERVED, after=st.floats(0.2, 3), force=st.booleans())
    def kill(self, changes, served, after, force) -> None:
        self.change(changes, served)
        self.as_module(None)
        options = ["--forceall"] if force else []
        self.act(*options, kill_after=after)
        if list((self.folder / ".snakemake" / "locks").glob("*")):
            self.act("--unlock")

    @rule(
        changes=changes(),
        intrusion=st.sampled_from(INTRUSIONS),
        ahead=st.sampled_from(AGES),
    )
    def replace_between_steps(self, changes, intrusion, ahead) -> None:
        """Have a file replaced once a step has ended, before the next one begins."""
        self.change(changes, "right")
        step, place, name = intrusion
        self.told.append(f"{place}: {name}, {ahead:+d} s, after {step}")
        data = self.world.contents[place][name]
        put(self.folder / "new", data, ahead)
        (self.folder / "intruder.txt").unlink(missing_ok=True)
        self.as_module(INTRUDER.format(after=LAST_OUTPUT[step], new="new", place=place))
        options = ("--forcerun", f"bm_{step}")
        self.disturbed(place, {data}, TABLE, "intruder.txt", *options)

    @rule(
        changes=changes(),
        intrusion=st.sampled_from(INTRUSIONS),
        ahead=st.sampled_from(AGES),
        force=st.booleans(),
    )
    def replace_all_the_time(self, changes, intrusion, ahead, force) -> None:
        """Have a file replaced by turns with the right one, and back, while a run is under way."""
        self.change(changes, "right")
        self.as_module(None)
        _, place, name = intrusion
        self.told.append(f"{place}: right, then {name}, by turns, {ahead:+d} s")
        known = self.world.contents[place]
        turns = (known["right"], known[name])
        options = ["--forceall"] if force else []
        writer = Writer(self.folder / place, turns, ahead)
        self.disturbed(place, set(turns), TABLE, *options, beside=writer)

    def content(self, place: str, kind: int) -> tuple[str, bytes]:
        """Return what a number stands for in a place, with its name."""
        known = list(self.world.contents[place].items())
        return known[kind % len(known)]

    def change(self, changes, served: str | None) -> None:
        """Put files where they are told to be, and count the state that comes of it."""
        for where, kind, ahead in changes:
            if where in SETS:
                pairs = SETS[where].items()
            elif kind < 0:
                pairs = [(where, None)]
            else:
                pairs = [(where, self.content(where, kind)[0])]
            for place, name in pairs:
                data = None if name is None else self.world.contents[place][name]
                put(self.folder / place, data, ahead)
                self.told.append(f"{place}: {name}, {ahead:+d} s")
        files = self.world.server.files
        files.pop("/A.nii.gz", None)
        if served:
            files["/A.nii.gz"] = MASK_CONTENTS[served]
        self.served = served
        self.told.append(f"server: {served}")
        self.world.states.add((served, *map(self.looks, PLACES)))

    def looks(self, place: str) -> tuple[str, str] | None:
        """Return what stands in a place, as far as states differ by it."""
        data = read(self.folder / place)
        return None if data is None else (sha(data), age(self.folder / place))

    def as_module(self, rules: str | None) -> None:
        """Have runs go through a host workflow with these rules; None: through no host."""
        self.workflow = self.world.workflow(self.folder)
        self.prefix = "" if rules is None else "bm_"
        if rules is None:
            return
        taken = module(repr(str(REPO / "Snakefile")), config=repr(self.workflow.config))
        (self.folder / "Snakefile").write_text("\n\n".join([rule_all(PUBLISHED), rules, taken]))
        self.workflow.snakefile, self.workflow.config = None, {}

    def make(self, asked, options=(), offline=False) -> None:
        """Run, and see that all that was asked for is right."""
        if offline:
            self.workflow.config["offline"] = True
        told = [word.format(self.prefix) for word in options]
        available = self.served in ("right", "repacked") and not offline
        available |= read(self.folder / f"{ENTRY}.nii.gz") == DATA
        future = self.any_of_the_future()
        status, printed = self.act(*asked, *told)
        assert status == 0 or EXPECTED.search(printed), self.report("an unexpected failure")
        if OPTIONS[options] and available:
            skewed = future and CLOCKS in printed
            assert status == 0 or skewed, self.report("all that it needs is there")
        if asked == ("prefetch",):
            return
        problem = published_problem(self.folder)
        # Of what is up to date, Snakemake makes no intermediate file that is not there.
        wanted = OPTIONS[options] and asked in ((), (PUBLISHED,), (PUBLISHED, TABLE))
        if status == 0 and (wanted or (self.folder / PUBLISHED).exists()):
            assert problem is None, self.report(problem)
        if status == 0 and OPTIONS[options]:
            for target in asked:
                assert (self.folder / target).exists(), self.report(f"{target} is not there")

    def disturbed(self, place: str, foreign: set[bytes], *args: str, beside=None) -> None:
        """Run while a file is replaced by somebody else: nothing wrong comes of it."""
        status, printed = self.act(*args, beside=beside, place=place, foreign=foreign)
        assert status == 0 or EXPECTED.search(printed), self.report("an unexpected failure")
        if status == 0 and place not in (PUBLISHED, SIDECAR) and (self.folder / PUBLISHED).exists():
            problem = published_problem(self.folder)
            assert problem is None, self.report(problem)

    def act(self, *args: str, beside=None, place="", foreign=(), **request) -> tuple[int, str]:
        """Run, see that all that it wrote is right, and return its status and what it printed."""
        before = {each: read(self.folder / each) for each in PLACES}
        self.told.append(f"snakemake {self.prefix} {' '.join(args)} {request or ''}")
        (self.folder / "output.txt").unlink(missing_ok=True)
        # A run of the Snakefile itself has them of its profile.
        options = () if self.workflow.snakefile else ("--cores", "1", "--rerun-incomplete")
        with beside or nullcontext():
            status = self.world.run(self.workflow, *args, *options, **request)
        self.printed = (self.folder / "output.txt").read_text()
        if "kill_after" not in request:
            assert status >= 0, self.report("it had to be killed")
        assert not DEFECT.search(self.printed), self.report("a defect")
        for each in PLACES:
            data = read(self.folder / each)
            if data in (None, before[each]) or (each == place and data in foreign):
                continue
            assert is_right(each, data), self.report(f"it has written a wrong {each}: {data[:999]}")
        problem = table_problem(self.folder / TABLE)
        assert problem is None, self.report(problem)
        summary = read(self.folder / SUMMARY)
        assert summary is None or ROW["content_sha256"] in summary.decode(), self.report("summary")
        return status, self.printed

    def any_of_the_future(self) -> bool:
        """Return whether the time of any file is ahead of the clock."""
        return any(time.time() < path.stat().st_mtime for path in self.snapshot())

    def snapshot(self) -> dict[Path, tuple[bytes, int]]:
        """Return bytes and time of every file that a run may make."""
        folders = ("cache", "resources", "masks", "checks", "logs")
        return {
            path: (path.read_bytes(), path.stat().st_mtime_ns)
            for folder in folders
            for path in (self.folder / folder).rglob("*")
            if path.is_file()
        }

    def report(self, problem: str | None) -> str:
        """Return a message: the problem, what led to it, and what the last run printed."""
        return "\n".join([str(problem), "after:", *self.told, self.printed])


@pytest.fixture
def world(machine, tmp_path):
    """Return what the examples share; Hypothesis keeps its files there, too."""
    set_hypothesis_home_dir(tmp_path / "hypothesis")
    world = World(tmp_path)
    yield world
    world.close()


def test_files_of_the_future_that_belong_together_lead_to_the_right_mask(world):
    """One run from each: of so many states, chance meets these late."""
    for name in SETS:
        states = States(world)
        states.start(made=True)
        states.run(
            changes=[(name, 0, 60)],
            served="right",
            asked=(PUBLISHED,),
            options=(),
            offline=False,
        )
        states.teardown()


def test_every_state_of_a_mask_leads_to_the_right_mask_or_to_a_message(world):
    begin = time.monotonic()
    states = partial(States, world)
    if EXAMPLES:
        hypothesis.seed(SEED)(states)
    try:
        run_state_machine_as_test(
            states,
            settings=settings(
                database=None,
                deadline=None,
                derandomize=not EXAMPLES,
                max_examples=EXAMPLES or 10,
                stateful_step_count=10 if EXAMPLES else 4,
                suppress_health_check=list(HealthCheck),
                # A failing example is reported with its whole history; to shrink it takes minutes.
                phases=(Phase.generate, Phase.shrink) if EXAMPLES else (Phase.generate,),
                print_blob=False,
            ),
        )
    finally:
        seconds = time.monotonic() - begin
        print(f"{len(world.states)} states, {world.runs} runs, {seconds:.0f} s")
