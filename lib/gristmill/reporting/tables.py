"""Aligning the tables that pandas writes: text to the left, numbers to the right, headers over what they head."""

import re

_TABLE = re.compile(r'<table\b[^>]*class="dataframe[^>]*>.*?</table>', re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)>(.*?)</\1>", re.DOTALL)
_NUMBER = re.compile(r"[-+\u2212]?[\d.,\u2009 ]*\d(e[-+]?\d+)?( ?%)?|-?inf|NaN|None|&lt;NA&gt;|NaT|\u2013|", re.IGNORECASE)


def align(html: str) -> str:
    """Return ``html`` with class ``t`` on the cells and headers of text columns in pandas' tables.

    A column is text if any of its cells is. Tables with cells over several rows or columns are left as they are.
    """
    return _TABLE.sub(lambda match: _aligned(match.group()), html)


def _aligned(table: str) -> str:
    """Return one table with its text columns marked."""
    if "span=" in table:
        return table
    body = [_CELL.findall(row) for row in _ROW.findall(table)]
    width = max((len(cells) for cells in body), default=0)
    texts = {
        place
        for cells in body
        if len(cells) == width
        for place, (tag, content) in enumerate(cells)
        if tag == "td" and not _NUMBER.fullmatch(content.strip())
    }
    return _ROW.sub(lambda match: _marked(match.group(), texts), table)


def _marked(row: str, texts: set[int]) -> str:
    """Return one row with class ``t`` on its cells in text columns."""
    places = iter(range(len(row)))
    return _CELL.sub(lambda match: match.group().replace(">", ' class="t">', 1) if next(places) in texts else match.group(), row)
