# SPDX-License-Identifier: MIT
"""Real runs without the second that each start of an interpreter takes: a process that forks."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from support import REPO

# Seconds after which a run counts as hanging.
PATIENCE = 120


class Forks:
    """A process that has imported everything, and forks a child for each request.

    A request is a line of JSON; it is answered by the child's number, and, when the child and
    all of its own children have ended, by its exit status. With the library of `machine_faults`
    preloaded, it may have a plan of faults for the child.
    """

    PRELUDE = """
import ctypes, json, os, signal, sys

# Children of a killed child become this process's own, so that their end can be awaited.
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def serve(work):
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            os.setpgid(0, 0)
            os.chdir(request["folder"])
            log = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
            if "plan" in request:
                os.environ["MACHINE_FAULTS"] = request["plan"]
                ctypes.CDLL(None).machine_faults()
            work(request)
            sys.exit(0)
        try:
            os.setpgid(child, child)
        except PermissionError:
            pass  # it has done so itself
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        try:
            while True:
                os.waitpid(-child, 0)
        except ChildProcessError:
            pass
        print(os.waitstatus_to_exitcode(status), flush=True)
"""

    def __init__(self, program: str, preloaded: str = "") -> None:
        env = {key: value for key, value in os.environ.items() if "_proxy" not in key.lower()}
        # What killed children leave there goes with it.
        self._temporary = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [sys.executable, "-c", self.PRELUDE + program],
            env=env
            | {
                "PYTHONPATH": str(REPO / "scripts"),
                "OPENBLAS_NUM_THREADS": "1",
                "TMPDIR": self._temporary.name,
                "LD_PRELOAD": preloaded,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, folder: Path, kill_after: float = PATIENCE, **request) -> int:
        """Return the exit status of a child that is killed, with its own, after some seconds."""
        print(json.dumps({"folder": str(folder)} | request), file=self._process.stdin, flush=True)
        child = int(self._process.stdout.readline())
        killer = threading.Timer(kill_after, self._kill, [child])
        killer.start()
        status = int(self._process.stdout.readline())
        killer.cancel()
        killer.join()
        return status

    def _kill(self, child: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)

    def close(self) -> None:
        self._process.communicate()
        self._temporary.cleanup()


# Whole runs of Snakemake: the request has its arguments.
RUNS = """
import importlib
import snakemake.cli

# What a run imports later; having it already saves half a second each.
for name in ("jsonschema", "pandas", "smart_open", "snakemake.report.html_reporter", "yte"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass


def work(request):
    sys.argv = ["snakemake", *request["arguments"]]
    try:
        snakemake.cli.main(request["arguments"])
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code or 0)


serve(work)
"""


def printed(folder: Path) -> str:
    """Return what the children of a folder have printed."""
    return (folder / "output.txt").read_text()
