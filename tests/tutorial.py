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

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', flags=re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who follows the tutorial."""

    def __init__(self, folder: Path, path: str) -> None:
        self.folder = folder
        self.env = os.environ | {"PATH": path, "BRAINMASKS_OFFLINE": "1"}

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
            assert (status != 0) == any(line.startswith("ERROR") for line in expected), printed
            for piece in " ".join(expected).split("..."):
                assert " ".join(piece.split()) in " ".join(printed.split()), printed

    def follow(self, part: str) -> None:
        """Do what a part says."""
        page = REPO / "docs" / "tutorial" / f"{part}.md"
        for kind, file, text in BLOCK.findall(page.read_text(encoding="utf-8")):
            if file:
                (self.folder / file).write_text(text)
            elif kind == "bash":
                # What is to be installed is installed here.
                lines = [line for line in text.splitlines() if not line.startswith("pip install ")]
                status, printed = self.run("\n".join([*lines, "pwd"]))
                assert status == 0, printed
                self.folder = Path(printed.splitlines()[-1])
            else:
                assert kind == "console", kind
                self.type_commands(text)


@pytest.fixture
def reader(real, cache, tmp_path) -> Reader:
    """Return somebody who has followed part 1: a clone, an environment, a mask in the cache.

    Part 1 is README's command, which CI runs.
    """
    folder = copied_repository(tmp_path / "brainmasks")
    cache.mkdir(parents=True)
    mask = "MNI152NLin6Asym_2mm_desc-brain_mask.nii.gz"
    shutil.copy(real / "registered" / mask, cache / mask)
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "brainmasks").write_text(
        f'#!/bin/sh\nPYTHONPATH={folder / "scripts"} exec {sys.executable} -m brainmasks "$@"\n'
    )
    (commands / "brainmasks").chmod(0o755)
    return Reader(folder, f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}")
