# SPDX-License-Identifier: MIT
"""The command line in a folder of its own."""

import pytest
from command_line import CommandLine


@pytest.fixture
def cli(tmp_path) -> CommandLine:
    """Return the command line in a folder of its own, whose name is no plain one."""
    folder = tmp_path / "my masks ü"
    folder.mkdir()
    return CommandLine(folder)
