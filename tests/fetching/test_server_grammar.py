# SPDX-License-Identifier: MIT
"""Two hundred servers made by a grammar: nothing wrong, no hang, no surprise, little memory."""

import json
import os
import subprocess
import sys

import pytest
from support import REPO

SERVERS, AT_ONCE = 200, 20
# MB that a process may take at the most, whatever a server sends.
MOST = 300


@pytest.fixture(autouse=True)
def bounded():
    """Set no alarm: the process that meets the servers has a bound of its own."""


@pytest.mark.parametrize("first", range(0, SERVERS, AT_ONCE))
def test_made_up_servers_are_survived(tmp_path, first):
    program = [sys.executable, REPO / "tests" / "server_grammar.py"]
    done = subprocess.run(
        [*program, tmp_path / "met", str(first), str(first + AT_ONCE)],
        env=os.environ | {"PYTHONPATH": f"{REPO / 'scripts'}:{REPO / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    met = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.stderr, first + len(met))
    assert len(met) == AT_ONCE
    for each in met:
        for outcome in each["outcomes"]:
            # Failed sources are a line each; whatever a server sent breaks none.
            assert all(line.isprintable() for line in outcome.split("\n")), each["number"]
            assert "SECRET" not in outcome, each["number"]
            assert len(outcome) < 4000, each["number"]
    assert met[-1]["peak_mb"] < MOST, [each["peak_mb"] for each in met]
