# SPDX-License-Identifier: MIT
"""What .ci/check_urls.py says of each thing that can become of a URL, on real servers."""

import gzip
import re
import runpy
import subprocess
import sys

import pytest
from faultserver import FaultServer, refused_port
from support import REPO, table_rows, tiny_mask, write_table

from brainmasks.registry import shipped_mirrors, shipped_registry

DATA, ROW = tiny_mask("A")
OTHER, _ = tiny_mask("B", seed=1)
RECODED = gzip.compress(gzip.decompress(DATA), 1)

# By path: what a server answers, what is said of it, and what else is in the line.
CASES = {
    "/same": (("200 OK", DATA, {}), "same", "sha256"),
    "/recoded": (("200 OK", RECODED, {}), "same", "encoded differently"),
    "/elsewhere-today": (("302 Found", b"", {"Location": "/same"}), "same", "sha256"),
    "/elsewhere": (("301 Moved Permanently", b"", {"Location": "/same"}), "moved", "/same"),
    "/login": (("200 OK", b"<html><title>Sign | in", {}), "changed", "an HTML page"),
    "/other": (("200 OK", OTHER, {}), "changed", "another mask on the same grid"),
    "/gone": (("404 Not Found", b"", {}), "gone", "404 Not Found"),
    "/later": (("429 Too Many Requests", b"", {"Retry-After": "1000"}), "refused", "wait 1000 s"),
    "/broken": (("500 Oh no", b"", {}), "failed", "500 Oh no (asked 4 times)"),
}


@pytest.fixture
def url():
    """Return the address of a server that has all of these."""

    def answer(connection) -> None:
        status, body, headers = CASES[connection.path][0]
        connection.answer(status, body, **headers)

    server = FaultServer(answer)
    yield server.url
    server.close()


def check_urls(tmp_path, urls: list[str]) -> subprocess.CompletedProcess:
    """Run the script on a mask that has one of the URLs as its own, and the others as mirrors."""
    registry = write_table(tmp_path / "masks.tsv", [ROW | {"url": urls[0]}])
    rows = [{"mask": "A_2mm", "location": each} for each in [str(tmp_path), *urls[1:]]]
    mirrors = write_table(tmp_path / "mirrors.tsv", rows, ["mask", "location"])
    script = [sys.executable, REPO / ".ci" / "check_urls.py", "--pause", "0"]
    return subprocess.run(
        [*script, "--registry", registry, "--mirrors", mirrors],
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_that_can_become_of_a_url_is_told_apart(tmp_path, url):
    urls = [f"{url}{path}" for path in CASES] + [f"http://127.0.0.1:{refused_port()}/off"]
    done = check_urls(tmp_path, urls)
    assert done.returncode == 1, done.stderr
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in done.stdout.splitlines() if "|" in line]
    # A table that a forge can show: each row has the columns of the heading.
    assert {len(row) for row in rows} == {4}
    found = [[each.strip() for each in row] for row in rows[2:]]
    # In the order of the tables, and not the copy on this machine.
    assert [row[1:3] for row in found] == [["A_2mm", each] for each in urls]
    assert [row[0] for row in found] == [each[1] for each in CASES.values()] + ["failed"]
    for row, (_, _, words) in zip(found, CASES.values(), strict=False):
        assert words in row[3]
    assert "Connection refused" in found[-1][3]
    assert done.stdout.endswith("\n3 same, 2 changed, 2 failed, 1 moved, 1 gone, 1 refused\n")


def test_nothing_is_wrong_if_every_url_has_what_is_registered(tmp_path, url):
    done = check_urls(tmp_path, [f"{url}/same", f"{url}/elsewhere-today"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n2 same\n")


def test_every_url_of_the_shipped_tables_is_checked():
    script = runpy.run_path(str(REPO / ".ci" / "check_urls.py"))
    pairs = script["servers"](shipped_registry(), shipped_mirrors())
    checked = {(mask.name, source.url) for mask, source in pairs}
    urls = {(mask.name, mask.url) for mask in shipped_registry().list()}
    rows = table_rows(REPO / "workflow" / "tables" / "mirrors.tsv")
    urls |= {(row["mask"], row["location"]) for row in rows if "://" in row["location"]}
    assert checked == urls
