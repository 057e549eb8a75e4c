# SPDX-License-Identifier: MIT
"""What .ci/run makes of its steps, and which commands it takes from README."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support import REPO

STEPS = sorted(path.name for path in (REPO / ".ci" / "steps").iterdir())
# Those after which nothing else is tried.
FIRST = ["packages", "environment", "lint"]


@pytest.fixture
def copy(tmp_path) -> Path:
    """Return a repository with the real .ci/run, each of whose steps only says where it ran."""
    folder = tmp_path / "copy"
    (folder / ".ci" / "steps").mkdir(parents=True)
    shutil.copy(REPO / ".ci" / "run", folder / ".ci" / "run")
    for name in STEPS:
        write_step(folder, name, f'echo "{name} in $(basename "$PWD")"')
    return folder


def write_step(folder: Path, name: str, line: str) -> None:
    path = folder / ".ci" / "steps" / name
    path.write_text(f"#!/usr/bin/env bash\n{line}\n")
    path.chmod(0o755)


def start_ci(folder: Path) -> subprocess.Popen:
    """Commit what is in a repository, and start its .ci/run."""
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "steps"]):
        subprocess.run([*git, *command], check=True)
    return subprocess.Popen(
        ["bash", folder / ".ci" / "run"],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(folder.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_ci(folder: Path) -> tuple[int, str]:
    """Return the exit status of .ci/run, and what it printed."""
    process = start_ci(folder)
    printed = process.communicate(timeout=60)[0]
    # It leaves nothing behind.
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return process.returncode, printed


def statuses(printed: str) -> dict[str, int]:
    """Return the exit status of each step, in the order in which they were printed."""
    return {
        name: int(status)
        for name, status in re.findall(r"^== (\w+): exit status (\d+)", printed, re.MULTILINE)
    }


def test_ci_runs_every_step_once_lint_before_the_tests_and_readme_as_a_stranger(copy):
    status, printed = run_ci(copy)
    assert status == 0, printed
    assert statuses(printed) == dict.fromkeys(STEPS, 0)
    assert list(statuses(printed))[:4] == [*FIRST, "readme"]
    said = re.findall(r"^(\w+) in (\w+)$", printed, flags=re.MULTILINE)
    assert sorted(said) == [
        (name, "stranger" if name == "readme" else "developer") for name in STEPS
    ]


@pytest.mark.parametrize("failing", FIRST)
def test_ci_ends_with_the_first_of_the_steps_that_all_others_need(copy, failing):
    write_step(copy, failing, "exit 3")
    status, printed = run_ci(copy)
    assert status == 1
    assert list(statuses(printed)) == FIRST[: FIRST.index(failing) + 1]
    assert printed.endswith(f"\nfailed: {failing}\n")


@pytest.mark.parametrize("failing", [name for name in STEPS if name not in FIRST])
def test_ci_goes_on_after_another_step_that_fails_and_fails_in_the_end(copy, failing):
    write_step(copy, failing, "echo what went wrong >&2; exit 3")
    status, printed = run_ci(copy)
    assert status == 1
    assert statuses(printed) == dict.fromkeys(STEPS, 0) | {failing: 3}
    assert "\nwhat went wrong\n" in printed
    assert printed.endswith(f"\nfailed: {failing}\n")


def test_ci_that_is_ended_ends_its_steps_with_all_that_they_started(copy):
    pipes = [copy.parent / name for name in ("cluster", "mutants")]
    for pipe in pipes:
        os.mkfifo(pipe)
        line = f"exec 3>{pipe}; echo started >&3; (sleep 60; echo woke up >&3); echo went on >&3"
        write_step(copy, pipe.name, line)
    process = start_ci(copy)
    with pipes[0].open() as beside, pipes[1].open() as step:
        assert beside.readline() == step.readline() == "started\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        # A pipe ends when nobody is left who could write to it.
        assert beside.read() == step.read() == ""
    assert process.returncode == 128 + signal.SIGTERM
    assert {path.name for path in copy.parent.iterdir()} == {"copy", "cluster", "mutants"}


@pytest.mark.parametrize("folder", ["steps", "online"])
def test_every_script_states_what_it_is_for_and_stops_at_a_failure(folder):
    for path in (REPO / ".ci" / folder).iterdir():
        lines = path.read_text().splitlines()
        assert lines[0] == "#!/usr/bin/env bash", path
        assert lines[2].startswith("# "), path
        assert "set -euo pipefail" in lines, path
        assert path.stat().st_mode & 0o111 == 0o111, path


def found_by_ci(tmp_path: Path, readme: str) -> subprocess.CompletedProcess:
    """Run the lines of the step that find the commands, on a page."""
    script = (REPO / ".ci" / "steps" / "readme").read_text(encoding="utf-8")
    lines = script[script.index("commands=()") : script.index("for command in")]
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines + '\nprintf "%s\\n" "${commands[@]}"'],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_ci_finds_the_two_marked_commands(tmp_path):
    text = (REPO / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^<!-- ci: (.+) -->\n```bash$", text, flags=re.MULTILINE) == [
        "first mask",
        "tests",
    ]
    done = found_by_ci(tmp_path, text)
    first, tests = done.stdout.splitlines()
    assert first.endswith("snakemake masks/MNI152NLin6Asym_2mm.nii.gz")
    assert tests.endswith("pytest")


MARKED = "<!-- ci: one -->\n```bash\necho 1\n```\n"


@pytest.mark.parametrize(
    ("readme", "count"),
    [
        ("no command\n", 0),
        (MARKED, 1),
        (MARKED * 3, 3),
        (MARKED + "```bash\necho 2\n```\n", 1),
        (MARKED + MARKED.replace("-->\n", "-->\n\n"), 1),
        (MARKED + MARKED.replace("echo 1\n", "echo 1\necho 2\n"), 3),
    ],
    ids=["none", "one", "three", "no marker", "a line between", "two lines"],
)
def test_ci_ends_unless_two_commands_are_marked(tmp_path, readme, count):
    done = found_by_ci(tmp_path, readme)
    assert done.returncode == 1
    assert f"README.md marks {count} commands, expected 2" in done.stderr
