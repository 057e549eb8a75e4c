# SPDX-License-Identifier: MIT
"""Pages for people: short where they must be, links that lead somewhere, the agreed words."""

import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from support import REPO

from brainmasks.images import FINDINGS, VERDICTS
from brainmasks.images.compare import MIN_INSIDE

README = REPO / "README.md"
CONTRIBUTING = REPO / "CONTRIBUTING.md"
PAGES = (
    README,
    CONTRIBUTING,
    REPO / "SECURITY.md",
    REPO / "config" / "README.md",
    REPO / "examples" / "lesion-network" / "README.md",
    *sorted((REPO / "docs").rglob("*.md")),
)
CAPTIONS = sorted((REPO / "workflow" / "report").glob("*.rst"))
WORDED = (*PAGES, *CAPTIONS, REPO / "config" / "config.yaml", REPO / "CHANGELOG.md")
PICTURES = sorted((REPO / "docs" / "pictures").glob("*.png"))

# What was said before, and what is said now.
REPLACED = {
    r"promis\w*": "guarantees",
    r"shall": "must",
    r"in stock": "cached",
    r"set aside": "quarantined",
    r"offenders?": "rejected image",
    r"form_mismatch": "qform_sform_mismatch",
    r"could be had|cannot be had|to be had": "(not) available from any source",
    r"what would help": "what to do, to fix",
    r"ma(?:ke|kes|de) (?:\w+ ){0,3}again|anew|afresh": "regenerated, triggers no re-run",
    r"(?:the )?other way round": "flipped",
    r"(?:every|each|next|no|none of its|either) places?": "source",
}


def name_of(path: Path) -> str:
    """Return a path as a test's id has it."""
    return str(path.relative_to(REPO))


def prose(text: str) -> str:
    """Return a page in one line, without names of tests, which are no prose."""
    return " ".join(re.sub(r"`[^`]*::[^`]*`", "", text).split())


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as a forge makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_readme_is_short():
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


def test_pictures_are_small():
    assert [path.name for path in PICTURES] == ["lesion.png", "mask.png"]
    assert sum(path.stat().st_size for path in PICTURES) < 150_000


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_local_links_lead_somewhere(page):
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_of_docs_is_linked_from_readme():
    links = set(re.findall(r"\]\(([^)\s#]+)", README.read_text(encoding="utf-8")))
    # Below docs/ lie the parts of the tutorial and what the site is made of beside its pages.
    pages = {name_of(page) for page in PAGES if page.parent.parent.name != "docs"}
    assert pages - links == {
        "README.md",
        "examples/lesion-network/README.md",
    }


@pytest.mark.parametrize("page", WORDED, ids=name_of)
def test_agreed_words_are_used(page):
    text = prose(page.read_text(encoding="utf-8"))
    found = [
        f"{hit[0]!r}: say {word!r}"
        for pattern, word in REPLACED.items()
        for hit in re.finditer(rf"\b(?:{pattern})\b", text, flags=re.IGNORECASE)
    ]
    assert found == []


def test_files_that_contributing_names_exist():
    text = CONTRIBUTING.read_text(encoding="utf-8")
    tops = "|".join(sorted(re.escape(path.name) for path in REPO.iterdir() if path.is_dir()))
    named = set(re.findall(rf"`((?:{tops})/[^`\s<]*|[\w.-]+\.(?:md|cff|txt|toml))`", text))
    assert len(named) > 50
    assert sorted(name for name in named if not (REPO / name).exists()) == []


def test_contributing_maps_every_room_and_every_file_of_rules():
    text = CONTRIBUTING.read_text(encoding="utf-8")
    rooms = [path.parent for path in (REPO / "scripts" / "brainmasks").glob("*/__init__.py")]
    rules = list((REPO / "workflow" / "rules").glob("*.smk"))
    tops = [REPO / name for name in ("config", "envs", "profiles", "docs", "tests", "benchmarks")]
    unmapped = [path for path in (*rooms, *rules, *tops) if f"| `{name_of(path)}` |" not in text]
    assert unmapped == []


def test_ten_changes_lead_to_a_file_each():
    text = CONTRIBUTING.read_text(encoding="utf-8").split("## Where would I ...?")[1]
    rows = re.findall(r"^\| (.+) \| `([^`]+)` \|$", text.split("\n## ")[0], flags=re.MULTILINE)
    assert len(rows) >= 10
    assert [file for _, file in rows if not (REPO / file).is_file()] == []


def test_every_verdict_and_finding_is_explained():
    text = (REPO / "docs" / "images.md").read_text(encoding="utf-8")
    explained = tuple(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))
    assert explained == (*VERDICTS, *FINDINGS)


def config_schema() -> dict:
    """Return what the schema says of each key of the configuration."""
    path = REPO / "workflow" / "schemas" / "config.schema.json"
    return json.loads(path.read_text(encoding="utf-8"))["properties"]


def test_every_finding_can_be_refused_and_those_that_are_by_default_are_marked():
    refuse = config_schema()["refuse"]
    assert tuple(refuse["items"]["enum"]) == FINDINGS
    default = yaml.safe_load((REPO / "config" / "config.yaml").read_text(encoding="utf-8"))
    text = (REPO / "docs" / "images.md").read_text(encoding="utf-8")
    marked = re.findall(r"^\| `(\w+)` \|.*\| yes \|$", text, flags=re.MULTILINE)
    assert default["refuse"] == marked
    assert default["min_inside"] == MIN_INSIDE


def test_every_verdict_but_that_of_no_image_can_be_accepted():
    accepted = config_schema()["accept"]["items"]["enum"]
    assert tuple(accepted) == tuple(each for each in VERDICTS if each != "not_an_image")


def test_every_config_key_has_a_type_and_says_what_is_expected():
    keys = yaml.safe_load((REPO / "config" / "config.yaml").read_text(encoding="utf-8"))
    assert set(config_schema()) == set(keys)
    assert [key for key, rules in config_schema().items() if not rules.get("description")] == []


def test_python_of_the_pages_compiles():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^( *)```python\n(.*?)^ *```$", text, flags=re.M | re.S):
            code = textwrap.dedent(block[1])
            if "module brain_masks:" not in code:
                compile(code, page.name, "exec")
