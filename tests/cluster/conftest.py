# SPDX-License-Identifier: MIT
"""A real Slurm for the tests of this folder, and runs of `snakemake` that submit to it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from cluster import HERE, ClusterWorkflow, Slurm
from filelock import FileLock
from support import REPO, module, rule_all, served_registry

# What slurm.sh exits with where there can be no Slurm.
NOT_HERE = 77

# A rule that waits, on a node, for a file named go.
SLOW = """
rule slow:
    input: "masks/A_2mm.nii.gz"
    output: "slow.txt"
    shell: "touch started; while [ ! -e go ]; do sleep 0.2; done; cp {input} {output}"
"""


def pytest_collection_modifyitems(config, items) -> None:
    """Mark the tests of this folder, and skip them unless they are asked for."""
    skip = pytest.mark.skip(reason="needs --cluster: installs and starts a Slurm")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("cluster")
            if not config.getoption("--cluster"):
                item.add_marker(skip)


@pytest.fixture(scope="module")
def slurm():
    """Return a running Slurm, or skip where there can be none."""
    # A machine has one at a time; the files of this folder are run by several processes, and
    # another run may have another folder for temporary files.
    with FileLock("/tmp/brainmasks-slurm.lock"):
        yield from running_slurm()


def running_slurm():
    """Start a Slurm, and stop it in the end."""
    # Not below pytest's own folder, which other users may not enter.
    folder = Path(tempfile.mkdtemp(prefix="brainmasks-slurm-"))
    script = HERE / "slurm.sh"
    try:
        started = subprocess.run(
            ["bash", script, "start", folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=400,
            check=False,
        )
        if started.returncode == NOT_HERE:
            pytest.skip(f"no Slurm: {started.stdout.strip().splitlines()[-1]}")
        assert started.returncode == 0, started.stdout
        yield Slurm(folder)
    finally:
        subprocess.run(["bash", script, "stop", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def workflow(slurm, tmp_path):
    """Return a working folder whose runs submit to Slurm."""
    folder = tmp_path / "work"
    folder.mkdir()
    workflow = ClusterWorkflow(folder)
    yield workflow
    workflow.close()


@pytest.fixture
def real_registry(server, real, tmp_path):
    """Return the configuration for the real masks, served over loopback."""
    registry = served_registry(server, real / "registered", tmp_path / "masks.tsv")
    return {"registry": str(registry), "mirrors": False}


@pytest.fixture
def host(workflow, tiny):
    """Have a host workflow whose rule `slow` waits on a node for a file named go."""
    parts = (rule_all("slow.txt"), module(repr(str(REPO / "Snakefile")), config="config"), SLOW)
    (workflow.folder / "Snakefile").write_text("\n\n".join(parts))
    workflow.snakefile = None
    return workflow


@pytest.fixture
def report(record_property):
    """Return a function that keeps a line for the end of the session."""
    return lambda line: record_property("cluster", line)
