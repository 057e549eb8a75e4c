"""Runs on a real Slurm, with the profile for schedulers without an executor of their own."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from support import REPO

LESIONS = [
    f"sub-0{n}_ses-01_space-MNI152NLin6Asym_label-acuteinfarct_mask.nii.gz" for n in (1, 2, 3)
]
FAST = {
    "BRAINMASKS_SCHEDULER": "slurm",
    "BRAINMASKS_SCHEDULER_GRACE": "3",
    "BRAINMASKS_SCHEDULER_LIST_AGE": "1",
}
PROFILE = (
    "--workflow-profile",
    REPO / "profiles" / "generic",
    "--seconds-between-status-checks",
    "1",
    "--cores",
    "2",
)


def submitted(text: str) -> list[str]:
    """Return the ids of the jobs that went out, in the words of Snakemake."""
    return re.findall(r"with external jobid '(\d+)'", text)


def run_images(cluster, real: Path, *targets: str, **env) -> subprocess.CompletedProcess:
    """Run the check of the real lesions, and what else is asked for."""
    rows = [f"{real / 'lesions' / name}\tMNI152NLin6Asym_1mm\t{name[:6]}" for name in LESIONS]
    (cluster.folder / "images.tsv").write_text("image\tmask\tid\n" + "\n".join(rows) + "\n")
    return cluster.run(
        *PROFILE,
        "--config",
        "images=images.tsv",
        "accept=[identical,reoriented]",
        "--",
        "checks/images.tsv",
        *targets,
        **FAST | env,
    )


def jobs_folder(cluster) -> Path:
    """Return where the profile keeps what it knows of its jobs."""
    return cluster.folder / ".snakemake" / "cluster_jobs"


def test_batches_are_one_submission_each(cluster, real):
    pictures = ["qc/MNI152NLin6Asym_1mm.png", "qc/MNI152NLin6Asym_2mm.png"]
    done = run_images(cluster, real, *pictures)
    text = done.stdout + (done.stderr or "")
    assert done.returncode == 0, text
    assert len(submitted(text)) == 2
    assert len((cluster.folder / "checks" / "images.tsv").read_text().splitlines()) == 4
    # Logs by rule; nothing of the jobs is left.
    logs = cluster.folder / ".snakemake" / "cluster_logs"
    assert {path.name for path in logs.iterdir()} == {"check_images", "draw_mask"}
    assert {path.name for path in jobs_folder(cluster).iterdir()} == {"asked", "listed"}


def test_a_job_that_is_cancelled_is_named_and_the_next_run_completes(cluster, real):
    def cancel() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for record in jobs_folder(cluster).glob("*.job"):
                subprocess.run(["scancel", record.stem], check=True)
                return
            time.sleep(0.1)

    thread = threading.Thread(target=cancel)
    thread.start()
    done = run_images(cluster, real)
    thread.join()
    text = done.stdout + (done.stderr or "")
    assert done.returncode != 0
    [job] = submitted(text)
    assert f"check_images, job {job}: ended without a word: cancelled" in text
    again = run_images(cluster, real)
    assert again.returncode == 0, again.stdout


def test_a_scheduler_that_does_not_answer_is_waited_for(cluster, real, tmp_path):
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "squeue").write_text("#!/bin/sh\necho no controller >&2\nexit 1\n")
    (commands / "squeue").chmod(0o755)
    done = run_images(cluster, real, PATH=f"{commands}:{os.environ['PATH']}")
    text = done.stdout + (done.stderr or "")
    assert done.returncode == 0, text
    assert "slurm does not list the jobs: no controller" in text
