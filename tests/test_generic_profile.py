"""The scripts of profiles/generic, with a scheduler made of shell scripts."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support import REPO

PROFILE = REPO / "profiles" / "generic"
JOBSCRIPT = """#!/bin/sh
# properties = {"rule": "x", "params": {"threads": 7, "resources": {"mem_mb": 1, "a": "\\"b\\""}}, \
"threads": 3, "resources": {"mem_mb": 2000, "mem": "2 GB", "runtime": 90}, "jobid": 4}
(
    cd . && python -m snakemake --target-jobs 'draw:mask=A' 'table:' --allowed-rules draw table \
--cores 2 --mode 'remote' && exit 0 || exit 1
)
"""


class Scheduler:
    """A Slurm that lists what is in a file, and notes what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.commands = folder / "bin"
        self.folder = folder / "work folder"
        self.jobs = self.folder / ".snakemake" / "cluster_jobs"
        self.jobs.mkdir(parents=True)
        self.commands.mkdir()
        self.listed = folder / "listed"
        self.listed.touch()
        self.notes = folder / "notes"
        self.script = folder / "script"
        self.command("squeue", f'cat "{self.listed}"')
        self.command("scancel", f'echo "scancel $*" >>"{self.notes}"; : >"{self.listed}"')
        self.command(
            "sbatch",
            f'echo "sbatch $*" >>"{self.notes}"\nfor last; do :; done\n'
            f'cp "$last" "{self.script}"\necho "7;there"',
        )

    def command(self, name: str, text: str) -> None:
        path = self.commands / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def call(self, script: str, *args, **variables) -> subprocess.CompletedProcess:
        env = {
            "PATH": f"{self.commands}:{os.environ['PATH']}",
            "BRAINMASKS_SCHEDULER": "slurm",
            "BRAINMASKS_SCHEDULER_LIST_AGE": "0",
            "BRAINMASKS_SCHEDULER_GRACE": "1",
        }
        return subprocess.run(
            [PROFILE / script, *args],
            cwd=self.folder,
            env=os.environ | env | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def status(self, job: str = "7") -> tuple[str, str]:
        """Return what Snakemake reads, and what the user does."""
        done = self.call("status.sh", job)
        assert done.returncode == 0
        return done.stdout.strip(), done.stderr

    def submit(self, **variables) -> subprocess.CompletedProcess:
        jobscript = self.folder / "jobscript"
        jobscript.write_text(JOBSCRIPT)
        return self.call("submit.sh", jobscript, **variables)

    def ended(self, status: int) -> None:
        """Write what the job that was submitted writes at its end."""
        path = re.search(r"^ended='(.*)'$", self.script.read_text(), re.MULTILINE)[1]
        Path(path).write_text(f"{status}\n")


@pytest.fixture
def scheduler(tmp_path) -> Scheduler:
    return Scheduler(tmp_path)


def test_a_job_is_submitted_with_what_its_rule_asks_for(scheduler):
    done = scheduler.submit()
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
    asked = scheduler.notes.read_text()
    for option in ("--cpus-per-task=3", "--mem=2000", "--time=90", "--job-name=draw+table"):
        assert option in asked
    # Whatever the job's Snakemake exits with is what its end is known by.
    assert "exit 0 || exit 1" not in scheduler.script.read_text()


def test_a_submission_that_fails_prints_no_id(scheduler):
    scheduler.command("sbatch", "echo invalid partition >&2; exit 1")
    done = scheduler.submit()
    assert done.returncode != 0
    assert not done.stdout
    assert "invalid partition" in done.stderr


@pytest.mark.parametrize(
    ("status", "word", "says"),
    [(0, "success", ""), (1, "failed", "exit status 1"), (137, "failed", "killed")],
)
def test_the_end_of_a_job_is_known_and_its_files_are_removed(scheduler, status, word, says):
    scheduler.submit()
    scheduler.ended(status)
    answer, message = scheduler.status()
    assert answer == word
    assert says in message
    assert ("draw+table, job 7" in message) == (status != 0)
    assert not [path for path in scheduler.jobs.iterdir() if path.name not in ("asked", "listed")]


def test_a_job_that_is_gone_without_a_word_has_failed_after_some_time(scheduler):
    scheduler.submit()
    scheduler.listed.write_text("7\n")
    assert scheduler.status() == ("running", "")
    scheduler.listed.write_text("77\n")
    assert scheduler.status() == ("running", "")
    log = Path((scheduler.jobs / "7.job").read_text().splitlines()[2])
    log.write_text("slurmstepd-c1: error: *** JOB 7 CANCELLED ***\nand other words\n")
    time.sleep(1.1)
    answer, message = scheduler.status()
    assert answer == "failed"
    assert "draw+table, job 7: ended without a word: cancelled, over" in message
    assert str(log) in message
    assert "*** JOB 7 CANCELLED ***" in message


def test_an_end_that_is_seen_late_counts(scheduler):
    scheduler.submit()
    assert scheduler.status() == ("running", "")
    scheduler.ended(0)
    assert scheduler.status() == ("success", "")


@pytest.mark.parametrize("fault", ["exit 1", "echo no controller >&2; exit 1", "kill -9 $$"])
def test_a_scheduler_that_does_not_answer_is_waited_for(scheduler, fault):
    scheduler.submit()
    scheduler.status()
    time.sleep(1.1)
    scheduler.command("squeue", fault)
    answer, message = scheduler.status()
    assert answer == "running"
    assert "slurm does not list the jobs" in message
    # It is said once; and what it does not list when it is back is looked at once more.
    assert scheduler.status() == ("running", "")
    scheduler.command("squeue", ":")
    answer, message = scheduler.status()
    assert answer == "running"
    assert "again" in message


def test_one_list_serves_all_jobs(scheduler):
    scheduler.command("squeue", f'echo squeue >>"{scheduler.notes}"; echo 7; echo 8')
    for job in "7877":
        answer = scheduler.call("status.sh", job, BRAINMASKS_SCHEDULER_LIST_AGE="60")
        assert answer.stdout == "running\n"
    assert scheduler.notes.read_text() == "squeue\n"


def test_a_job_of_a_killed_run_is_cancelled_before_its_files_are_made_again(scheduler):
    scheduler.submit()
    scheduler.listed.write_text("7\n")
    done = scheduler.submit()
    assert done.returncode == 0
    assert "job 7 of an earlier run" in done.stderr
    notes = [line.split()[0] for line in scheduler.notes.read_text().splitlines()]
    assert notes == ["sbatch", "scancel", "sbatch"]


def test_a_job_of_the_same_run_is_left_alone(scheduler):
    run = {"SNAKEMAKE_CLUSTER_SIDECAR_VARS": "1.2"}
    scheduler.submit(**run)
    scheduler.listed.write_text("7\n")
    scheduler.submit(**run)
    notes = [line.split()[0] for line in scheduler.notes.read_text().splitlines()]
    assert notes == ["sbatch", "sbatch"]


def test_a_job_that_does_not_say_what_it_needs_is_refused(scheduler):
    jobscript = scheduler.folder / "jobscript"
    jobscript.write_text(JOBSCRIPT.replace('"runtime": 90', '"other": 90'))
    done = scheduler.call("submit.sh", jobscript)
    assert done.returncode != 0
    assert "runtime ''" in done.stderr
    assert not scheduler.notes.exists()


def test_cancelling_does_not_wait(scheduler):
    scheduler.command("scancel", f'sleep 3; echo "$*" >>"{scheduler.notes}"')
    assert scheduler.call("cancel.sh", "7", "8").returncode == 0
    assert not scheduler.notes.exists()
    begin = time.monotonic()
    while not scheduler.notes.exists():
        assert time.monotonic() - begin < 30
        time.sleep(0.1)
    assert scheduler.notes.read_text() == "7 8\n"


@pytest.mark.parametrize(
    ("name", "command", "rows", "options", "answer", "printed"),
    [
        (
            "pbs",
            "qstat",
            "123.server root q x 1 1 1 -- 00:15 R --\n124.server root q x 1 1 1 -- 00:15 C --",
            "nodes=1:ppn=3,mem=2000mb,walltime=01:30:00",
            "123.server",
            "123.server",
        ),
        (
            "sge",
            "qstat",
            "    123 0.5 x root r 11/22/2026\n    124 0.5 x root Eqw 11/22/2026",
            "-pe smp 3 -l mem_free=667M,h_rt=01:30:00",
            "123",
            "123",
        ),
        (
            "lsf",
            "bjobs",
            "JOBID USER STAT\n123 root RUN",
            "-W 90",
            "Job <123> is submitted to queue <normal>.",
            "123",
        ),
    ],
)
def test_other_schedulers(scheduler, name, command, rows, options, answer, printed):
    scheduler.command(command, f"echo '{rows}'")
    for submit in ("qsub", "bsub"):
        scheduler.command(submit, f'echo "$*" >>"{scheduler.notes}"; echo "{answer}"')
    for cancel in ("qdel", "bkill"):
        scheduler.command(cancel, ":")
    variables = {"BRAINMASKS_SCHEDULER": name}
    (scheduler.folder / "jobscript").write_text(JOBSCRIPT)
    done = scheduler.call("submit.sh", scheduler.folder / "jobscript", **variables)
    assert (done.returncode, done.stdout) == (0, f"{printed}\n"), done.stderr
    assert options in scheduler.notes.read_text()
    time.sleep(1.1)
    for _ in range(2):
        assert scheduler.call("status.sh", printed, **variables).stdout == "running\n"
    gone = [scheduler.call("status.sh", "124", **variables).stdout]
    time.sleep(1.1)
    gone.append(scheduler.call("status.sh", "124", **variables).stdout)
    assert gone == ["running\n", "failed\n"]


def test_no_scheduler_is_said(scheduler):
    done = scheduler.call("submit.sh", "x", BRAINMASKS_SCHEDULER="condor")
    assert done.returncode != 0
    assert "expected: slurm, pbs, sge or lsf" in done.stderr


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="no shellcheck")
def test_shellcheck():
    scripts = [
        PROFILE / f"{name}.sh" for name in ("submit", "status", "cancel", "sidecar", "scheduler")
    ]
    subprocess.run(["shellcheck", "-x", *scripts], cwd=PROFILE, check=True)
