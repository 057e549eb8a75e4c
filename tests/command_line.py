# SPDX-License-Identifier: MIT
"""The command line as people start it: in a folder of its own, with a small brain to register."""

import io
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainmasks.cli import main

# A brain of the smallest kind: no side of it looks like another.
BRAIN = np.zeros((12, 14, 10), np.uint8)
BRAIN[2:9, 3:12, 2:8] = 1
BRAIN[3, 4:8, 8] = 1
AFFINE = np.array([[2.0, 0, 0, -11], [0, 2, 0, -15], [0, 0, 2, -7], [0, 0, 0, 1]])


class CommandLine:
    """A working folder, and `brainmasks` run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *args: object, status: int = 0, **env: object) -> subprocess.CompletedProcess:
        """Run the command, insist on its status and on no traceback, and return what it did.

        In this process, where it is counted what is tried; `start` in test_commands.py starts
        others.
        """
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            for key, value in env.items():
                patch.setenv(key, str(value))
            try:
                ended = main([*map(str, args)])
            except SystemExit as end:  # as click ends after a completion
                ended = end.code or 0
        printed = (stream.buffer.getvalue().decode() for stream in (out, err))
        done = subprocess.CompletedProcess(args, ended, *printed)
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
