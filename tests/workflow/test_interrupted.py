# SPDX-License-Identifier: MIT
"""A run killed in the middle of a rule: nothing wrong is published, the next run is clean."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support import REPO, sha256

# Stops for ever where the rule works, once; the killer waits for the file that it writes first.
STOP = """
import pathlib, time
import sys

sys.path.insert(0, snakemake.scriptdir)
from brainmasks.masks import steps

real = steps.{function}


def stop(*args, **kwargs):
    if not pathlib.Path({flag!r}).exists():
        pathlib.Path({flag!r}).touch()
        time.sleep(600)
    return real(*args, **kwargs)


steps.{function} = stop
"""


@pytest.mark.parametrize("whole_run", [False, True], ids=["the job", "the whole run"])
@pytest.mark.parametrize(
    ("rule", "function"),
    [("download", "publish"), ("checksum", "publish"), ("validate", "sidecar")],
)
def test_kill_in_the_middle_of_a_rule(workflow, tiny, tmp_path, rule, function, whole_run):
    copy = tmp_path / "repository"
    subprocess.run(
        f"git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t {copy}",
        shell=True,
        cwd=REPO,
        check=copy.mkdir() is None,
    )
    script = copy / "scripts" / f"{rule}.py"
    flag = str(tmp_path / "stopped")
    text = script.read_text().replace(
        "def main(job)", STOP.format(function=function, flag=flag) + "\n\ndef main(job)"
    )
    script.write_text(text)
    workflow.snakefile = copy / "Snakefile"
    run = subprocess.Popen(
        workflow.command("masks/A_2mm.nii.gz"),
        cwd=workflow.folder,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not Path(flag).exists():
        assert run.poll() is None
        time.sleep(0.05)
    if whole_run:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        subprocess.run(["pkill", "-9", "-f", f"{workflow.folder}.*{rule}.py"], check=True)
    run.wait()

    assert not list((workflow.folder / "masks").glob("*.nii.gz"))
    if whole_run:
        # Snakemake's own lock of the folder outlives a kill; its message says so, too.
        workflow.succeed("--unlock")
    workflow.succeed("masks/A_2mm.nii.gz")
    assert sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]
    assert "Nothing to be done" in workflow.succeed("masks/A_2mm.nii.gz")
    assert {p.name for p in (workflow.folder / "masks").iterdir()} == {"A_2mm.nii.gz", "A_2mm.json"}


def test_interrupt_from_the_keyboard_is_clean(workflow, tiny, server):
    arrived, release = threading.Event(), threading.Event()

    class Slow(dict):
        def get(self, path, default=None):
            arrived.set()
            release.wait()
            return super().get(path, default)

    server.files = Slow(server.files)
    run = subprocess.Popen(
        workflow.command("masks/A_2mm.nii.gz"),
        cwd=workflow.folder,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        # As long as it lives, however busy this machine is.
        while not arrived.wait(0.1):
            assert run.poll() is None, run.communicate()[0]
        os.killpg(run.pid, signal.SIGINT)
        printed, _ = run.communicate()
    finally:
        release.set()
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert run.returncode != 0
    assert not workflow.mask("A_2mm").exists()
    assert "Traceback (most recent call last)" not in printed, printed
    workflow.succeed("masks/A_2mm.nii.gz")
    assert sha256(workflow.mask("A_2mm")) == tiny[0]["sha256"]
