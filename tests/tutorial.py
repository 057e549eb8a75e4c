# SPDX-License-Identifier: MIT
"""Somebody who follows the tutorial to the letter: writes its files, and runs its commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import REPO, copied_repository

# Done before: what is to be installed is installed here, and the clone is there.
DONE = ("git clone ", "python3 -m venv ", ". .venv/", "pip install ")
# What is left out of what a command prints.
DOTS = re.compile(r"\.\.\.|…")
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who follows the tutorial."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = os.environ | env | {"BRAINMASKS_OFFLINE": "1"}

    def run(self, script: str) -> tuple[int, str]:
        """Run a script, and return its exit status and all that it printed."""
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def type_commands(self, block: str) -> None:
        """Type what stands behind each `$`; what stands below it, but for dots, must be printed."""
        for command, *expected in (each.splitlines() for each in block.split("$ ")[1:]):
            status, printed = self.run(command)
            fails = any(line.upper().startswith("ERROR") for line in expected)
            assert (status != 0) == fails, printed
            for piece in DOTS.split(" ".join(expected)):
                assert " ".join(piece.split()) in " ".join(printed.split()), printed

    def follow(self, part: str) -> None:
        """Do what a part says."""
        page = REPO / "docs" / "tutorial" / f"{part}.md"
        for kind, file, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if file:
                (self.folder / file).write_text(text)
            elif kind == "bash":
                lines = [line for line in text.splitlines() if not line.startswith(DONE)]
                status, printed = self.run("\n".join([*lines, "pwd"]))
                assert status == 0, printed
                self.folder = Path(printed.splitlines()[-1])
            else:
                assert kind == "console", kind
                self.type_commands(text)


@pytest.fixture
def reader(real, tmp_path) -> Reader:
    """Return somebody who begins: with a clone, and an environment that has a copy of a mask."""
    copied_repository(tmp_path / "brainmasks")
    # Where NiMARE itself is not installed.
    templates = tmp_path / "packages" / "nimare" / "resources" / "templates"
    templates.mkdir(parents=True)
    mask = "tpl-MNI152NLin6Asym_res-02_desc-brain_mask"
    shutil.copy(real / "encodings" / f"{mask}_nimare.nii.gz", templates / f"{mask}.nii.gz")
    commands = tmp_path / "bin"
    commands.mkdir()
    scripts = tmp_path / "brainmasks" / "scripts"
    (commands / "brainmasks").write_text(
        f'#!/bin/sh\nPYTHONPATH={scripts} exec {sys.executable} -m brainmasks "$@"\n'
    )
    (commands / "brainmasks").chmod(0o755)
    path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return Reader(tmp_path, {"PATH": path, "PYTHONPATH": str(tmp_path / "packages")})
