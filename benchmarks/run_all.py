#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run every benchmark that compares two sides, and write docs/performance.md.

BRAINMASKS_REAL_MASKS=... python benchmarks/run_all.py [--rounds N] [--small] [--page PATH]
"""

import argparse
import importlib
import platform
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

from bench_data import real_mask
from side_by_side import REPO, Row, lines

PAGE = REPO / "docs" / "performance.md"
SCRIPTS = {
    "warm_mask": "A mask that is cached, in a fresh process",
    "checked_images": "Lesions checked, the whole run",
    "cold_masks": "Masks fetched from a server on loopback, the whole run",
    "up_to_date": "Runs in which nothing is to be done",
    "host_workflow": "As a module in a host workflow",
    "validation_speed": "Validation of a mask, in process",
    "pictures": "Pictures",
    "other_grids": "Images and masks on other grids, in process",
    "peak_memory": "Memory",
}
VERSIONS = (
    *("snakemake", "numpy", "nibabel", "scipy", "matplotlib", "Pillow", "pooch", "fastjsonschema"),
    # Those that are installed beside them: see the scripts.
    *("nilearn", "templateflow"),
)
MARK = "<!-- benchmarks/run_all.py -->"


def machine() -> str:
    """Return what the numbers were measured on."""
    cpus = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    installed = {each.name.lower(): each.version for each in distributions()}
    packages = ", ".join(
        f"{name} {installed[name.lower()]}" for name in VERSIONS if name.lower() in installed
    )
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: {len(cpus)} processors ({cpus[0]}), "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {packages}."
    )


def measured(rounds: int, small: bool, cpu: bool) -> list[str]:
    """Return the sections of the page: each script in a folder of its own."""
    text = []
    for name, title in SCRIPTS.items():
        if name == "warm_mask" and real_mask() is None:
            continue
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            module = importlib.import_module(name)
            rows: list[Row] = module.measure(Path(folder), rounds, small, cpu)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        text += [f"### {title}", "", f"`benchmarks/{name}.py`", "", *lines(rows), ""]
    return text


def main() -> None:
    """Measure, and write what was found between the marks of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--small", action="store_true", help="tiny sizes: to try the scripts")
    parser.add_argument("--cpu", action="store_true", help="time on the processors")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    clock = "Time is that on the processors." if options.cpu else "Time is that of the clock."
    head, _, rest = options.page.read_text(encoding="utf-8").partition(MARK)
    _, _, tail = rest.partition(MARK)
    found = measured(options.rounds, options.small, options.cpu)
    said = f"{machine()} {clock} Medians of {options.rounds} round(s)."
    page = "\n".join([head + MARK, "", said, "", *found, MARK + tail])
    options.page.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
