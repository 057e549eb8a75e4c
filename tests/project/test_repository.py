# SPDX-License-Identifier: MIT
"""Facts that stand in two files because their tools want them there are the same in both."""

import ast
import os
import re
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from support import REPO, tracked

import brainmasks

PACKAGE = REPO / "scripts" / "brainmasks"
# Not what is below, from which tables are made.
TABLES = ":(glob)workflow/tables/*.tsv"


def pins(text: str, sign: str) -> dict[str, str]:
    found = re.findall(rf"^[ -]*([A-Za-z0-9_.-]+) *{sign}([0-9][^\s]*)$", text, flags=re.MULTILINE)
    return {name.lower(): version for name, version in found}


def test_conda_environment_has_the_versions_of_the_requirements():
    required = pins((REPO / "requirements.in").read_text(), "==")
    environment = pins((REPO / "envs" / "masks.yaml").read_text(), "=")
    environment.pop("python")
    # Snakemake itself brings what it needs into a script's environment.
    assert required.pop("snakemake")
    assert environment == required


def test_conda_environment_of_the_pictures_has_the_versions_of_the_requirements():
    required = pins((REPO / "requirements-qc.in").read_text(), "==")
    # Snakemake itself needs it, for the report.
    assert required.pop("pygments")
    required["matplotlib-base"] = required.pop("matplotlib")  # what conda calls it without Qt
    shared = pins((REPO / "envs" / "masks.yaml").read_text(), "=")
    required |= {name: shared[name] for name in ("python", "nibabel", "numpy", "scipy")}
    assert pins((REPO / "envs" / "qc.yaml").read_text(), "=") == required


def test_conda_environment_of_the_views_has_the_versions_of_the_requirements():
    environment = pins((REPO / "envs" / "view.yaml").read_text(), "=")
    pictures = pins((REPO / "envs" / "qc.yaml").read_text(), "=")
    locked = pins((REPO / "requirements-view.in").read_text(), "==")
    shared = pins((REPO / "envs" / "masks.yaml").read_text(), "=")
    # The pages, and what nilearn reads tables with.
    assert environment == pictures | locked | {name: shared[name] for name in ("jinja2", "pandas")}


def hashed(path: Path) -> dict[str, str]:
    """Return the versions of a file that `pip install --require-hashes` takes."""
    requirements = path.read_text().replace("\\\n", " ").splitlines()
    found = {}
    for requirement in requirements:
        if not requirement.strip().startswith("#"):
            assert re.search(r" --hash=sha256:[0-9a-f]{64}", requirement), (path.name, requirement)
            name, version = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", requirement).groups()
            found[name.lower()] = version
    assert found, path.name
    return found


@pytest.mark.parametrize(
    "part", ["", "-qc", "-cluster", "-nimare", "-dev", "-ci", "-docs", "-release"]
)
def test_hashed_requirements_are_those_that_are_asked_for(part):
    """Each with its hashes, and from whatever index the user has set."""
    path = REPO / f"requirements{part}.txt"
    installed = hashed(path)
    asked = pins((REPO / f"requirements{part}.in").read_text(), "==")
    assert asked
    assert {name: installed.get(name) for name in asked} == asked
    assert "://" not in path.read_text()
    # Without what it asks for, or in an environment of its own.
    if part not in ("-nimare", "-ci", "-docs", "-release"):
        everything = hashed(REPO / "requirements-dev.txt")
        assert {name: everything.get(name) for name in installed} == installed
    if part == "-docs":
        beside = hashed(REPO / "requirements.txt")
        assert {name: installed.get(name, beside[name]) for name in beside} == beside


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text())
    assert citation["version"] == brainmasks.__version__
    assert citation["repository-code"] == brainmasks.version.PROJECT_URL
    assert f"\n## {brainmasks.__version__}" in (REPO / "CHANGELOG.md").read_text()
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    assert project["project"]["name"] == brainmasks.version.PROJECT


def test_list_of_files_names_all_that_rules_and_jobs_need():
    """One that is not fetched is missing when the workflow is loaded from a URL."""
    listed = (REPO / "workflow" / "files.txt").read_text().splitlines()
    needed = tracked(TABLES, "config/*.yaml", "config/*.tsv", "envs", "scripts", "workflow/report")
    needed += tracked("workflow/schemas", "workflow/tables/SHA256SUMS")
    # The command line, and what type checkers look for.
    needless = {"scripts/brainmasks/py.typed", "scripts/brainmasks/__main__.py"}
    needless |= set(tracked("scripts/brainmasks/cli"))
    assert listed == sorted(set(needed) - needless)


def test_bundle_for_plain_urls_holds_the_files_as_they_are():
    subprocess.run([sys.executable, REPO / "workflow" / "make_bundle.py", "--check"], check=True)


def test_source_distribution_names_all_that_is_at_the_top():
    """`.ci/steps/release` compares the whole of what was built; this takes no time."""
    lines = [line.split() for line in (REPO / "MANIFEST.in").read_text().splitlines()]
    named = [name for how, *names in lines if how in ("graft", "include") for name in names]
    # setuptools takes these by itself.
    named += ["LICENSE", "pyproject.toml"]
    tops = {path.partition("/")[0] for path in tracked()}
    assert [top for top in tops if not any(fnmatch(top, name) for name in named)] == []


def test_entries_hold_nothing_but_the_include_and_the_default_rule():
    for entry, rules in (("Snakefile", "workflow/rules"), ("workflow/Snakefile", "rules")):
        lines = (REPO / entry).read_text().splitlines()
        code = [line for line in lines if line and not line.lstrip().startswith("#")]
        assert code == [
            f'include: "{rules}/main.smk"',
            "rule all:",
            "    input:",
            "        masks_of_configuration,",
        ]


ROOMS = ("cli", "qc", "images", "masks", "fetching", "nifti", "storage", "registry")
# What a room may use: those below it. The two at the bottom do not know of each other.
BELOW = {room: set(ROOMS[n + 1 :]) for n, room in enumerate(ROOMS)} | {"storage": set()}
GROUND = {"errors", "on_demand", "paths", "telling", "urls", "version"}


def imports(path: Path) -> list[tuple[int, str, set[str]]]:
    """Return level, module and names of each relative import of a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [
        (node.level, node.module or "", {each.name for each in node.names})
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.level
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_only_rooms_below_it_and_only_their_surface(room):
    surfaces = {other: set(import_module(f"brainmasks.{other}").__all__) for other in ROOMS}
    modules = list((PACKAGE / room).glob("*.py"))
    assert any(level == 2 for path in modules for level, *_ in imports(path))
    for path in modules:
        for level, module, names in imports(path):
            if level == 1:
                continue
            assert level == 2, path
            assert module in BELOW[room] | GROUND, (path, module)
            assert names <= surfaces.get(module, names), (path, module, names)


def test_the_ground_uses_no_room():
    for name in (*GROUND, "job_log"):
        for _, module, _ in imports(PACKAGE / f"{name}.py"):
            assert module in GROUND, (name, module)


def test_each_room_states_its_surface_in_a_sentence_and_its_names():
    for room in ROOMS:
        surface = import_module(f"brainmasks.{room}")
        assert surface.__doc__.count("\n") == 0
        assert surface.__all__


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_names_of_a_surface_are_found_where_their_types_are_stated(room):
    """For type checkers, and for `on_demand`: each name stands in two lists."""
    package = import_module(f"brainmasks.{room}".rstrip("."))
    listed = set(package.__all__) - {"BRAIN_MASK_REGISTRY"}
    stated = {
        name: f"{package.__name__}.{module}"
        for level, module, names in imports(PACKAGE / room / "__init__.py")
        for name in names
        if level == 1 and name in listed
    }
    assert set(stated) == listed
    for name, module in stated.items():
        assert getattr(package, name) is getattr(import_module(module), name), name
    # Else the one hides the other, whichever is imported last.
    assert listed.isdisjoint(path.stem for path in (PACKAGE / room).glob("*.py"))
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_package_knows_nothing_of_snakemake():
    modules = list(PACKAGE.rglob("*.py"))
    assert len(modules) > len(ROOMS)
    for path in modules:
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), flags=re.MULTILINE)


def test_each_source_file_states_its_licence():
    patterns = ["*.py", "*.smk", "*Snakefile", "*.sh", "*.c", "*.yaml", "*.yml", "*.toml", "*.j2"]
    sources = [REPO / path for path in tracked(*patterns, ".ci/run", ".ci/steps", ".ci/online")]
    assert len(sources) > 100
    without = [path for path in sources if "SPDX-License-Identifier: MIT" not in path.read_text()]
    # An empty file has no author.
    assert [path for path in without if path.read_text()] == []


def test_no_image_is_tracked_but_the_generated_example():
    images = tracked("*.nii", "*.nii.gz", "*.mgz")
    assert images in ([], ["examples/lesion-network/lesions/tiny.nii.gz"])


def test_every_config_key_and_column_is_documented():
    page = (REPO / "config" / "README.md").read_text()
    keys = yaml.safe_load((REPO / "config" / "config.yaml").read_text())
    tables = [REPO / path for path in tracked("config/*.tsv", TABLES)]
    columns = {name for path in tables for name in path.read_text().splitlines()[0].split("\t")}
    assert [name for name in [*keys, *sorted(columns)] if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("tests/cluster", "needs --cluster: installs and starts a Slurm"),
        ("tests/release", "needs --built FOLDER: installs the wheel that is there"),
    ],
)
def test_tests_that_install_something_are_skipped_unless_they_are_asked_for(folder, reason):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--quiet", "-n", "0", folder],
        cwd=REPO,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.match(r"[0-9]+ skipped in ", done.stdout.splitlines()[-1]), done.stdout
    assert reason in done.stdout


def collected() -> list[str]:
    """Return the ids of all tests, as a process of its own collects them."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-n", "0"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_ids_of_tests_are_readable_and_the_same_in_every_process():
    """Processes that collect other ids in another second cannot share a run."""
    first = collected()
    time.sleep(1)
    assert collected() == first
    assert len(first) > 1000
    assert [each for each in first if "\\" in each or not each.isprintable()] == []
    assert [each for each in first if len(each) > 200] == []
