"""Mending the tables that pandas and Markdown write.

Text goes to the left and numbers to the right, headers say what they head, and cells that head nothing are no headers.
"""

import re

_TABLE = re.compile(r'<table\b[^>]*class="dataframe[^>]*>.*?</table>', re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(td|th)>(.*?)</\1>", re.DOTALL)
_NUMBER = re.compile(r"[-+\u2212]?[\d.,\u2009 ]*\d(e[-+]?\d+)?( ?%)?|-?inf|NaN|None|&lt;NA&gt;|NaT|\u2013|", re.IGNORECASE)
_HEAD = re.compile(r"<thead\b[^>]*>.*?</thead>", re.DOTALL)
_EMPTY_HEADER = re.compile(r"<th\b([^>]*)>(?:\s|&nbsp;|\u00a0)*</th>")
_HEADER = re.compile(r"<th\b(?![^>]*\bscope=)([^>]*)>")


def scoped(html: str) -> str:
    """Return ``html`` with ``scope`` on the headers of its tables, and plain cells where a header is empty.

    Who hears a table in place of seeing it is told the headers of each cell; an empty one heads nothing.
    """
    html = _EMPTY_HEADER.sub(r"<td\1></td>", html)
    html = _HEAD.sub(lambda match: _HEADER.sub(r'<th scope="col"\1>', match.group()), html)
    return _HEADER.sub(r'<th scope="row"\1>', html)


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
