# SPDX-License-Identifier: MIT
"""The wheel in an environment that has nothing else: the command, and the package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import REPO

from brainmasks import BRAIN_MASK_REGISTRY

MASK = "MNI152NLin6Asym_2mm"
LESION = REPO / "examples" / "lesion-network" / "lesions" / "tiny.nii.gz"

USE = """
from brainmasks import load_brain_mask

path = load_brain_mask("MNI152NLin6Asym", 2)
print(path.name, path.stat().st_size)
"""


@pytest.fixture(scope="module")
def with_a_source(environment):
    """Have NiMARE's copy of a mask beside it, which README installs, too: no server is asked."""
    environment.install("--no-deps", "--require-hashes", "-r", REPO / "requirements-nimare.txt")
    return environment


def test_command_lists_all_masks(environment, version, tmp_path):
    done = environment.run("brainmasks", "--version", cwd=tmp_path)
    assert done.stdout.split()[-1] == version, done.stderr
    done = environment.run("brainmasks", "list", "--json", cwd=tmp_path)
    assert [mask["name"] for mask in json.loads(done.stdout)] == list(BRAIN_MASK_REGISTRY)


def test_command_gets_a_mask_and_checks_an_image(with_a_source, tmp_path):
    done = with_a_source.run("brainmasks", "get", "--offline", MASK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith(".nii.gz")
    done = with_a_source.run("brainmasks", "check", LESION, "--mask", MASK, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "refused: reoriented" in done.stdout


def types_of(program: Path, python: Path) -> str:
    """Return what mypy says of a program that uses the package as it is installed."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", python, program.name],
        cwd=program.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def test_package_loads_a_mask_and_has_types(with_a_source, tmp_path):
    program = tmp_path / "use.py"
    program.write_text(USE)
    done = with_a_source.run("python", program.name, cwd=tmp_path)
    assert done.stdout.endswith(".nii.gz 28476\n"), done.stderr
    python = with_a_source.bin / "python"
    assert types_of(program, python).startswith("Success: no issues found")
    program.write_text(USE.replace('"MNI152NLin6Asym"', "6"))
    assert 'Argument 1 to "load_brain_mask" has incompatible type "int"' in types_of(
        program, python
    )
