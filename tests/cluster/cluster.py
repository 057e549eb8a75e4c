# SPDX-License-Identifier: MIT
"""A running Slurm, and runs of `snakemake` that submit to it."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from support import REPO, Workflow, write_table

HERE = Path(__file__).parent
LESIONS = [
    f"sub-0{n}_ses-01_space-MNI152NLin6Asym_label-acuteinfarct_mask.nii.gz" for n in (1, 2, 3)
]
NO_ORIENTATION = "503_T2_lesions_MNI_bin.nii.gz"


class Slurm:
    """A running Slurm of two nodes, c1 and c2, which have no network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def next_job(self) -> int:
        """Return the id of the next job: the difference of two is the number of submissions."""
        config = self.call("scontrol", "show", "config").splitlines()
        return int(next(line for line in config if "NEXT_JOB_ID" in line).split("=")[1])

    def call(self, *command: str) -> str:
        """Run a command, insist on success, and return what it printed."""
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def wait_for_jobs(self, state: str, first: int, count: int = 1) -> list[str]:
        """Return the ids of jobs from a first one on as soon as so many are in a state."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            lines = self.call("squeue", "-h", "-t", state, "-o", "%A").split()
            if len(found := [job for job in lines if int(job) >= first]) >= count:
                return found
            time.sleep(0.2)
        pytest.fail(f"no job is {state}: {self.call('squeue', '--states=all')}")

    def stop_controller(self) -> None:
        """Stop the controller; it leaves its jobs alone."""
        pid = int((self.folder / "run" / "slurmctld.pid").read_text())
        os.kill(pid, 15)
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.1)

    def start_controller(self) -> None:
        """Start the controller again."""
        self.call("ip", "netns", "exec", "brainmasks", "slurmctld")


class ClusterWorkflow(Workflow):
    """A working folder, and `snakemake` run in it with a profile of this repository."""

    program = (str(HERE / "fast_snakemake.py"),)
    options = ()
    profile = "slurm"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.started: list[subprocess.Popen] = []

    def command(self, *args) -> list[str]:
        """Return the command line of a run."""
        profile = ["--workflow-profile", str(REPO / "profiles" / self.profile)]
        return [*super().command(), *profile, *map(str, args)]

    def start(self, *args, command=None, **options) -> subprocess.Popen:
        """Start snakemake, and return the running process; both streams are its `stdout`."""
        process = subprocess.Popen(
            command or self.command(*args),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        """End what a test that failed has left running."""
        for process in self.started:
            process.kill()
            process.communicate()

    def wait_for(self, name: str) -> None:
        """Wait until a file is there."""
        deadline = time.monotonic() + 60
        while not (self.folder / name).exists():
            assert time.monotonic() < deadline, f"{name} does not come"
            time.sleep(0.1)


def configure_images(workflow, real, *files: str, **config) -> None:
    """Have images of the real lesions checked against the mask of 1 mm."""
    rows = [
        {"image": real / "lesions" / file, "mask": "MNI152NLin6Asym_1mm", "id": f"lesion-{n}"}
        for n, file in enumerate(files, start=1)
    ]
    table = write_table(workflow.folder / "images.tsv", rows, ["image", "mask", "id"])
    workflow.config |= {"images": str(table), **config}
