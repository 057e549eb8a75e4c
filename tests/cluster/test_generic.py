# SPDX-License-Identifier: MIT
"""Runs on a real Slurm, with the profile that a site edits: a submit command and nothing else."""

import os
import subprocess
import time

import pytest
import yaml
from cluster import LESIONS, NO_ORIENTATION, configure_images
from support import REPO, Workflow, sha256, shipped_rows

PROFILE = "cluster-generic"


@pytest.fixture(autouse=True)
def generic(workflow):
    """Have runs use the profile."""
    workflow.profile = PROFILE


def test_masks_stay_here_and_images_and_pictures_are_one_submission_each(
    workflow, slurm, real, real_registry
):
    workflow.config = real_registry
    configure_images(workflow, real, *LESIONS, accept=["reoriented"])
    first = slurm.next_job()
    workflow.succeed()
    assert slurm.next_job() == first
    for row in shipped_rows():
        name = f"{row['space']}_{row['resolution']}mm"
        assert sha256(workflow.mask(name)) == row["sha256"]

    workflow.succeed("checks/images.tsv", "qc")
    # The check of the images, their pictures, and the pictures and the table of the masks.
    assert slurm.next_job() == first + 3
    assert len((workflow.folder / "checks" / "images.tsv").read_text().splitlines()) == 4
    # What the rules ask for reaches Slurm: threads at most as many as `cores` in the profile.
    listed = slurm.call("squeue", "-h", "-t", "all", "-o", "%A %j %C %m %l").splitlines()
    asked = [words[1:] for words in map(str.split, listed) if int(words[0]) >= first]
    assert ["check_images", "4", "2200M", "1:00:00"] in asked
    logs = list((workflow.folder / ".snakemake" / "cluster_logs").iterdir())
    assert len(logs) == 3


def test_image_that_is_not_accepted_is_named_and_not_submitted_again(
    workflow, slurm, real, real_registry
):
    workflow.config = real_registry
    configure_images(workflow, real, LESIONS[0], NO_ORIENTATION, accept=["reoriented"])
    first = slurm.next_job()
    printed = workflow.fail("checks/images.tsv")
    assert f"image lesion-2 ({real}/lesions/{NO_ORIENTATION}): no_orientation" in printed
    assert slurm.next_job() == first + 1
    assert not (workflow.folder / "checks/images.tsv").exists()


@pytest.mark.parametrize(
    "end",
    [("scancel", "{}"), ("scontrol", "update", "jobid={}", "EndTime=now")],
    ids=["cancelled", "over its time"],
)
def test_job_that_slurm_ends_ends_the_run_and_the_next_run_completes(host, slurm, end):
    first = slurm.next_job()
    running = host.start("--retries", "0")
    (job,) = slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    slurm.call(*(word.format(job) for word in end))
    printed, _ = running.communicate(timeout=120)
    assert running.returncode != 0
    assert "Error in rule slow" in printed, printed
    assert f"external_jobid: {job}" in printed
    assert not (host.folder / "slow.txt").exists()

    (host.folder / "go").touch()
    host.succeed()
    assert sha256(host.folder / "slow.txt") == sha256(host.mask("A_2mm"))


def test_restarted_controller_only_costs_time(host, slurm):
    first = slurm.next_job()
    running = host.start()
    slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    slurm.stop_controller()
    time.sleep(5)
    slurm.start_controller()
    (host.folder / "go").touch()
    printed, _ = running.communicate(timeout=120)
    assert running.returncode == 0, printed
    assert slurm.next_job() == first + 1
    assert sha256(host.folder / "slow.txt") == sha256(host.mask("A_2mm"))


def test_interrupted_run_cancels_its_jobs(host, slurm):
    # During a look after its jobs Snakemake knows of none; so not with looks in every second.
    host.program = Workflow.program
    first = slurm.next_job()
    running = host.start("--seconds-between-status-checks", "10")
    (job,) = slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    running.send_signal(2)
    printed, _ = running.communicate(timeout=180)
    assert running.returncode != 0, printed
    assert slurm.wait_for_jobs("CA", first) == [job]


def test_status_of_a_job_that_is_forgotten_and_of_one_that_cannot_be_asked_for(slurm, tmp_path):
    text = (REPO / "profiles" / PROFILE / "config.yaml").read_text()
    command = f"{yaml.safe_load(text)['cluster-generic-status-cmd']} '999999'"
    silent = tmp_path / "squeue"
    silent.write_text("#!/bin/sh\necho 'error: Unable to contact slurm controller' >&2\nexit 1\n")
    silent.chmod(0o755)

    def status(path: str) -> str:
        return subprocess.run(
            command,
            shell=True,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PATH": path},
        ).stdout

    assert status(os.environ["PATH"]) == "failed\n"
    assert status(f"{tmp_path}:{os.environ['PATH']}") == "running\n"
