"""Fixtures of all tests: an isolated machine, a server, a working folder."""

import os
from pathlib import Path

import pytest
from support import REAL, Server, Workflow, tiny_mask, write_table


@pytest.fixture(autouse=True)
def machine(tmp_path_factory, monkeypatch) -> Path:
    """Give each test a home of its own, so that none sees or harms the user's caches."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("BRAINMASKS_", "SNAKEMAKE_")):
            monkeypatch.delenv(name)
    for name in ("FSLDIR", "TEMPLATEFLOW_HOME", "XDG_CACHE_HOME"):
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
