"""Runs on a real Slurm, with the profile for schedulers without an executor of their own."""

import os
import re

import pytest
from cluster import LESIONS, configure_images
from support import sha256


@pytest.fixture(autouse=True)
def generic(workflow, monkeypatch):
    """Have runs use the profile, and look after their jobs more often than is polite."""
    workflow.profile = "generic"
    monkeypatch.setenv("BRAINMASKS_SCHEDULER_GRACE", "3")
    monkeypatch.setenv("BRAINMASKS_SCHEDULER_LIST_AGE", "1")


def submitted(printed: str) -> list[str]:
    """Return the ids of the jobs that went out, in the words of Snakemake."""
    return re.findall(r"with external jobid '([0-9]+)'", printed)


def test_images_and_pictures_are_one_submission_each(workflow, real, real_registry):
    workflow.config = real_registry
    configure_images(workflow, real, *LESIONS, accept=["reoriented"])
    printed = workflow.succeed(
        "checks/images.tsv", "qc/MNI152NLin6Asym_1mm.png", "qc/MNI152NLin6Asym_2mm.png"
    )
    assert len(submitted(printed)) == 2
    assert len((workflow.folder / "checks" / "images.tsv").read_text().splitlines()) == 4
    # Logs by rule; nothing of the jobs is left.
    kept = workflow.folder / ".snakemake"
    assert {path.name for path in (kept / "cluster_logs").iterdir()} == {
        "check_images",
        "draw_mask",
    }
    assert {path.name for path in (kept / "cluster_jobs").iterdir()} == {"asked", "listed"}


def test_cancelled_job_is_named_and_the_next_run_completes(host, slurm):
    first = slurm.next_job()
    running = host.start("--retries", "0")
    (job,) = slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    slurm.call("scancel", job)
    printed, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert f"slow, job {job}: ended without a word: cancelled" in printed
    assert not (host.folder / "slow.txt").exists()

    (host.folder / "go").touch()
    host.succeed()
    assert sha256(host.folder / "slow.txt") == sha256(host.mask("A_2mm"))


def test_scheduler_that_does_not_answer_is_waited_for(host, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "squeue").write_text("#!/bin/sh\necho no controller >&2\nexit 1\n")
    (commands / "squeue").chmod(0o755)
    (host.folder / "go").touch()
    printed = host.succeed(PATH=f"{commands}:{os.environ['PATH']}")
    assert "slurm does not list the jobs: no controller" in printed


def test_interrupted_run_cancels_its_jobs(host, slurm):
    first = slurm.next_job()
    running = host.start()
    (job,) = slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    running.send_signal(2)
    running.communicate(timeout=60)
    assert running.returncode != 0
    assert slurm.wait_for_jobs("CA", first) == [job]
