"""Markdown to HTML for pages: tables and links, no mathematics, and raw HTML shown as text.

Text that was computed from data may hold any name; a column called ``<script>`` has to stay a name.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any

import mistune
from markupsafe import Markup

from gristmill.reporting.tables import scoped

SCROLL_BOX = '<div class="scroll" tabindex="0" role="group" aria-label="Table, scrolls sideways where it is wide">'
"""What a table stands in: whoever has no pointer has to be able to scroll it."""

_HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@cache
def _parser() -> Any:
    """Return the one parser, made at first use."""
    return mistune.create_markdown(escape=True, plugins=["table", "strikethrough", "task_lists"])


def to_html(text: str) -> Markup:
    """Return the HTML of a Markdown text; an image is shown only if its data is in the text."""
    html = str(_parser()(text))
    html = re.sub(r'<img src="(?!data:image/)[^"]*"', '<img src="#"', html)
    html = scoped(html).replace("<table>", f"{SCROLL_BOX}<table>").replace("</table>", "</table></div>")
    return Markup(html)  # noqa: S704 - the parser escaped every raw tag


def anchor(text: str) -> str:
    """Return the anchor of a heading: its words in lower case, joined by dashes."""
    return "-".join(re.findall(r"\w+", text.lower())) or "section"


def _numbered(name: str) -> Iterator[str]:
    """Yield ``name``, then ``name-2``, ``name-3`` and so on."""
    yield name
    for number in count(2):
        yield f"{name}-{number}"


def with_anchors(html: Markup, taken: set[str] | None = None) -> tuple[Markup, list[dict[str, str]]]:
    """Return ``html`` with an ``id`` on every second-level heading, and those headings as ``text`` and ``anchor``.

    Parameters
    ----------
    html
        A part of a page.
    taken
        Anchors of the page's other parts; the new ones are added to it.
    """
    known = set() if taken is None else taken
    sections: list[dict[str, str]] = []

    def mark(match: re.Match[str]) -> str:
        text = Markup(_TAG.sub("", match.group(1))).unescape()  # noqa: S704 - turned into plain text
        name = next(free for free in _numbered(anchor(text)) if free not in known)
        known.add(name)
        sections.append({"text": text, "anchor": name})
        return f'<h2 id="{name}">{match.group(1)}</h2>'

    return Markup(_HEADING.sub(mark, str(html))), sections  # noqa: S704 - as safe as it came
