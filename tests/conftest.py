# SPDX-License-Identifier: MIT
"""Fixtures of all tests: an isolated machine, a server, a working folder."""

import gzip
import logging
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bench import Bench
from browsing import browser, chromium  # noqa: F401 -- fixtures, started where they are asked for
from hosting import Host
from support import (
    REAL,
    TINY_AFFINE,
    Server,
    Workflow,
    save_image,
    spelled,
    tiny_mask,
    write_table,
)
from tutorial import reader  # noqa: F401 -- a fixture


def pytest_addoption(parser) -> None:
    """Add the options without which nothing is installed on this machine."""
    parser.addoption(
        "--cluster", action="store_true", help="run tests/cluster: installs and starts a Slurm"
    )
    parser.addoption(
        "--built", metavar="FOLDER", help="run tests/release on what was built there: installs it"
    )


def pytest_make_parametrize_id(config, val, argname) -> str | None:
    """Return a short id in which letters that a console cannot show are spelled out."""
    if not isinstance(val, str):
        return None
    return spelled(val)


@pytest.fixture(autouse=True)
def machine(tmp_path_factory, monkeypatch) -> Path:
    """Give each test a home of its own, so that none sees or harms the user's caches."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("BRAINMASKS_", "SNAKEMAKE_")):
            monkeypatch.delenv(name)
    # What this run of pytest was told is nothing to those that a test starts.
    for name in ("FSLDIR", "PYTEST_ADDOPTS", "TEMPLATEFLOW_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LACUNA_CACHE_DIR", str(home / "lacuna"))
    return home


@pytest.fixture
def cache(machine) -> Path:
    """Return the folder of the cache that a test uses; it is not there yet."""
    return machine / "lacuna" / "masks"


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of the real masks, or skip."""
    if not REAL.is_dir():
        pytest.skip(f"the real masks are not here: no folder {REAL}")
    return REAL


@pytest.fixture
def server():
    """Return a running loopback server."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def bench(tmp_path):
    """Return a mask, a server that may be faulty, and the folders of the main job."""
    bench = Bench(tmp_path / "a folder ü")
    bench.folder.mkdir()
    yield bench
    bench.server.close()


@pytest.fixture
def package_log():
    """Yield the logger of the package; a job sets it up for its own process, which ends."""
    log = logging.getLogger("brainmasks")
    before = log.level, log.propagate, log.handlers[:]
    yield log
    log.setLevel(before[0])
    log.propagate, log.handlers[:] = before[1:]


@pytest.fixture
def workflow(tmp_path) -> Workflow:
    """Return a working folder for runs of this repository's Snakefile."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Workflow(folder)


@pytest.fixture
def tiny(workflow, server, tmp_path):
    """Register the tiny masks A_2mm and B_2mm, served over loopback; return their rows."""
    rows = []
    for seed, space in enumerate("AB"):
        data, row = tiny_mask(space, seed=seed)
        server.files[f"/{space}.nii.gz"] = data
        rows.append(row | {"url": f"{server.url}/{space}.nii.gz"})
    workflow.config = {
        "registry": str(write_table(tmp_path / "masks.tsv", rows)),
        "mirrors": False,
        "masks": ["A_2mm", "B_2mm"],
    }
    return rows


@pytest.fixture
def host(workflow, tiny) -> Host:
    """Return a host workflow whose module knows the tiny masks."""
    return Host(workflow)


@pytest.fixture
def lesion(server):
    """Return a lesion of three voxels, all of them inside the tiny mask A, on its grid."""
    inside = nib.Nifti1Image.from_bytes(gzip.decompress(server.files["/A.nii.gz"])).dataobj
    voxels = np.zeros((6, 7, 5), np.int16)
    for index in np.argwhere(np.asarray(inside) == 1)[:3]:
        voxels[tuple(index)] = 1
    return voxels


@pytest.fixture
def images(workflow, tiny, lesion, tmp_path):
    """Configure four images: one identical, one stored LAS, one a voxel off, one of no space."""
    flipped = TINY_AFFINE.copy()
    flipped[0] = [-2, 0, 0, 4]
    shifted = TINY_AFFINE.copy()
    shifted[0, 3] += 2
    folder = workflow.folder / "lesions"
    folder.mkdir()
    save_image(folder / "same.nii.gz", lesion)
    save_image(folder / "las.nii.gz", lesion[::-1], flipped)
    save_image(folder / "moved.nii.gz", lesion, shifted)
    save_image(folder / "lost.nii.gz", lesion, TINY_AFFINE, sform=0, qform=0)

    def configure(*names: str, **config) -> None:
        rows = [{"image": f"lesions/{n}.nii.gz", "mask": "A_2mm", "id": n} for n in names]
        table = write_table(tmp_path / "images.tsv", rows, ["image", "mask", "id"])
        workflow.config |= {"images": str(table), **config}

    return configure


# Here and not beside the tests on clusters: what collects the results reads this file alone.
def pytest_terminal_summary(terminalreporter) -> None:
    """Print what was reported: what runs cost, compared to the local executor."""
    lines = [
        line
        for done in terminalreporter.getreports("passed")
        for name, line in done.user_properties
        if name == "cluster"
    ]
    if lines:
        terminalreporter.section("cluster, compared to the local executor")
        for line in lines:
            terminalreporter.line(line)
