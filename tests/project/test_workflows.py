# SPDX-License-Identifier: MIT
"""Workflows of the forge run what .ci/run runs; `.ci/steps/lint` looks at their form."""

import os
import re
import subprocess
import tomllib

import pytest
import yaml
from support import REPO

import brainmasks

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((REPO / ".github" / "workflows").glob("*.yml"))
}
JOBS = [
    pytest.param(job, id=f"{workflow}-{name}")
    for workflow, content in WORKFLOWS.items()
    for name, job in content["jobs"].items()
]
CHECKS = WORKFLOWS["checks"]["jobs"]
# The steps of .ci/run, and what takes servers or the forge itself.
SCRIPTS = {
    f".ci/{folder}/{path.name}"
    for folder in ("steps", "online")
    for path in (REPO / ".ci" / folder).iterdir()
}


def commands(job: dict) -> list[str]:
    """Return what a job runs, with each value of its matrix."""
    steps = job.get("strategy", {}).get("matrix", {}).get("step", [""])
    found = [step["run"] for step in job["steps"] if "run" in step]
    return [line.replace('"$STEP"', value) for value in steps for line in found]


@pytest.mark.parametrize("job", JOBS)
def test_workflows_call_scripts_of_ci_and_nothing_else(job):
    assert [line for line in commands(job) if line not in SCRIPTS] == []


def test_every_script_of_ci_is_called_by_a_workflow():
    called = {line for each in JOBS for line in commands(each.values[0])}
    assert called == SCRIPTS


def test_every_step_of_ci_runs_for_each_change():
    called = {line for job in CHECKS.values() for line in commands(job)}
    assert called == {name for name in SCRIPTS if name.startswith(".ci/steps/")}


@pytest.mark.parametrize("job", JOBS)
def test_steps_run_after_the_environment_that_they_need(job):
    ran = commands(job)
    alone = (
        ".ci/steps/packages",
        ".ci/steps/environment",
        ".ci/steps/readme",
        ".ci/online/publish",
    )
    for number, line in enumerate(ran):
        assert line in alone or ".ci/steps/environment" in ran[:number], line


def test_tests_run_with_each_python_on_linux_and_macos():
    matrix = CHECKS["tests"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["system"]} == {"ubuntu", "macos"}
    minors = [int(version.removeprefix("3.")) for version in matrix["python"]]
    assert minors == list(range(minors[0], minors[-1] + 1))
    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">=3.{minors[0]}"


@pytest.mark.parametrize("job", JOBS)
def test_jobs_end_and_actions_are_pinned(job):
    assert job["timeout-minutes"] <= 60
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert [action for action in used if not re.search("@[0-9a-f]{40}$", action)] == []


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_only_read_but_where_a_job_says_otherwise(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    assert "concurrency" in WORKFLOWS[name]


def publish(tmp_path, tag: str) -> subprocess.CompletedProcess:
    """Run `.ci/online/publish` with a gh that only says what it was told."""
    gh = tmp_path / "gh"
    gh.write_text('#!/usr/bin/env bash\necho "gh $*"\ncat\n')
    gh.chmod(0o755)
    return subprocess.run(
        [REPO / ".ci" / "online" / "publish"],
        cwd=REPO,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REF_NAME": tag},
        capture_output=True,
        text=True,
        check=False,
    )


def test_release_has_what_the_changelog_says_of_this_version(tmp_path):
    version = brainmasks.__version__
    done = publish(tmp_path, f"v{version}")
    assert done.returncode == 0, done.stderr
    first, *notes = done.stdout.splitlines()
    assert first.startswith(f"gh release create v{version} --verify-tag --title {version} ")
    text = (REPO / "CHANGELOG.md").read_text()
    assert "\n".join(notes).strip()
    assert "\n".join(notes).strip() in text.split(f"## {version}")[1].split("\n## ")[0]


def test_no_release_of_a_tag_that_is_not_the_version(tmp_path):
    done = publish(tmp_path, "v0.0.7")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("the tag is v0.0.7, the version ")
