# SPDX-License-Identifier: MIT
"""Faults of the machine below Python: what each call may answer, and the library that does so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from errno import errorcode
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")

# What the manual pages, or those of NFS, let each kind of call answer. Of those that say the same
# to a caller (no such file, no permission, a full disk, a broken one) one stands for the others.
ERRORS = {
    "open": ("EACCES", "EINTR", "EIO", "EMFILE", "ENOENT", "ESTALE"),
    "create": ("EACCES", "EDQUOT", "EINTR", "EIO", "EMFILE", "ENOENT", "ENOSPC", "EROFS"),
    "list": ("EACCES", "EIO", "EMFILE", "ENOENT"),
    "read": ("EINTR", "EIO", "ESTALE"),
    "write": ("EDQUOT", "EFBIG", "EINTR", "EIO", "ENOSPC"),
    "sync": ("EDQUOT", "EINTR", "EINVAL", "EIO", "ENOSPC"),
    "close": ("EDQUOT", "EINTR", "EIO", "ENOSPC"),
    "rename": ("EACCES", "EBUSY", "EDQUOT", "EIO", "ENOENT", "ENOSPC", "EROFS", "EXDEV"),
    "link": ("EACCES", "EEXIST", "EIO", "EMLINK", "ENOSPC", "EPERM", "EROFS"),
    "unlink": ("EACCES", "EBUSY", "EIO", "ENOENT", "EROFS"),
    "mkdir": ("EACCES", "EDQUOT", "EEXIST", "EIO", "ENOENT", "ENOSPC", "EROFS"),
    "stat": ("EACCES", "EIO", "ENOENT", "ENOMEM", "ESTALE"),
    "chmod": ("EACCES", "EIO", "EPERM", "EROFS"),
    "utime": ("EACCES", "EIO", "EPERM", "EROFS"),
}
# Errors that stay, once they are there.
LASTING = ("EDQUOT", "EIO", "EMFILE", "ENOSPC", "EROFS", "ESTALE")
# Where in what is transferred a bit is flipped, in thousandths.
PLACES = range(0, 1000, 63)
NUMBERS = {name: number for number, name in errorcode.items()}


@dataclass(frozen=True)
class Fault:
    """What is done to a call: `fail`, `last` (and to all later ones of its kind), ..."""

    action: str
    number: int = 0

    def __str__(self) -> str:
        if self.action == "flip":
            return f"a bit flipped behind {self.number / 10:g} %"
        if self.action == "shorten":
            return "shortened to one byte"
        return errorcode[self.number] + (", lasting" if self.action == "last" else "")


def faults_of(kind: str) -> list[Fault]:
    """Return the faults that a kind of call may have."""
    faults = [Fault("fail", NUMBERS[name]) for name in ERRORS[kind]]
    faults += [Fault("last", NUMBERS[name]) for name in ERRORS[kind] if name in LASTING]
    if kind in ("read", "write"):
        faults += [Fault("shorten"), *(Fault("flip", place) for place in PLACES)]
    return faults


@dataclass(frozen=True)
class Call:
    """A call that was seen: its number, whether it went wrong, its kind and its file."""

    number: int
    went_wrong: bool
    kind: str
    path: str


def build(folder: Path) -> Path:
    """Compile the library, or skip."""
    if sys.platform != "linux":
        pytest.skip("calls are replaced on Linux")
    if not shutil.which("cc"):
        pytest.skip("there is no C compiler cc")
    library = folder / "machine_faults.so"
    # Fortified, the headers would define some of these functions themselves.
    command = ["cc", "-shared", "-fPIC", "-U_FORTIFY_SOURCE", "-o", library, SOURCE, "-ldl"]
    subprocess.run(command, check=True)
    return library


class Plan:
    """Which call goes wrong, and how; what was called is in a folder of its own."""

    def __init__(
        self, folder: Path, roots: Sequence[Path], at: int = 0, fault: Fault | None = None
    ) -> None:
        folder.mkdir(parents=True)
        (folder / "counter").write_bytes(bytes(os.sysconf("SC_PAGE_SIZE")))
        self._trace = folder / "trace"
        lines = [at, fault.action if fault else "", fault.number if fault else 0]
        self.text = "\n".join(map(str, [*lines, folder / "counter", self._trace, *roots]))

    def calls(self) -> list[Call]:
        """Return the calls that were made, in their order."""
        if not self._trace.exists():
            return []
        lines = [line.split("\t", 3) for line in self._trace.read_text().splitlines()]
        return sorted(
            (Call(int(n), wrong == "1", kind, path) for n, wrong, kind, path in lines),
            key=lambda call: call.number,
        )
