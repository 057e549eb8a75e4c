# SPDX-License-Identifier: MIT
"""Fixtures of the tests that run `snakemake`."""

import subprocess

import pytest
from support import copied_repository


@pytest.fixture
def github(tmp_path, monkeypatch) -> str:
    """Publish the repository on a GitHub that is a folder; return its owner and name."""
    (tmp_path / "gitconfig").write_text(
        "[user]\n    name = test\n    email = test@example.org\n"
        "[init]\n    defaultBranch = main\n"
        f'[url "file://{tmp_path}/hub/"]\n    insteadOf = https://github.com/\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    checkout = copied_repository(tmp_path / "checkout")
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "all"],
        ["tag", "v0"],
        ["clone", "--quiet", "--bare", ".", str(tmp_path / "hub" / "owner" / "masks.git")],
    ):
        subprocess.run(["git", *command], cwd=checkout, check=True)
    return "owner/masks"
