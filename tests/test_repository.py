"""Facts that stand in two files because their tools want them there are the same in both."""

import re
import subprocess
import sys
import time
import tomllib

import pytest
import yaml
from support import REPO

import brainmasks


def pins(text: str, sign: str) -> dict[str, str]:
    found = re.findall(rf"^[ -]*([A-Za-z0-9_.-]+) *{sign}([0-9][^\s]*)$", text, flags=re.MULTILINE)
    return {name.lower(): version for name, version in found}


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip(f"this is no git checkout: {listed.stderr.strip()}")
    return listed.stdout.splitlines()


def test_conda_environment_has_the_versions_of_the_requirements():
    required = pins((REPO / "requirements.txt").read_text(), "==")
    environment = pins((REPO / "envs" / "masks.yaml").read_text(), "=")
    environment.pop("python")
    # Snakemake itself brings what it needs into a script's environment.
    assert required.pop("snakemake")
    assert environment == required


def test_conda_environment_of_the_pictures_has_the_versions_of_the_requirements():
    required = pins((REPO / "requirements-qc.txt").read_text(), "==")
    # Snakemake itself needs it, for the report.
    assert required.pop("pygments")
    required["matplotlib-base"] = required.pop("matplotlib")  # what conda calls it without Qt
    shared = pins((REPO / "envs" / "masks.yaml").read_text(), "=")
    required |= {name: shared[name] for name in ("python", "nibabel", "numpy", "scipy")}
    assert pins((REPO / "envs" / "qc.yaml").read_text(), "=") == required


def test_pinned_versions_agree_with_the_constraints():
    constraints = pins((REPO / "constraints.txt").read_text(), "==")
    for path in REPO.glob("requirements*.txt"):
        for name, version in pins(path.read_text(), "==").items():
            assert constraints.get(name, version) == version, (path.name, name)


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text())
    assert citation["version"] == brainmasks.__version__
    assert citation["repository-code"] == brainmasks.version.PROJECT_URL
    assert f"\n## {brainmasks.__version__}" in (REPO / "CHANGELOG.md").read_text()
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    assert project["project"]["name"] == brainmasks.version.PROJECT


def test_rules_fetch_every_file_of_the_package_and_every_script():
    """One that is not fetched is missing when the workflow is loaded from a URL."""
    common = (REPO / "workflow" / "rules" / "common.smk").read_text()
    for block, folder in (("PACKAGE", "scripts/brainmasks"), ("SCRIPTS", "scripts")):
        text = re.search(rf"^{block} = \{{.*?^\}}", common, flags=re.MULTILINE | re.DOTALL)[0]
        named = set(re.findall(r'"(\w+)"', text))
        assert named == {path.stem for path in (REPO / folder).glob("*.py")}


@pytest.mark.parametrize("folder", ["envs", "workflow/report"])
def test_rules_fetch_every_file_that_a_directive_names(folder):
    common = (REPO / "workflow" / "rules" / "common.smk").read_text()
    fetched = re.findall(r'^workflow\.source_path\("(.+)"\)$', common, flags=re.MULTILINE)
    rules = REPO / "workflow" / "rules"
    assert {(rules / name).resolve() for name in fetched} >= set((REPO / folder).iterdir())


def test_both_snakefiles_say_the_same():
    root = (REPO / "Snakefile").read_text().replace('"workflow/rules/', '"rules/')
    other = (REPO / "workflow" / "Snakefile").read_text()
    assert root.splitlines()[1:] == other.splitlines()[1:]


def test_package_knows_nothing_of_snakemake():
    for path in (REPO / "scripts" / "brainmasks").glob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), flags=re.MULTILINE)


def test_no_image_is_tracked_but_the_generated_example():
    images = tracked("*.nii", "*.nii.gz", "*.mgz")
    assert images in ([], ["examples/lesion-network/lesions/tiny.nii.gz"])


def test_every_config_key_and_column_is_documented():
    page = (REPO / "config" / "README.md").read_text()
    keys = yaml.safe_load((REPO / "config" / "config.yaml").read_text())
    columns = (REPO / "config" / "masks.tsv").read_text().splitlines()[0].split("\t")
    columns += (REPO / "config" / "mirrors.tsv").read_text().splitlines()[0].split("\t")
    assert [name for name in [*keys, *columns] if f"| `{name}` |" not in page] == []


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
