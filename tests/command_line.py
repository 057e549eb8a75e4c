# SPDX-License-Identifier: MIT
"""The command line as people start it: in a folder of its own, with a small brain to register."""

import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from support import REPO

# A brain of the smallest kind: no side of it looks like another.
BRAIN = np.zeros((12, 14, 10), np.uint8)
BRAIN[2:9, 3:12, 2:8] = 1
BRAIN[3, 4:8, 8] = 1
AFFINE = np.array([[2.0, 0, 0, -11], [0, 2, 0, -15], [0, 0, 2, -7], [0, 0, 0, 1]])


class CommandLine:
    """A working folder, and `python -m brainmasks` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *args: object, status: int = 0, **env: object) -> subprocess.CompletedProcess:
        """Run the command, insist on its status and on no traceback, and return what it did."""
        done = subprocess.run(
            [sys.executable, "-m", "brainmasks", *map(str, args)],
            cwd=self.folder,
            env=os.environ
            | {"PYTHONPATH": str(REPO / "scripts")}
            | {key: str(value) for key, value in env.items()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, (done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def save(self, name: str, voxels=BRAIN, affine=AFFINE, dtype=None, **codes: int) -> Path:
        """Save an image, and return its path."""
        image = nib.Nifti1Image(voxels, affine, dtype=dtype)
        if codes:
            image.set_sform(affine, codes.get("sform", 2))
            image.set_qform(affine, codes.get("qform", 0))
        path = self.folder / name
        nib.save(image, path)
        return path
