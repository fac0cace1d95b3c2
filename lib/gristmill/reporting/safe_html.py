"""Making the HTML of a notebook's outputs safe to show: no script, and nothing loaded from the network.

Tables and figures in outputs carry names and values of other people's data. Pandas escapes them; not every library does.
"""

import re
from html import escape
from html.parser import HTMLParser

_DROPPED_WITH_CONTENT = frozenset({"script", "iframe", "object", "embed", "applet", "noscript", "template", "form"})
_DROPPED_TAGS = frozenset({"html", "head", "body", "link", "meta", "base", "input", "button", "textarea", "select"})
_VOID = frozenset({"area", "br", "col", "hr", "img", "source", "track", "wbr"})
_LOADING = frozenset({"src", "srcset", "poster", "data", "background", "xlink:href", "action", "formaction", "ping"})
_REMOTE_STYLE = re.compile(r"@import|expression\s*\(|javascript:|url\s*\(\s*['\"]?\s*(?!['\"]?(?:data:|#))", re.IGNORECASE)


def safe(html: str) -> str:
    """Return ``html`` without scripts, event handlers, forms, frames, or references that would load something.

    Links that a reader may follow stay; images stay when their data is in the page.
    """
    parser = _Sanitizer()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)


class _Sanitizer(HTMLParser):
    """Copies what is allowed into :attr:`parts`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._dropping: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copy a tag that is allowed, with the attributes that are."""
        if tag in _DROPPED_WITH_CONTENT:
            self._dropping.append(tag)
        if self._dropping or tag in _DROPPED_TAGS:
            return
        self._in_style = tag == "style"
        kept = "".join(_attribute(name, value) for name, value in attrs if _allowed(tag, name, value or ""))
        self.parts.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copy a tag that closes itself."""
        if tag in _DROPPED_WITH_CONTENT:
            return
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened."""
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if tag not in _DROPPED_TAGS and tag not in _DROPPED_WITH_CONTENT and tag not in _VOID:
            self._in_style = False
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Copy text, escaped; a style sheet only if it loads nothing."""
        if self._dropping:
            return
        if self._in_style:
            self.parts.append("" if _REMOTE_STYLE.search(data) else data)
        else:
            self.parts.append(escape(data, quote=False))


def _attribute(name: str, value: str | None) -> str:
    """Return an attribute as it is written in a tag."""
    return f" {name}" if value is None else f' {name}="{escape(value)}"'


def _allowed(tag: str, name: str, value: str) -> bool:
    """Return whether an attribute can neither run nor load anything."""
    compact = "".join(value.split()).lower()
    if name.startswith("on") or name == "srcdoc":
        return False
    if name in _LOADING or (name == "href" and tag != "a"):
        return compact.startswith(("data:image/", "#"))
    if name == "href":
        return not compact.startswith(("javascript:", "data:", "vbscript:"))
    if name == "style":
        return _REMOTE_STYLE.search(value) is None
    return True
