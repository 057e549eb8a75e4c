# SPDX-License-Identifier: MIT
"""What was built, and the wheel of it in an environment that has nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import REPO

HERE = Path(__file__).parent
REQUIREMENTS = REPO / "requirements.txt"


def pytest_collection_modifyitems(config, items) -> None:
    """Mark the tests of this folder, and skip them unless something was built."""
    skip = pytest.mark.skip(reason="needs --built FOLDER: installs the wheel that is there")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("built")
            if not config.getoption("--built"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def built(request):
    """Return a function that finds the one file of a kind that was built."""

    def one(pattern: str) -> Path:
        (path,) = Path(request.config.getoption("--built")).resolve().glob(pattern)
        return path

    return one


@pytest.fixture(scope="session")
def version() -> str:
    """Return the version that stands in the source."""
    source = (REPO / "scripts" / "brainmasks" / "version.py").read_text()
    return re.search(r'^__version__ = "(.+)"$', source, flags=re.MULTILINE)[1]


class Environment:
    """An environment with the wheel and what it declares that it needs."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.bin = folder / "bin"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        # Only versions: what is installed at all is left to the wheel.
        pins = re.findall(r"^([\w.-]+)(?:\[.+\])?(==\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
        constraints = folder / "constraints.txt"
        constraints.write_text("".join(f"{name}{pin}\n" for name, pin in pins))
        self.install("--constraint", constraints, wheel)

    def install(self, *what) -> None:
        """Install something."""
        pip = [self.bin / "python", "-m", "pip", "install", "--quiet", *what]
        subprocess.run(pip, check=True)

    def run(self, program: str, *args, cwd: Path) -> subprocess.CompletedProcess:
        """Run one of its programs, which knows nothing of this checkout."""
        env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            [self.bin / program, *map(str, args)],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def environment(built, tmp_path_factory) -> Environment:
    """Return an environment into which the wheel was installed."""
    return Environment(tmp_path_factory.mktemp("empty") / "venv", built("*.whl"))
