# SPDX-License-Identifier: MIT
"""Measure what this project, pooch and TemplateFlow's client do when a server misbehaves.

Each fault is served on loopback, to each client on its own; then the server is healthy, and the
client is called once more. The faults are those of tests/fetching/test_server_faults.py, and a few
more. Prints the Markdown table of docs/faults-compared.md, and writes it to a file if one is named:

    pip install --require-hashes -r requirements-dev.txt && pip install templateflow==25.1.2
    python benchmarks/faults_vs_peers.py [TABLE.md]

A client that is not installed is reported as such. No network is needed; about seven minutes.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO / name) for name in ("scripts", "tests", "tests/faults")]

from faultserver import Behaviour, Connection, FaultServer, refused_port, serve  # noqa: E402

# What every client is given: seconds to wait for the next byte, and how often to ask again, where
# the client can be told.
STALL = 1
RETRIES = 2
# Seconds after which a call is killed.
PATIENCE = 20
# How many calls run at once.
WORKERS = 2
# Pause between two pieces of what never ends, so that it fills no disk.
TICK = 0.05
# Set this variable to see the last line of every error, too.
REASONS = "FAULTS_REASONS"

# The tiny mask of the tests, and the name under which TemplateFlow has it.
TEMPLATE, RESOLUTION = "A", "02"
FILE = f"tpl-{TEMPLATE}_res-{RESOLUTION}_desc-brain_mask.nii.gz"


# What a server may do.


def busy_for(seconds: int, data: bytes) -> Behaviour:
    """Answer 429 with Retry-After, and mean it: whoever asks sooner is refused again."""
    opens: dict[FaultServer, float] = {}

    def behave(c: Connection) -> None:
        if time.monotonic() < opens.setdefault(c.server, time.monotonic() + seconds):
            c.answer("429 Too Many Requests", Retry_After=seconds)
        else:
            c.answer("200 OK", data)

    return behave


def drip(data: bytes, pause: float) -> Behaviour:
    def behave(c: Connection) -> None:
        c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        c.drip(data, pause)

    return behave


class Slow:
    """A socket that pauses before each write."""

    def __init__(self, socket) -> None:
        self._socket = socket

    def sendall(self, data: bytes) -> None:
        time.sleep(TICK)
        self._socket.sendall(data)


def slowly(behaviour: Behaviour) -> Behaviour:
    def behave(c: Connection) -> None:
        c.socket = Slow(c.socket)
        behaviour(c)

    return behave


REFUSED_CONNECTION = "refused connection"


@cache
def mask() -> tuple[bytes, dict[str, str]]:
    """Return the bytes of the file, and its row of the registry."""
    from support import tiny_mask

    return tiny_mask(TEMPLATE)


@cache
def faults() -> dict[str, Behaviour]:
    """Return what the server does, by name: all that the tests let it do, and a few more."""
    from test_server_faults import OVERCOME, REFUSED

    data, _ = mask()
    tests = {name: behaviour for name, (behaviour, *_) in [*OVERCOME.items(), *REFUSED.items()]}
    tests["endless body"] = slowly(tests["endless body"])
    more = {
        "429 with Retry-After, asked sooner 429 again": busy_for(2, data),
        "body drips, a byte each 0.5 s": drip(data, 0.5),
        REFUSED_CONNECTION: serve(data),
    }
    if len(tests | more) < len(OVERCOME) + len(REFUSED) + len(more):
        raise ValueError("two faults have the same name")
    return tests | more


# The clients. Each call returns if the client says that the file is there, and raises if not.


@dataclass(frozen=True)
class Client:
    """A way to fetch the file.

    Attributes
    ----------
    package : str
        What must be installed.
    call : callable
        Called with a folder, the address of the server, and the row of the registry.
    final : callable
        From the folder to every path under which the file stands when it is fetched.
    placeholder : bool
        Whether an empty file there says, by the client's own rules, that the file is not there.
    """

    package: str
    call: Callable[[Path, str, dict[str, str]], None]
    final: Callable[[Path], list[Path]]
    placeholder: bool = False


def call_brainmasks(folder: Path, server: str, row: dict[str, str]) -> None:
    from brainmasks.fetching import Cache, Fetcher, Limits
    from brainmasks.masks import checksum, download, validate
    from brainmasks.registry import BrainMaskMetadata

    limits = Limits(connect=2, stall=STALL, deadline=4, pause=3, retries=RETRIES, backoff=0.05)
    name = f"{TEMPLATE}_2mm"
    mask = BrainMaskMetadata.from_row(row | {"url": f"{server}/{FILE}"})
    published, raw, _ = final_brainmasks(folder)
    sidecar, origin = folder / "mask.json", folder / "origin.json"
    download(name, Fetcher(mask, Cache(folder / "cache"), limits=limits), raw, origin)
    checksum(mask, raw, origin, folder / "sha256")
    validate(name, mask, "0", raw, origin, published, sidecar)


def final_brainmasks(folder: Path) -> list[Path]:
    cached = folder / "cache" / f"{TEMPLATE}_2mm_desc-brain_mask.nii.gz"
    return [folder / "masks" / "mask.nii.gz", folder / "resources" / "mask.nii.gz", cached]


def call_pooch(folder: Path, server: str, row: dict[str, str]) -> None:
    import pooch

    registry = {FILE: f"sha256:{row['sha256']}"}
    client = pooch.create(folder, f"{server}/", registry=registry, retry_if_failed=RETRIES)
    client.fetch(FILE, downloader=pooch.HTTPDownloader(timeout=STALL))


def final_pooch(folder: Path) -> list[Path]:
    return [folder / FILE]


def call_templateflow(folder: Path, server: str, row: dict[str, str]) -> None:
    # The skeleton that a fresh installation has: every file is there, and empty.
    (skeleton,) = final_templateflow(folder)
    skeleton.parent.mkdir(exist_ok=True)
    skeleton.touch()
    os.environ.update(TEMPLATEFLOW_HOME=str(folder), TEMPLATEFLOW_AUTOUPDATE="0")

    from templateflow import TemplateFlowClient

    client = TemplateFlowClient(root=folder, s3_root=server, timeout=STALL, autoupdate=False)
    client.get(TEMPLATE, resolution=int(RESOLUTION), desc="brain", suffix="mask", raise_empty=True)


def final_templateflow(folder: Path) -> list[Path]:
    return [folder / f"tpl-{TEMPLATE}" / FILE]


CLIENTS = {
    "this project": Client("numpy", call_brainmasks, final_brainmasks),
    "pooch": Client("pooch", call_pooch, final_pooch),
    "TemplateFlow": Client("templateflow", call_templateflow, final_templateflow, True),
}


# The measurement.


def outcome(name: str, folder: Path, server: str, row: dict[str, str]) -> str:
    """Let a client fetch, in a process of its own, and say what came of it."""
    client = CLIENTS[name]
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    try:
        done = subprocess.run(
            [sys.executable, __file__, "--call", name, str(folder), server, json.dumps(row)],
            env=environment | {"HOME": str(folder), "no_proxy": "*"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        said = "hangs"
    else:
        said = "error" if done.returncode else "ok"
        if REASONS in os.environ and done.returncode:
            reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            print(f"{name}: {reason}", file=sys.stderr)
    wrong = present = False
    for path in client.final(folder):
        if not path.is_file() or (client.placeholder and not path.stat().st_size):
            continue
        present = True
        wrong = wrong or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]
    if wrong:
        return "BAD" if said == "ok" else f"{said}, BAD left"
    return "ok, but no file" if said == "ok" and not present else said


def measure(fault: str, name: str) -> str:
    """Return the cell of the table: a faulty server, and then a healthy one."""
    data, row = mask()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "folder")
        folder.mkdir()
        server = FaultServer(faults()[fault])
        refused = f"http://127.0.0.1:{refused_port()}"
        said = outcome(name, folder, refused if fault == REFUSED_CONNECTION else server.url, row)
        asked = len(server.asked)
        server.close()
        # Its connections were let go of; the healthy one is another.
        server = FaultServer(serve(data))
        then = outcome(name, folder, server.url, row)
        server.close()
    count = "" if fault == REFUSED_CONNECTION else f" ({asked})"
    return f"{said}{count}, then {then}"


def table(names: list[str]) -> str:
    installed = [n for n, c in CLIENTS.items() if importlib.util.find_spec(c.package)]
    with ThreadPoolExecutor(WORKERS) as pool:
        cells = {
            (fault, name): pool.submit(measure, fault, name)
            for fault in names
            for name in installed
        }
        lines = [
            ["fault", *CLIENTS],
            ["---"] * (1 + len(CLIENTS)),
            *[
                [fault]
                + [
                    cells[fault, name].result() if name in installed else "not installed"
                    for name in CLIENTS
                ]
                for fault in names
            ],
        ]
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*heading(len(mask()[0])), "", *rows])


def heading(size: int) -> list[str]:
    from brainmasks.version import __version__

    versions = [f"this project {__version__}"]
    for package in ("pooch", "templateflow", "requests", "urllib3"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} not installed")
    return [
        f"Measured with {', '.join(versions)},",
        f"Python {platform.python_version()}, a file of {size} bytes, a limit of {STALL} s on a "
        f"single read for all, and {RETRIES} retries",
        "where the client has any (TemplateFlow has none).",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("table", nargs="?", type=Path, help="write the table there, too")
    parser.add_argument("--fault", action="append", help="measure this one only")
    parser.add_argument("--call", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:
        name, folder, server, row = arguments.call
        CLIENTS[name].call(Path(folder), server, json.loads(row))
        return
    names = arguments.fault or list(faults())
    if unknown := [name for name in names if name not in faults()]:
        parser.error(f"no fault {unknown[0]!r}; there are: {'; '.join(faults())}")
    text = table(names)
    print(text)
    if arguments.table:
        arguments.table.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
