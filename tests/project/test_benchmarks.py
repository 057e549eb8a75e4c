# SPDX-License-Identifier: MIT
"""The benchmarks run; how fast things are is theirs to say."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version

import pytest
from support import REAL, REPO

COMPARED = (
    "checked_images",
    "cold_masks",
    "host_workflow",
    "other_grids",
    "peak_memory",
    "pictures",
    "up_to_date",
    "warm_mask",
)


def test_every_benchmark_is_tried():
    """Each is a script that measures, or what they share."""
    shared = {"bench_data", "side_by_side", "run_all"}
    alone = {"crowd_at_one_server", "faults_vs_peers", "snakemake_versions", "validation_speed"}
    found = {path.stem for path in (REPO / "benchmarks").glob("*.py")}
    assert found == {*COMPARED} | shared | alone


@pytest.mark.parametrize("name", COMPARED)
def test_benchmark_measures_both_sides(name):
    if name == "warm_mask" and not REAL.is_dir():
        pytest.skip(f"the real masks are not here: no folder {REAL}")
    done = subprocess.run(
        [sys.executable, REPO / "benchmarks" / f"{name}.py", "--small", "--rounds", "1"],
        env=os.environ | {"BRAINMASKS_REAL_MASKS": str(REAL)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    head, rule, *rows = done.stdout.splitlines()
    assert head == "| work | reference | ratio | spread | goal | | median |"
    assert rule.count("|") == head.count("|")
    assert rows
    for row in rows:
        ratio = re.match(r"\| [^|]+ \| [^|]+ \| ([0-9.]+) \| \1 to \1 \|", row)
        assert float(ratio[1]) > 0, row


def test_of_a_crowd_with_one_cache_one_asks():
    script = REPO / "benchmarks" / "crowd_at_one_server.py"
    crowd = ["--processes", "6", "--allowed", "2", "--hour", "2"]
    done = subprocess.run(
        [sys.executable, script, *crowd], capture_output=True, text=True, check=True
    )
    _, _, *lines = done.stdout.splitlines()
    requests = {}
    for line in lines:
        case, processes, asked, refused, failed, *_ = (each.strip() for each in line.split("|")[1:])
        assert processes == "6"
        # Whoever is refused has to begin anew.
        assert refused == failed
        requests[case] = int(asked)
    assert requests["each a cache of its own"] > 6
    assert requests["one cache for all"] == requests["a site cache that is filled"] == 1


def test_speed_of_validation_is_measured_without_the_real_masks():
    done = subprocess.run(
        [sys.executable, REPO / "benchmarks" / "validation_speed.py", "--repeats", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    # On a busy machine a limit of time may be missed; one of memory may not.
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    assert "| validation / gunzip |" in done.stdout
    (memory,) = (line for line in done.stdout.splitlines() if line.startswith("| peak memory"))
    assert memory.endswith("| at most 2 | pass |")


@pytest.fixture
def versions(monkeypatch):
    """Return the benchmark that tries versions of Snakemake, as a module."""
    monkeypatch.syspath_prepend(REPO / "benchmarks")
    import snakemake_versions

    return snakemake_versions


def test_page_of_versions_has_every_form_and_version_that_is_tried(versions):
    page = (REPO / "docs" / "versions.md").read_text()
    head, _, *rows = (line for line in page.splitlines() if line.startswith("|"))
    assert [row.split("|")[1].strip() for row in rows] == list(versions.FORMS)
    assert re.findall(r"[0-9.]+", head) == versions.VERSIONS
    # Those that are older than the workflow allows are in brackets.
    rules = (REPO / "workflow" / "rules" / "main.smk").read_text()
    oldest = versions.as_numbers(versions.CHECK.search(rules)[1])
    for each in versions.VERSIONS:
        assert (f"({each})" in head) == (versions.as_numbers(each) < oldest)


def test_form_is_tried_with_a_version(versions, tmp_path):
    """With the one that is installed. A wrong file on the server is no success."""
    here = version("snakemake")
    environments = tmp_path / "environments"
    environments.mkdir()
    (environments / here).symlink_to(sys.prefix)
    (tmp_path / "tried" / "home").mkdir(parents=True)
    bench = versions.Bench(tmp_path / "tried", here, environments)
    try:
        assert not bench.refused
        assert bench.outcome("module, `pathvars:`") == "yes"
        bench.server.files["/A.nii.gz"] = b"another file"
        shutil.rmtree(tmp_path / "tried" / "home" / ".cache")
        assert bench.outcome("module, `pathvars:`") == "no"
    finally:
        bench.server.close()
