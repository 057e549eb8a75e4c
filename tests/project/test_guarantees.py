# SPDX-License-Identifier: MIT
"""The page of guarantees names a test for each, and each of these tests exists."""

import ast
import re

from support import REPO

PAGE = (REPO / "docs" / "guarantees.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]+\.py)::([^`]+)`", PAGE)))
GUARANTEES = re.findall(r"^- .*(?:\n  .*)*", PAGE, re.MULTILINE)
# What stands before the first heading, then heading and text of each section.
TOP, *SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)


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


def test_every_section_is_in_the_table_at_the_top():
    links = re.findall(r"^\| \[[^]]+\]\(#([^)]+)\) \|", TOP, re.MULTILINE)
    headings = [section.split("\n", 1)[0] for section in SECTIONS]
    assert len(headings) > 10
    assert links == [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]


def test_every_section_says_what_is_not_guaranteed():
    assert [text for text in SECTIONS if text.count("\n**Not guaranteed:** ") != 1] == []
