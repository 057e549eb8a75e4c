# SPDX-License-Identifier: MIT
"""The site of the documentation: every page is in its menu, and it asks nobody for anything.

What is true of the built site is looked at where `BRAINMASKS_SITE` names it: `.ci/steps/site`
builds it, with every broken link an error.
"""

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from support import REPO

import brainmasks
from brainmasks.cli.commands import brainmasks as command
from brainmasks.version import PROJECT_URL

# What a browser fetches when it shows a page, and the attribute that says from where.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "use": "href"}
# A link of a page's head that is only a statement about it.
STATED = {"canonical", "next", "prev"}


def leaves(menu: list | dict | str) -> Iterator[str]:
    """Yield the pages of a menu."""
    if isinstance(menu, str):
        yield menu
    else:
        for each in menu.values() if isinstance(menu, dict) else menu:
            yield from leaves(each)


def test_every_page_of_docs_is_in_the_menu_once():
    menu = yaml.safe_load((REPO / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    pages = list(leaves(menu))
    docs = {str(path.relative_to(REPO / "docs")) for path in (REPO / "docs").rglob("*.md")}
    assert len(pages) == len(set(pages))
    assert docs - set(pages) == set()


class Page(HTMLParser):
    """What a page of the site fetches, where its links lead, and what it says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what a tag asks for."""
        given = dict(attributes)
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag == "link" and given.get("rel") not in STATED:
            self.fetched.append(given["href"] or "")
        elif given.get(FETCHED.get(tag, "")):
            self.fetched.append(given[FETCHED[tag]] or "")

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        self.text += data


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the folder of the built site, or skip."""
    if "BRAINMASKS_SITE" not in os.environ:
        pytest.skip("BRAINMASKS_SITE names no site: see .ci/steps/site")
    return Path(os.environ["BRAINMASKS_SITE"]).resolve()


@pytest.fixture(scope="module")
def pages(site) -> dict[str, Page]:
    """Return the pages of the site by their paths."""
    found = {str(path.relative_to(site).parent): Page(path) for path in site.rglob("index.html")}
    assert len(found) > 20
    return found


def test_site_fetches_nothing_from_elsewhere_and_has_all_that_it_fetches(site, pages):
    for name, page in pages.items():
        assert page.fetched, name
        for each in page.fetched:
            assert not re.match(r"(?:[a-z]+:)?//", each), (name, each)
            if not each.startswith("data:"):
                assert (site / name / each.split("?")[0]).is_file(), (name, each)
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        assert not re.search(r"@import|url\([\"']?(?:https?:)?//", style.read_text()), style


def test_links_to_the_code_host_lead_to_files_that_there_are(pages):
    start = re.compile(re.escape(PROJECT_URL) + r"/(?:blob|tree)/main/([^#]+)")
    files = {hit[1] for page in pages.values() for link in page.links if (hit := start.match(link))}
    assert len(files) > 10
    assert sorted(file for file in files if not (REPO / file).exists()) == []


def test_reference_has_every_key_command_option_and_public_name(pages):
    schema = REPO / "workflow" / "schemas" / "config.schema.json"
    for key in json.loads(schema.read_text(encoding="utf-8"))["properties"]:
        assert key in pages["configuration"].text
    commands = pages["reference/commands"].text
    for name, each in command.commands.items():
        assert f"Usage: brainmasks {name} " in commands
        options = [word for option in each.params for word in option.opts if word[0] == "-"]
        assert [word for word in options if word not in commands] == []
    names = [each for each in brainmasks.__all__ if each[0].islower()]
    names += [each for each in brainmasks.__all__ if each[0].isupper() and not each.isupper()]
    assert len(names) > 10
    python = pages["reference/python"].text
    for name in names:
        summary = getattr(brainmasks, name).__doc__.splitlines()[0]
        assert " ".join(summary.replace("`", "").split()) in " ".join(python.split()), name


@pytest.mark.parametrize("width", [390, 1280])
def test_pages_fit_a_phone_and_a_screen_and_ask_nobody_else(site, pages, chromium, server, width):
    server.serve_folder(site)
    context = chromium.new_context(viewport={"width": width, "height": 900})
    asked, complaints = [], []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    for name in pages:
        page.goto(f"{server.url}/{name}/index.html")
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


def test_search_finds_a_page(site, chromium, server):
    server.serve_folder(site)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(f"{server.url}/index.html")
    field = page.get_by_role("textbox", name="Search")
    field.click()
    field.press_sequentially("hemispheres")
    page.locator(".md-search-result__link:visible", has_text="hemispheres").first.wait_for()
    context.close()
