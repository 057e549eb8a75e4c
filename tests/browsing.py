# SPDX-License-Identifier: MIT
"""A real browser, in which pages are looked at: without network, and with an ear for complaints."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Without what a browser does on its own account, and as it must be started by root in a container.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """A browser; `asked` is what it asked a network for, `complaints` what pages complained of."""

    def __init__(self, chromium) -> None:
        self._chromium = chromium
        self._contexts: list = []
        self.asked: list[str] = []
        self.complaints: list[str] = []

    def open(self, path: Path | str, size=(1280, 900), hash: str = "", script="", **options):
        """Return a page on which a file is open; a script runs before those of the page."""
        width, height = size
        context = self._chromium.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        self._contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.add_init_script(script)
        page.on("request", lambda request: self._note(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.goto(Path(path).as_uri() + hash)
        return page

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "data:")):
            self.asked.append(url)

    def close(self) -> None:
        for context in self._contexts:
            context.close()


# Not for longer: its driver has an event loop running, beside which no other can be.
@pytest.fixture(scope="module")
def chromium() -> Iterator:
    """Start a browser, or skip where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright here: requirements-dev.txt has it"
    )
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser here to look at pages in: none of {', '.join(PROGRAMS)}")
    with playwright.sync_playwright() as driver:
        # In a folder of its own for its user's data, which it removes.
        started = driver.chromium.launch(executable_path=program, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def browser(chromium) -> Iterator[Browser]:
    """Return a browser without network; a page that asks for it or complains fails the test."""
    browser = Browser(chromium)
    yield browser
    browser.close()
    assert browser.asked == []
    assert browser.complaints == []
