"""Reading HTML pages in tests."""

import re
from html.parser import HTMLParser

LOADING = {"src", "srcset", "poster", "data", "xlink:href", "action"}


class References(HTMLParser):
    """Collects what a page loads, what it links to, its ids, its elements and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self._tag = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._tag = tag
        for name, value in attrs:
            if tag == "form" and name == "action":
                self.links.append(value or "")
            elif name in LOADING or (name == "href" and tag != "a"):
                self.loads.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")
            elif name == "style":
                self._style(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._tag == "style":
            self._style(data)
        elif self._tag != "script":
            self.words.append(data)

    def _style(self, text: str) -> None:
        self.loads += re.findall(r"@import\s+([^;]+)", text) + re.findall(r"url\(\s*['\"]?([^)'\"]+)", text)

    @property
    def remote(self) -> list[str]:
        """What the page would load from elsewhere than itself."""
        return [place for place in self.loads if not place.startswith(("data:", "#"))]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())
