# SPDX-License-Identifier: MIT
"""The page of guarantees names a test for each, and each of these tests exists."""

import ast
import re

from support import REPO

PAGE = (REPO / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+\.py)::([^`]+)`", PAGE)))
# The guarantees end where the table of other clients begins.
GUARANTEES = re.findall(
    r"^- .*(?:\n  .*)*", PAGE.split("\n## Faults of servers", 1)[0], re.MULTILINE
)


def defined_in(file: str) -> set[str]:
    """Return the names of the tests in a file, without importing it."""
    path = REPO / file
    if not path.is_file():
        return set()
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_named_test_exists():
    assert len(NAMED) > 50
    assert [f"{file}::{name}" for file, name in NAMED if name not in defined_in(file)] == []


def test_every_guarantee_names_a_test():
    assert len(GUARANTEES) > 50
    assert [text for text in GUARANTEES if "::test_" not in text] == []
