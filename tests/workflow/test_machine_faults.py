# SPDX-License-Identifier: MIT
"""Each call to the operating system goes wrong once, in each step: below Python, so in whatever
library makes it.

A sample of the faults is tried; all of them with
`BRAINMASKS_FAULTS=all pytest tests/workflow/test_machine_faults.py`.
"""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from errno import EACCES, EIO, ENOSPC
from pathlib import Path

import pytest
from bench import LIMITS
from forks import RUNS, Forks, printed
from machine_faults import Call, Fault, Plan, build, faults_of
from step_cases import DATA, ENTRY, NAME, NOTE, ROW, Case, Run, leftovers, names
from support import Server, write_table

from brainmasks.images.verdicts import NOT_AN_IMAGE

ALL = os.environ.get("BRAINMASKS_FAULTS") == "all"
# Of the faults of each call one of so many is tried, others for the next call.
EVERY = 1 if ALL else 12
# Whole runs at once.
AT_ONCE = 2
# Seconds after which a step counts as hanging.
PATIENCE = 20
# Nobody else fetches here: no wait for another run, and none before a server is asked.
SOON = replace(LIMITS, stall=5, deadline=20, patience=10, spread=0)

FOLDERS = ("cache", "resources/masks", "masks", "checks", "logs", "images")
IMAGE = "images/same.nii.gz"
DETAILS, REJECTED = "checks/same.json", "checks/same.rejected.json"

STEPS = """
import dataclasses, pathlib
import filelock, nibabel, numpy, pooch, requests, scipy.ndimage, tqdm
from brainmasks.errors import MaskError
from brainmasks.fetching import Fetcher, Limits
from brainmasks.images import OntoGrid, Policy, PublishedMask, check_image, compare_to_mask
from brainmasks.job_log import job_log
from brainmasks.masks import fetched_damage, published_damage, steps
from brainmasks.registry import BrainMaskMetadata, BrainMaskRegistry


def download(fetcher, limits, **files):
    fetcher = Fetcher.from_settings(**fetcher)
    fetcher = dataclasses.replace(fetcher, limits=Limits(**limits))
    steps.download(fetcher=fetcher, **files)


def checksum(mask, **files):
    steps.checksum(mask=BrainMaskMetadata.from_row(mask), **files)


def validate(mask, **files):
    steps.validate(mask=BrainMaskMetadata.from_row(mask), **files)


def look(mask, fetched, published):
    mask = BrainMaskMetadata.from_row(mask)
    return [fetched_damage(mask, *fetched), published_damage(mask, *published, *fetched)]


def check(mask, image, mask_path, details_path):
    mask = BrainMaskMetadata.from_row(mask)
    check_image(
        "same",
        {"image": image, "mask": mask.name},
        PublishedMask(mask_path, mask),
        BrainMaskRegistry([mask], {}),
        Policy(["identical"], []),
        OntoGrid("aligned/{id}.nii.gz", None),
        0.5,
        details_path,
    )


def compare(mask, image, mask_path):
    registry = BrainMaskRegistry([BrainMaskMetadata.from_row(mask)], {})
    return compare_to_mask(image, pathlib.Path(mask_path), registry=registry).as_dict()


def work(request):
    status = 0
    try:
        with job_log("logs/step.log", "mask A_2mm"):
            result = globals()[request["step"]](**request["arguments"])
            pathlib.Path("result.json").write_text(json.dumps(result))
    except SystemExit as end:
        status = end.code
    sys.stdout.flush()
    os._exit(status)  # an orderly end takes longer than the step


serve(work)
"""


class Folder(Case):
    """A working folder with a cache and an image, and the steps on them on a faulty machine."""

    def __init__(self, forks: Forks, folder: Path, url: str, template: Path | None = None) -> None:
        super().__init__(forks, folder, url)
        if template:
            shutil.copytree(template, folder, dirs_exist_ok=True)
            (folder / "output.txt").unlink(missing_ok=True)

    def arguments(self, step: str) -> dict:
        mask = {"mask": ROW | {"url": self.url}}
        if step == "look":
            given = super().arguments("validate")
            return mask | {
                "fetched": [given["mask_path"], given["origin_path"]],
                "published": [given["published_path"], given["sidecar_path"]],
            }
        if step in ("check", "compare"):
            more = {"details_path": DETAILS} if step == "check" else {}
            return mask | {"image": IMAGE, "mask_path": f"masks/{NAME}.nii.gz"} | more
        given = super().arguments("validate" if step == "checksum" else step)
        if step == "download":
            return given | {"limits": asdict(SOON)}
        if step == "checksum":
            kept = {key: given[key] for key in ("mask", "mask_path", "origin_path")}
            return kept | {"checksum_path": f"resources/masks/{NAME}.nii.gz.sha256"}
        return given

    def faulty(self, step: str, plan: Plan) -> int:
        (self.folder / "result.json").unlink(missing_ok=True)
        return self.run(step, plan=plan.text, kill_after=PATIENCE)

    def plan(self, name: str, at: int = 0, fault: Fault | None = None) -> Plan:
        roots = [self.folder / folder for folder in FOLDERS]
        return Plan(self.folder.parent / f"{self.folder.name}, {name}", roots, at, fault)

    def result(self):
        """Return what a step has returned; None if it has not."""
        path = self.folder / "result.json"
        return json.loads(path.read_text()) if path.exists() else None


# The steps, and those before them.
BEFORE = {
    "download into an empty folder": ("download", ()),
    "download from a filled cache": ("download", ("download", "forget")),
    "checksum": ("checksum", ("download",)),
    "validate": ("validate", ("download", "checksum")),
    "validate over a published mask": ("validate", ("download", "checksum", "validate")),
    "look for damage": ("look", ("download", "checksum", "validate")),
    "check an image": ("check", ("download", "checksum", "validate")),
    "compare an image": ("compare", ("download", "checksum", "validate")),
}


def other_name(name: str) -> str:
    """Return the name of a cached file of which only the content is registered."""
    return re.sub(r"(_mask(?:_sha256-[0-9a-f]+)?)[.]", r"\1_recoded.", name)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what stands under final names: all but logs and what is quarantined."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in FOLDERS
        if part != "logs" and (folder / part).is_dir()
        for path in (folder / part).iterdir()
        if path.is_file() and not path.name.startswith(".") and ".damaged-" not in path.name
    }


def end_of(text: str) -> list[str]:
    """Return what is wrong with what a failed step has printed: one line says why, no more."""
    if "Traceback" in text:
        return [f"traceback: {text}"]
    lines = [line for line in text.splitlines() if not line.startswith("WARNING: ")]
    if len(lines) != 1 or not lines[0].startswith("ERROR: "):
        return [f"it does not end with one line: {text}"]
    return [f"a defect: {lines[0]}"] if "unexpected" in lines[0] else []


def chosen(calls: list[Call]) -> list[tuple[Call, Fault]]:
    """Return the calls that are to go wrong, and how."""
    pairs = []
    for call in calls:
        faults = faults_of(call.kind)
        if "/images/" in call.path:
            # No hash is registered of an image: what was read of it is the image.
            faults = [fault for fault in faults if fault.action != "flip"]
        first = 0 if ALL else call.number % len(faults)
        pairs += [(call, fault) for fault in faults[first::EVERY]]
    return pairs


@pytest.fixture(autouse=True)
def bounded():
    """Set no alarm: each process here has a bound of its own."""


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> str:
    """Return the path of the library that lets calls go wrong."""
    return str(build(tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="module")
def forks(library):
    """Return a process whose children do steps on a faulty machine."""
    forks = Forks(STEPS, preloaded=library)
    yield forks
    forks.close()


@pytest.fixture(scope="module")
def url():
    """Return the URL of the mask on a server."""
    server = Server()
    server.files["/A"] = DATA
    yield f"{server.url}/A"
    server.close()


@pytest.fixture(scope="module")
def prepared(forks, url, tmp_path_factory):
    """Return a function that makes a folder in which some steps have succeeded."""
    made: dict[tuple[str, ...], Path] = {}
    top = tmp_path_factory.mktemp("prepared")

    def prepare(steps: tuple[str, ...]) -> Path:
        if steps not in made:
            earlier = prepare(steps[:-1]) if steps else None
            folder = Folder(forks, top / (", ".join(steps) or "empty"), url, earlier)
            if not steps:
                (folder.folder / "images").mkdir()
                (folder.folder / IMAGE).write_bytes(DATA)
            elif steps[-1] == "forget":
                shutil.rmtree(folder.folder / "resources")
            else:
                assert folder.faulty(steps[-1], folder.plan("whole")) == 0, printed(folder.folder)
            made[steps] = folder.folder
        return made[steps]

    return prepare


@pytest.fixture(scope="module")
def allowed(forks, url, prepared, tmp_path_factory):
    """Return the bytes that each file may have: those of runs on a machine without faults."""
    top = tmp_path_factory.mktemp("allowed")
    found: dict[str, set[bytes]] = {}
    for start in ("server", "cache", "cache, no note", "other name", "other name, no note"):
        template = prepared(() if start == "server" else ("download", "forget"))
        folder = Folder(forks, top / start, url, template)
        cache = folder.folder / "cache"
        if start.startswith("other name"):
            # Where the first name is another user's: what has been refused may be his.
            for name in (ENTRY, NOTE):
                (cache / name).rename(cache / other_name(name))
        if start.endswith("no note"):
            next(cache.glob("*.source.json")).unlink()
        for step in ("download", "checksum", "validate", "check"):
            assert folder.faulty(step, folder.plan(step)) == 0, printed(folder.folder)
        for path, data in contents(folder.folder).items():
            found.setdefault(path, set()).add(data)
    return found


@dataclass
class Step:
    """A step that is done on a faulty machine, and what it does on one without faults.

    Attributes
    ----------
    new : callable
        Returns a folder in which the steps before it have succeeded.
    allowed : mapping
        The bytes that each file may have.
    before : set
        What stands in the folder before it.
    calls : list
        What it calls.
    files : set
        What stands in the folder afterwards.
    result
        What it returns.
    """

    name: str
    new: Callable[[str], Folder]
    allowed: dict[str, set[bytes]]

    def __post_init__(self) -> None:
        whole = self.new("whole")
        self.before = contents(whole.folder).keys()
        plan = whole.plan("trace")
        assert whole.faulty(self.name, plan) == 0, printed(whole.folder)
        self.folder = whole.folder
        self.calls = plan.calls()
        self.files = contents(whole.folder).keys()
        self.result = whole.result()

    def wrong(self, folder: Path) -> list[str]:
        """Return what stands under a final name, and is not what should."""
        return [
            path
            for path, data in contents(folder).items()
            if data not in self.allowed.get(path, ()) and not is_rejection(path, data)
        ]

    def missing(self, folder: Path) -> list[str]:
        """Return what is not there, but for a note of the cache, or its other name of the mask."""
        missing = self.files - contents(folder).keys() - {f"cache/{NOTE}"}
        if (folder / "cache" / other_name(ENTRY)).exists():
            missing -= {f"cache/{ENTRY}"}
        return sorted(missing)

    def problems_of_fault(self, case: Folder, status: int) -> list[str]:
        """Return what is wrong after a run on a faulty machine."""
        problems = [f"wrong: {path}" for path in self.wrong(case.folder)]
        # A file of the cache that was read wrong is renamed.
        lost = self.before - contents(case.folder).keys()
        problems += [f"lost: {path}" for path in lost if not path.startswith("cache/")]
        if status == 1:
            return problems + end_of(printed(case.folder))
        if status:
            return [*problems, f"status {status}: {printed(case.folder)}"]
        if not self.may_return(case.result()):
            problems.append(f"it returned {case.result()}")
        missing = [path for path in self.missing(case.folder) if not path.startswith("cache/")]
        return problems + [f"missing: {path}" for path in missing]

    def may_return(self, result) -> bool:
        """Return whether a step may return this on a faulty machine."""
        if self.name == "compare" and result["verdict"] == NOT_AN_IMAGE:
            return True
        # A file that cannot be read is damage; it is made again.
        return self.name == "look" or result == self.result

    def problems_of_next_run(self, case: Folder) -> list[str]:
        """Return what is wrong after one more run, without faults."""
        (case.folder / "output.txt").unlink()
        problems = []
        if case.faulty(self.name, case.plan("again")):
            problems.append(f"it fails: {printed(case.folder)}")
        elif case.result() != self.result:
            problems.append(f"it returned {case.result()}")
        problems += [f"wrong: {path}" for path in self.wrong(case.folder)]
        problems += [f"missing: {path}" for path in self.missing(case.folder)]
        problems += [f"left: {path}" for path in leftovers(case.folder)]
        if (case.folder / REJECTED).exists():
            problems.append(f"left: {REJECTED}")
        return problems

    def trial(self, name: str, call: Call, fault: Fault) -> tuple[int, list[str]]:
        """Return the status of a run with a fault, and what is wrong with it and the next run."""
        case = self.new(name)
        plan = case.plan("faulty", call.number, fault)
        status = case.faulty(self.name, plan)
        problems = [f"after the fault: {text}" for text in self.problems_of_fault(case, status)]
        if not any(each.went_wrong for each in plan.calls()):
            problems.append("the fault did not happen")
        # It is opened after a file has its name, to flush that to the disk: no more to be done.
        if status and fault.action == "fail" and opened_folder(call):
            problems.append("a folder that cannot be flushed costs the step")
        problems += [f"after the next run: {text}" for text in self.problems_of_next_run(case)]
        if not problems:
            shutil.rmtree(case.folder)
        return status, problems


@pytest.fixture(params=BEFORE)
def step(request, forks, url, prepared, allowed, tmp_path) -> Step:
    """Return a step, in folders of its own."""
    name, before = BEFORE[request.param]
    template = prepared(before)
    return Step(name, lambda folder: Folder(forks, tmp_path / folder, url, template), allowed)


def test_step_on_a_faulty_machine_is_right_or_says_so_and_the_next_one_mends_it(step):
    found = {}
    for number, (call, fault) in enumerate(chosen(step.calls)):
        place = f"{call.number}: {call.kind} {shown(call, step.folder)}: {fault}"
        found[place] = step.trial(str(number), call, fault)
    statuses = Counter(status for status, _ in found.values())
    print(f"{step.name}: {len(step.calls)} calls, {len(found)} faults, {statuses=}")
    assert {place: problems for place, (_, problems) in found.items() if problems} == {}
    # Some faults are overcome. Where a step looks for damage, it is found, and that is no error.
    assert statuses.keys() == ({0} if step.name == "look" else {0, 1})


def shown(call: Call, folder: Path) -> str:
    """Return the file of a call, without what differs from run to run."""
    path = str(Path(call.path).relative_to(folder))
    return re.sub(r"/\.(.*\.(gz|json|tsv|sha256))\..*\.part", r"/\1, temporary", path)


def opened_folder(call: Call) -> bool:
    """Return whether a call is on a folder that is or was to be open."""
    return call.kind in ("open", "sync", "close") and Path(call.path).is_dir()


def is_rejection(path: str, data: bytes) -> bool:
    """Return whether a file says of an image that it could not be read."""
    return path == REJECTED and json.loads(data)["verdict"] == NOT_AN_IMAGE


# Whole runs: from which start, the first call of which kind on which file, and what is done to it.
BROKEN_RUNS = {
    "the cache refuses a new file": ("empty", "create cache/.*temporary", Fault("fail", EACCES)),
    "the disk is full from the download on": ("empty", "write resources/", Fault("last", ENOSPC)),
    "the fetched mask is read wrong": ("empty", "read resources/.*gz$", Fault("flip", 500)),
    "the published mask is written wrong": ("empty", "write masks/.*gz", Fault("flip", 500)),
    "the published mask cannot be renamed": ("cached", "rename masks/.*gz", Fault("fail", EIO)),
    "the published mask is read wrong": ("published", "read masks/.*gz$", Fault("flip", 500)),
}
STARTS = ("empty", "cached", "published")
# With BRAINMASKS_FAULTS=all one of so many calls, with another fault each, beside these.
EVERY_OF_A_RUN = 8


@dataclass
class Traced:
    """Whole runs without faults: their calls, what they leave, and a folder to start from."""

    registry: Path
    template: Path
    calls: dict[str, list[tuple[Call, str]]]
    allowed: dict[str, set[bytes]]

    def cases(self) -> dict[str, tuple[str, Call, Fault]]:
        """Return the start, the call that is to go wrong, and how, by a name."""
        cases = {}
        for name, (start, pattern, fault) in BROKEN_RUNS.items():
            call = next(call for call, place in self.calls[start] if re.match(pattern, place))
            cases[name] = (start, call, fault)
        for start in STARTS if ALL else ():
            for call, place in self.calls[start][::EVERY_OF_A_RUN]:
                faults = faults_of(call.kind)
                fault = faults[call.number // EVERY_OF_A_RUN % len(faults)]
                cases[f"{start}, {call.number}: {place}: {fault}"] = (start, call, fault)
        return cases


def planned(run: Run, name: str, at: int = 0, fault: Fault | None = None) -> Plan:
    roots = [run.folder / folder for folder in FOLDERS]
    return Plan(run.folder.parent / f"{run.folder.name}, {name}", roots, at, fault)


@pytest.fixture
def runners(machine, library):
    """Return processes whose children are whole runs on a faulty machine."""
    runners = [Forks(RUNS, preloaded=library) for _ in range(AT_ONCE)]
    yield runners
    for forks in runners:
        forks.close()


@pytest.fixture
def traced(runners, url, tmp_path):
    registry = write_table(tmp_path / "masks.tsv", [ROW | {"url": url}])
    template = tmp_path / "empty"
    calls, allowed = {}, {}

    def allow(run: Run) -> None:
        for path, data in contents(run.folder).items():
            allowed.setdefault(path, set()).add(data)

    for start in STARTS:
        run = Run(tmp_path / start, registry, start, template)
        plan = planned(run, "whole")
        assert run.run(runners[0], plan=plan.text) == 0, printed(run.folder)
        calls[start] = [(call, f"{call.kind} {shown(call, run.folder)}") for call in plan.calls()]
        allow(run)
    # What comes from the cache is noted as such, also if a run that failed has brought it there.
    again = Run(tmp_path / "again", registry, "published", template)
    for made in ("resources", "masks"):
        shutil.rmtree(again.folder / made)
    again.succeed(runners[0])
    allow(again)
    return Traced(registry, template, calls, allowed)


def broken_run(forks: Forks, traced: Traced, folder: Path, start: str, call: Call, fault: Fault):
    """Return the status of a run on a faulty machine, and what is wrong with it or the next one."""
    run = Run(folder, traced.registry, start, traced.template)
    plan = planned(run, "faulty", call.number, fault)
    status = run.run(forks, plan=plan.text)
    problems = [] if any(each.went_wrong for each in plan.calls()) else ["no fault"]
    text = printed(folder)
    if status not in (0, 1):
        problems.append(f"status {status}: {text}")
    if "unexpected" in text or re.search(r"File \".*(brainmasks|\.smk)", text):
        problems.append(f"a defect: {text}")

    def wrong() -> list[str]:
        return [
            path
            for path, data in contents(folder).items()
            if data not in traced.allowed.get(path, ())
        ]

    published = {f"{NAME}.nii.gz", f"{NAME}.json"}
    problems += [f"wrong after the fault: {path}" for path in wrong()]
    if status == 0 and names(folder / "masks") != published:
        problems.append(f"in masks/ after success: {names(folder / 'masks')}")
    run.recover(forks)
    problems += [f"after the next run: {path}" for path in wrong() + leftovers(folder)]
    if names(folder / "masks") != published:
        problems.append(f"in masks/ after the next run: {names(folder / 'masks')}")
    return status, problems


def test_run_on_a_faulty_machine_publishes_nothing_wrong_and_the_next_one_mends_it(
    runners, traced, tmp_path
):
    cases = list(traced.cases().items())

    def work(mine: int) -> dict[str, tuple[int, list[str]]]:
        found = {}
        for number, (name, case) in list(enumerate(cases))[mine::AT_ONCE]:
            folder = tmp_path / f"run {number}"
            found[name] = broken_run(runners[mine], traced, folder, *case)
            print(f"{name}: {found[name]}", flush=True)
            shutil.rmtree(folder)
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {
            name: each for part in pool.map(work, range(AT_ONCE)) for name, each in part.items()
        }
    statuses = Counter(status for status, _ in found.values())
    print(f"whole runs: {len(found)} faults, {statuses=}")
    assert {name: problems for name, (_, problems) in found.items() if problems} == {}
    assert statuses.keys() == {0, 1}
