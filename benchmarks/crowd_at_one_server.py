# SPDX-License-Identifier: MIT
"""A thousand processes want one mask of a server that allows a hundred requests an hour.

    python benchmarks/crowd_at_one_server.py [--processes N] [--allowed N] [--hour SECONDS]

The server is on loopback, and answers 429 with Retry-After once its hundred of the hour are spent.
Its hour is scaled to seconds, and so is the longest pause that a run waits through (two minutes of
an hour); how long a transfer takes is not. A run that ends in an error is started again when the
server said, as a user would. Three times: each process with a cache of its own, as on a thousand
machines; all with one cache; all with a site cache that one prefetch has filled.
"""

import argparse
import logging
import math
import os
import re
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench_data import made_up_mask
from side_by_side import REPO

sys.path.insert(0, str(REPO / "scripts"))

import filelock  # noqa: F401
import pooch  # noqa: F401

# What a fetch imports, before there are many processes.
import requests  # noqa: F401

from brainmasks import FetchError
from brainmasks.fetching import Cache, Fetcher, Limits
from brainmasks.registry import BrainMaskMetadata

CASES = {
    "each a cache of its own": "own",
    "one cache for all": "shared",
    "a site cache that is filled": "site",
}
# Of an hour: what a run waits through, if a server asks for it.
PAUSE = Limits().pause / 3600


@dataclass
class Budget:
    """How many requests a server allows in each hour, and how many came."""

    allowed: int
    hour: float
    requests: int = 0
    refused: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    start: float = field(default_factory=time.monotonic)
    spent: dict[int, int] = field(default_factory=dict)

    def ask(self) -> float | None:
        """Count a request; return how many seconds are left of the hour if it is refused."""
        with self.lock:
            self.requests += 1
            passed = time.monotonic() - self.start
            hour = int(passed / self.hour)
            self.spent[hour] = self.spent.get(hour, 0) + 1
            if self.spent[hour] <= self.allowed:
                return None
            self.refused += 1
            return (hour + 1) * self.hour - passed


class Server(ThreadingHTTPServer):
    """Serves one file within a budget."""

    request_queue_size = 4096

    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data, self.budget = data, budget
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the file is."""
        return f"http://127.0.0.1:{self.server_port}/mask.nii.gz"


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_GET(self) -> None:
        """Send the file, or 429."""
        left = self.server.budget.ask()
        if left is None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.server.data)))
            self.end_headers()
            self.wfile.write(self.server.data)
        else:
            self.send_response(429)
            # A whole number of seconds, as the protocol has it.
            self.send_header("Retry-After", str(math.ceil(left)))
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def get(fetcher: Fetcher) -> int:
    """Fetch a mask, again and again as a user would; return how many runs ended in an error."""
    failed = 0
    while True:
        try:
            fetcher.fetch()
        except FetchError as err:
            failed += 1
            asked = re.search(r"asks to wait ([0-9]+) s", str(err))
            time.sleep(float(asked[1]) if asked else 1)
        else:
            return failed


def crowd(case: str, folder: Path, processes: int, allowed: int, hour: float) -> str:
    """Let processes fetch one mask; return a line of the table."""
    row = made_up_mask(folder, "Bench", "2", small=False)
    budget = Budget(allowed, hour)
    server = Server(Path(row["url"]).read_bytes(), budget)
    mask = BrainMaskMetadata.from_row(row | {"url": server.url})
    limits = Limits(pause=PAUSE * hour)
    site = folder / "site"
    if case == "site":
        Fetcher(mask, Cache(site), limits=limits).fill_cache()
    barrier, release = os.pipe()
    children = []
    for number in range(processes):
        child = os.fork()
        if not child:
            os.close(release)
            os.read(barrier, 1)  # until all are there, and the parent hangs up
            status = 255
            try:
                own = folder / ("cache" if case == "shared" else f"cache{number}")
                cache = Cache(own, [site] if case == "site" else [])
                status = min(get(Fetcher(mask, cache, limits=limits)), 254)
            finally:
                os._exit(status)
        children.append(child)
    start = time.monotonic()
    os.close(barrier)
    os.close(release)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    took = time.monotonic() - start
    server.shutdown()
    if 255 in ends:
        sys.exit(f"{ends.count(255)} processes broke")
    return (
        f"| {processes} | {budget.requests} | {budget.refused} | {sum(ends)} | {took:.1f} s "
        f"| {took / hour:.1f} |"
    )


def main() -> None:
    """Let each crowd come, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--processes", type=int, default=1000, metavar="N")
    parser.add_argument("--allowed", type=int, default=100, metavar="N")
    parser.add_argument("--hour", type=float, default=20, metavar="SECONDS")
    options = parser.parse_args()
    # Each of the thousand would say why it waits.
    logging.disable(logging.CRITICAL)
    print("| case | processes | requests | answered 429 | runs ended in an error | time | hours |")
    print("|---|---|---|---|---|---|---|")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            line = crowd(case, Path(folder), options.processes, options.allowed, options.hour)
        print(f"| {name} {line}", flush=True)


if __name__ == "__main__":
    main()
