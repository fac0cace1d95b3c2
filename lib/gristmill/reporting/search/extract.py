"""What can be found in a page: its headings, and the sentences, cells and titles of figures under each of them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_HEAVY = re.compile(r"<(script|style|svg)\b.*?</\1\s*>|(?<=[\"'])data:[^\"']*", re.DOTALL | re.IGNORECASE)
"""What holds most of a page's bytes and no word of it: taken out before the page is read."""

_SKIPPED = frozenset({"script", "style", "svg", "nav", "aside", "header", "footer", "button", "select", "template", "title"})
_HEADINGS = frozenset({"h1", "h2", "h3"})
_BREAKS = frozenset({"p", "li", "td", "th", "tr", "dt", "dd", "div", "br", "section", "figcaption", "pre", "summary", "caption"})
_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_WORD = re.compile(r"[^\W\d_]{2}")

MOST_LETTERS = 6000
"""Letters of one section that can be found; what stands behind them cannot."""


@dataclass
class Section:
    """A heading with what stands under it."""

    heading: str
    anchor: str
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentences under the heading, each once."""
        kept = dict.fromkeys(part for part in self.parts if _WORD.search(part))
        return " · ".join(kept)[:MOST_LETTERS]


def sections_of(page: str) -> list[Section]:
    """Return the sections of an HTML page that hold anything, from top to bottom; what stands before the first heading has none."""
    reader = _Reader()
    reader.feed(_HEAVY.sub("", page))
    reader.close()
    reader.flush()
    return [section for section in reader.sections if section.heading or section.text]


class _Reader(HTMLParser):
    """Gathers a page's text by section; navigation and code are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections = [Section("", "")]
        self._words: list[str] = []
        self._skipping: list[str] = []
        self._heading: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a section at a heading, and a sentence at what begins on a line of its own."""
        known = dict(attrs)
        if self._skipping or tag in _SKIPPED or _is_code(tag, known.get("class") or ""):
            if tag not in _VOID:
                self._skipping.append(tag)
            return
        if tag in _HEADINGS:
            self.flush()
            self._heading = tag
            self.sections.append(Section("", known.get("id") or ""))
        elif tag in _BREAKS:
            self.flush()
        if tag == "img" and known.get("alt"):
            self.sections[-1].parts.append(" ".join(str(known["alt"]).split()))

    def handle_endtag(self, tag: str) -> None:
        """End what was begun."""
        if self._skipping:
            while self._skipping and self._skipping.pop() != tag:
                pass
        elif tag == self._heading or tag in _BREAKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        """Keep a piece of text."""
        if not self._skipping:
            self._words.append(data)

    def flush(self) -> None:
        """Put the words read so far where they belong."""
        text = " ".join("".join(self._words).split())
        self._words = []
        section = self.sections[-1]
        if self._heading is not None:
            section.heading = f"{section.heading} {text}".strip()
            self._heading = None
        elif text:
            section.parts.append(text)


def _is_code(tag: str, classes: str) -> bool:
    """Return whether an element holds code, or what is only for those who cannot see the page."""
    named = set(classes.split())
    return (tag == "details" and bool(named & {"code", "messages"})) or "skip" in named
