"""A visit to a page in a real browser, and a sheet of paper."""

from collections.abc import Iterator
from typing import Any

import pytest


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
