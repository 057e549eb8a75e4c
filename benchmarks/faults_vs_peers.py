"""Measure what this project, pooch and TemplateFlow's client do when a server misbehaves.

Each fault is served on loopback, to each client on its own; then the server is healthy, and the
client is called once more. Prints a Markdown table, and writes it to a file if one is named:

    pip install -r requirements.txt templateflow==25.1.2
    python benchmarks/faults_vs_peers.py [TABLE.md]

A client that is not installed is reported as such. No network is needed; about three minutes.
"""

import argparse
import gzip
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
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO / "scripts"), str(REPO / "tests" / "faults")]

from faultserver import Behaviour, Connection, FaultServer, first, refused_port, serve  # noqa: E402

# What every client is given: seconds to wait for the next byte, and how often to ask again, where
# the client can be told.
STALL = 1
RETRIES = 2
# Seconds after which a call is killed. No call that ends by itself takes as long.
PATIENCE = 20
# Pause between two pieces of what never ends, so that it fills no disk.
TICK = 0.05
# Set this variable to see the last line of every error, too.
REASONS = "FAULTS_REASONS"

SHAPE, ORIGIN = (64, 72, 64), (-64.0, -72.0, -64.0)
TEMPLATE, RESOLUTION = "BenchSpace", "02"
FILE = f"tpl-{TEMPLATE}_res-{RESOLUTION}_desc-brain_mask.nii.gz"


# The file.


def image(seed: int) -> bytes:
    """Return a mask, not gzipped: a ball with a rough surface, another one for another seed."""
    import nibabel as nib
    import numpy as np

    axes = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in SHAPE)]
    distance = sum(axis**2 for axis in axes) ** 0.5
    rough = np.random.default_rng(seed).normal(0, 0.1, SHAPE)
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = ORIGIN
    return nib.Nifti1Image((distance + rough < 0.7).astype(np.uint8), affine).to_bytes()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, compresslevel=1, mtime=0)


def registry_row(data: bytes, content: bytes) -> dict[str, str]:
    return {
        "space": TEMPLATE,
        "resolution": "2",
        "url": "",
        "sha256": hashlib.sha256(data).hexdigest(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "bytes": str(len(data)),
        "shape": "x".join(map(str, SHAPE)),
        "origin": ",".join(f"{o:g}" for o in ORIGIN),
        "voxels": str(content[352:].count(1)),
        "source": "benchmark",
        "description": "a ball",
        "license": "CC0",
        "citation": "unknown",
    }


# What a server may do.


def body(data: bytes, **answer) -> Behaviour:
    return lambda c: c.answer("200 OK", data, **answer)


def status(line: str, data: bytes = b"", **headers) -> Behaviour:
    return lambda c: c.answer(line, data, **headers)


def half(data: bytes, then: str) -> Behaviour:
    """Announce all, send half, then reset or hold."""

    def behave(c: Connection) -> None:
        c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        c.send(data[: len(data) // 2])
        # What was sent must arrive before a reset overtakes it.
        time.sleep(0.2)
        getattr(c, then)()

    return behave


def busy_for(seconds: int, data: bytes) -> Behaviour:
    """Answer 429 with Retry-After, and mean it: whoever asks sooner is refused again."""
    opens: list[float] = []

    def behave(c: Connection) -> None:
        opens.append(time.monotonic() + seconds)
        if time.monotonic() < opens[0]:
            c.answer("429 Too Many Requests", Retry_After=seconds)
        else:
            c.answer("200 OK", data)

    return behave


def endless(data: bytes) -> Behaviour:
    def behave(c: Connection) -> None:
        c.send(b"HTTP/1.1 200 OK\r\n\r\n" + data)
        while not c.server.closing.wait(TICK):
            try:
                c.socket.sendall(bytes(1 << 17))
            except OSError:
                return

    return behave


def drip(data: bytes) -> Behaviour:
    def behave(c: Connection) -> None:
        c.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        c.drip(data, TICK)

    return behave


def drip_headers(_: bytes) -> Behaviour:
    return lambda c: c.drip(b"HTTP/1.1 200 OK\r\nX-Wait: " + b"x" * 60000, TICK)


def loop(_: bytes) -> Behaviour:
    return lambda c: c.answer("302 Found", Location=f"{c.server.url}/again{c.number}")


def chunked_without_end(data: bytes) -> Behaviour:
    piece = data[: len(data) // 2]
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return lambda c: c.send(head + b"%x\r\n%s\r\n" % (len(piece), piece))


def flipped(data: bytes) -> bytes:
    n = len(data) // 2
    return data[:n] + bytes([data[n] ^ 1]) + data[n + 1 :]


@cache
def bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 10)) + packer.flush()


HTML = b"<!doctype html><html><title>Log in</title><p>Please log in.</html>"
XML = b'<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>'
JSON = b'{"message": "Request was throttled."}'
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
REFUSED = "refused connection"

# Name of each fault: from the right file to what the server does.
FAULTS: dict[str, Callable[[bytes], Behaviour]] = {
    "none": serve,
    # Answers that are no file.
    "404": lambda d: status("404 Not Found", HTML),
    "403": lambda d: status("403 Forbidden", XML),
    "206, half of the file": lambda d: status("206 Partial Content", d[: len(d) // 2]),
    "500 once": lambda d: first(status("500 Internal Server Error"), 1, serve(d)),
    "503 always": lambda d: status("503 Service Unavailable"),
    "429, Retry-After 2 s": lambda d: busy_for(2, d),
    "429, Retry-After 1 h": lambda d: busy_for(3600, d),
    "redirect loop": loop,
    # Files that are not this file.
    "200 with an HTML page": lambda d: body(HTML),
    "200 with an XML error": lambda d: body(XML),
    "200 with a JSON error": lambda d: body(JSON),
    "200 with a git-LFS pointer": lambda d: body(LFS),
    "200 with 0 bytes": lambda d: body(b""),
    "look-alike: a valid mask, other voxels": lambda d: body(gzipped(image(seed=1))),
    "not gzipped": lambda d: body(gzip.decompress(d)),
    "one flipped bit": lambda d: body(flipped(d)),
    "trailing bytes": lambda d: body(d + b"trailing"),
    "gzip bomb, 1 GiB": lambda d: body(bomb()),
    "endless body": endless,
    # Encodings that nobody asked for.
    "Content-Encoding: gzip, of the file as it is": lambda d: body(d, Content_Encoding="gzip"),
    "Content-Encoding: gzip, around the file": lambda d: body(
        gzip.compress(d, 1), Content_Encoding="gzip"
    ),
    # Bodies that end too soon.
    "cut short, Content-Length": lambda d: body(d[: len(d) // 2], length=len(d)),
    "cut short, no Content-Length": lambda d: body(d[: len(d) // 2], length=None),
    "cut short, Content-Length of the half": lambda d: body(d[: len(d) // 2]),
    "cut short, chunked": chunked_without_end,
    "reset in the body": lambda d: half(d, "reset"),
    "reset in the body, once": lambda d: first(half(d, "reset"), 1, serve(d)),
    # Servers that hang.
    REFUSED: serve,
    "closed without an answer": lambda d: lambda c: None,
    "stall before the answer": lambda d: Connection.hold,
    "stall in the body": lambda d: half(d, "hold"),
    "stall in the body, once": lambda d: first(half(d, "hold"), 1, serve(d)),
    "slow drip of the body": drip,
    "slow drip of the headers": drip_headers,
}


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
    from brainmasks import steps
    from brainmasks.cache import Cache
    from brainmasks.fetch import Ways
    from brainmasks.transfer import Limits

    limits = Limits(connect=2, stall=STALL, deadline=4, pause=3, retries=RETRIES, backoff=0.05)
    name = f"{TEMPLATE}_2mm"
    row = row | {"url": f"{server}/{FILE}"}
    mask, raw, _ = final_brainmasks(folder)
    sidecar, origin = folder / "mask.json", folder / "origin.json"
    ways = Ways(Cache(folder / "cache"), limits=limits)
    steps.download(name, row, ways, [mask, sidecar], raw, origin)
    steps.checksum(row, raw, origin, folder / "sha256")
    steps.validate(name, row, raw, origin, mask, sidecar)


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


def measure(fault: str, name: str, data: bytes, row: dict[str, str]) -> str:
    """Return the cell of the table: a faulty server, and then a healthy one."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "folder")
        folder.mkdir()
        server = FaultServer(FAULTS[fault](data))
        refused = f"http://127.0.0.1:{refused_port()}"
        said = outcome(name, folder, refused if fault == REFUSED else server.url, row)
        asked = len(server.asked)
        server.close()
        # Its connections were let go of; the healthy one is another.
        server = FaultServer(serve(data))
        then = outcome(name, folder, server.url, row)
        server.close()
    count = "" if fault == REFUSED else f" ({asked})"
    return f"{said}{count}, then {then}"


def table(faults: list[str]) -> str:
    content = image(seed=0)
    data = gzipped(content)
    row = registry_row(data, content)
    installed = [n for n, c in CLIENTS.items() if importlib.util.find_spec(c.package)]
    with ThreadPoolExecutor(4) as pool:
        cells = {
            (fault, name): pool.submit(measure, fault, name, data, row)
            for fault in faults
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
                for fault in faults
            ],
        ]
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([*heading(len(data)), "", *rows])


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
    parser.add_argument("--fault", action="append", choices=FAULTS, help="measure this one only")
    parser.add_argument("--call", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:
        name, folder, server, row = arguments.call
        CLIENTS[name].call(Path(folder), server, json.loads(row))
        return
    text = table(arguments.fault or list(FAULTS))
    print(text)
    if arguments.table:
        arguments.table.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
