"""A real browser for tests of pages, and a sheet of paper."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Visit:
    """A page of the browser, with what it asked for and what it complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.remote: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._request)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.remote.append(request.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium: install the package chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    yield Visit(page)
    page.close()


BEYOND = """edge => [...document.querySelectorAll("body *")]
  .filter(part => part.getClientRects().length && part.getBoundingClientRect().right > edge + 1)
  .map(part => `${part.tagName}.${part.getAttribute("class")}`)"""

PAPER = 688
"""Pixels of the width of A4 between the margins of the pages."""


def cut_on_paper(page: Any) -> list[str]:
    """Return the elements of a page that would stand beyond the right edge of a sheet of A4."""
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print")
    return list(page.evaluate(BEYOND, PAPER))
