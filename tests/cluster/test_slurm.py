# SPDX-License-Identifier: MIT
"""Runs on a real Slurm, with the profile for Slurm."""

import csv
import os
import shutil
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest
from cluster import LESIONS, NO_ORIENTATION, ClusterWorkflow, configure_images
from support import (
    REPO,
    Workflow,
    copied_repository,
    module,
    served_repository,
    sha256,
    shipped_rows,
)

# Debian's `users`; and a Python that they may run, with the packages of this one.
GROUP = 100
PUBLIC_PYTHON = "/usr/bin/python3"


@pytest.fixture
def public():
    """Return a folder that other users may enter, or skip if they cannot run snakemake."""
    asked = [PUBLIC_PYTHON, "-c", f"import snakemake; open({str(REPO / 'Snakefile')!r})"]
    done = subprocess.run(
        asked,
        user="games",
        group=GROUP,
        env={"PYTHONPATH": sysconfig.get_path("purelib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"other users cannot run this: {done.stdout.strip().splitlines()[-1]}")
    folder = Path(tempfile.mkdtemp(prefix="brainmasks-users-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def timed(run, *args) -> float:
    """Return the seconds that a run takes."""
    start = time.monotonic()
    run(*args)
    return time.monotonic() - start


def test_masks_stay_here_and_images_and_pictures_are_one_submission_each(
    workflow, slurm, real, real_registry, tmp_path, report
):
    local = Workflow(tmp_path / "local")
    local.folder.mkdir()
    for each in (workflow, local):
        each.config = real_registry.copy()
        configure_images(each, real, *LESIONS, accept=["reoriented"])
    # As a user runs it.
    workflow.program = Workflow.program

    first = slurm.next_job()
    masks = timed(workflow.succeed) / timed(local.succeed)
    assert slurm.next_job() == first
    for row in shipped_rows():
        name = f"{row['space']}_{row['resolution']}mm"
        assert sha256(workflow.mask(name)) == row["sha256"]

    targets = ("checks/images.tsv", "qc")
    heavier = timed(workflow.succeed, *targets) / timed(local.succeed, *targets)
    submitted = slurm.next_job() - first
    # The check of the images, their pictures, and the pictures and the table of the masks.
    assert submitted == 3
    for table in ("checks/images.tsv", "qc/masks.html", "qc/MNI152NLin6Asym_2mm.png"):
        assert (workflow.folder / table).read_bytes() == (local.folder / table).read_bytes()
    report(f"four masks: 0 submissions, {masks:.1f} times the wall time")
    report(f"images and pictures: {submitted} submissions, {heavier:.1f} times the wall time")


def test_image_that_is_not_accepted_is_named_and_not_submitted_again(
    workflow, slurm, real, real_registry
):
    workflow.config = real_registry
    configure_images(workflow, real, LESIONS[0], NO_ORIENTATION, accept=["reoriented"])
    first = slurm.next_job()
    printed = workflow.fail("checks/images.tsv")
    assert f"image lesion-2 ({real}/lesions/{NO_ORIENTATION}): no_orientation" in printed
    assert slurm.next_job() == first + 1
    assert (workflow.folder / "checks/images.rejected.tsv").exists()
    assert not (workflow.folder / "checks/images.tsv").exists()


def test_lesion_jobs_of_the_example_run_where_there_is_no_network(
    workflow, slurm, server, real, real_registry, tmp_path, report
):
    workflow.folder = copied_repository(tmp_path / "repository") / "examples/lesion-network"
    workflow.snakefile = None
    lesions = [str(real / "lesions" / file) for file in LESIONS]
    workflow.config = {"lesions": lesions, "brain_masks": real_registry}

    asked = f"import urllib.request as r; r.urlopen('{server.url}/MNI152NLin6Asym_1mm', timeout=9)"
    with pytest.raises(Exception, match="non-zero exit status"):
        slurm.call("srun", "--quiet", "/usr/bin/python3", "-c", asked)
    assert server.asked == []

    first = slurm.next_job()
    workflow.succeed()
    with (workflow.folder / "results/lesions.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["voxels"] for row in rows] == ["14147", "11383", "7618"]
    assert {float(row["fraction_inside"]) for row in rows} == {1.0}
    assert server.asked == ["/MNI152NLin6Asym_1mm"]
    report(f"example of three lesions: {slurm.next_job() - first} submissions")


def test_switch_sends_the_rules_of_each_mask_out_as_one_job(workflow, slurm, tiny, server):
    workflow.config["submit_masks"] = True
    first = slurm.next_job()
    printed = workflow.fail("masks/A_2mm.nii.gz")
    # The node cannot reach the server; the console says so, and what to do.
    assert "mask A_2mm is not available from any source" in printed
    assert "no connection" in printed
    assert server.asked == []

    workflow.succeed("prefetch")
    first = slurm.next_job()
    workflow.succeed()
    assert slurm.next_job() == first + 2
    for row, name in zip(tiny, ("A_2mm", "B_2mm"), strict=True):
        assert sha256(workflow.mask(name)) == row["sha256"]
    assert "Nothing to be done" in workflow.succeed()

    workflow.mask("A_2mm").write_bytes(b"damaged")
    workflow.succeed()
    assert slurm.next_job() == first + 3
    assert sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]


def test_module_from_a_url_needs_no_network_on_the_node(workflow, slurm, tiny, server, tmp_path):
    url = served_repository(server, tmp_path / "served")
    statements = module(repr(f"{url}/Snakefile"), config="config")
    (workflow.folder / "Snakefile").write_text(statements)
    workflow.snakefile = None
    first = slurm.next_job()
    workflow.succeed("qc/A_2mm.png")
    assert slurm.next_job() == first + 1


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (("scancel", "{}"), "CANCELLED"),
        (("scontrol", "update", "jobid={}", "EndTime=now"), "TIMEOUT"),
    ],
)
def test_job_that_slurm_ends_is_named_and_the_next_run_completes(host, slurm, end, state):
    first = slurm.next_job()
    running = host.start("--retries", "0")
    (job,) = slurm.wait_for_jobs("R", first)
    host.wait_for("started")
    slurm.call(*(word.format(job) for word in end))
    printed, _ = running.communicate(timeout=120)
    assert running.returncode != 0
    assert f"SLURM-job '{job}' failed, SLURM status is: '{state}'" in printed, printed
    assert "Error in rule slow" in printed
    assert not (host.folder / "slow.txt").exists()

    (host.folder / "go").touch()
    host.succeed()
    assert sha256(host.folder / "slow.txt") == sha256(host.mask("A_2mm"))


def test_two_users_share_a_cache_and_ask_the_server_once(workflow, slurm, tiny, server, public):
    cache = public / "cache"
    cache.mkdir()
    os.chown(cache, -1, GROUP)
    cache.chmod(0o2770)
    config = workflow.config | {"cache_dir": str(cache), "registry": str(public / "masks.tsv")}
    shutil.copyfile(workflow.config["registry"], config["registry"])

    runs = []
    for user, umask in (("games", 0o077), ("news", 0o002)):
        home = public / user
        home.mkdir()
        each = ClusterWorkflow(home)
        each.config = config
        command = [PUBLIC_PYTHON, *each.command("masks/B_2mm.nii.gz", "qc/A_2mm.png")[1:]]
        shutil.chown(home, user, GROUP)
        started = each.start(
            command=command,
            user=user,
            group=GROUP,
            extra_groups=[],
            umask=umask,
            env=os.environ | {"HOME": str(home), "PYTHONPATH": sysconfig.get_path("purelib")},
        )
        runs.append((each, started))
    for each, running in runs:
        printed, _ = running.communicate(timeout=120)
        assert running.returncode == 0, printed
        for row, name in zip(tiny, ("A_2mm", "B_2mm"), strict=True):
            assert sha256(each.mask(name)) == row["sha256"]
        assert (each.folder / "qc" / "A_2mm.png").exists()
    assert sorted(server.asked) == ["/A.nii.gz", "/B.nii.gz"]


def test_restarted_controller_and_drained_nodes_only_cost_time(host, slurm):
    first = slurm.next_job()
    slurm.call("scontrol", "update", "nodename=c1,c2", "state=drain", "reason=test")
    try:
        running = host.start()
        slurm.wait_for_jobs("PD", first)
    finally:
        slurm.call("scontrol", "update", "nodename=c1,c2", "state=resume")
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
