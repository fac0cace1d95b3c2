"""A profile of a sample of the rows by ydata-profiling, as one HTML file that loads nothing from the network."""

import contextlib
import html
import io
import re
import warnings
from pathlib import Path

import pandas as pd

from gristmill.data.products import replacing
from gristmill.errors import DataError

MOST_ROWS = 2_000
MOST_COLUMNS = 30
"""Columns profiled: the time goes into their figures."""

_LOADING = re.compile(
    r"<script\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>\s*</script>"
    r"|<link\b[^>]*\bhref\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|<(?:img|iframe|source)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//[^>]*>"
    r"|@import\s+(?:url\()?[\"']?(?:https?:)?//[^;]*;",
    re.IGNORECASE,
)
_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", '"': "”", "'": "’", "&": "＆"})  # noqa: RUF001 - that is the point
_FONT = re.compile(r"url\(\s*[\"']?(?:https?:)?//[^)]*\)", re.IGNORECASE)


def without_network(page: str) -> str:
    """Return an HTML page without the tags and style rules that would load something from another host.

    Links that a reader may follow stay.
    """
    return _FONT.sub("none", _LOADING.sub("", page))


def write(path: Path | str, rows: pd.DataFrame, title: str) -> int:
    """Write the profile of a sample of ``rows`` and return how many rows it has.

    Parameters
    ----------
    path
        The HTML file.
    rows
        Rows to profile; at most 2,000 of them and the first 30 columns are.
    title
        Heading of the page.
    """
    if rows.empty:
        raise DataError("Expected rows to profile, got none. Build the case again: `make run`.")
    sample = rows.sample(min(len(rows), MOST_ROWS), random_state=0).iloc[:, :MOST_COLUMNS].reset_index(drop=True)
    sample = _harmless(sample)
    with replacing(path) as temporary:
        temporary.write_text(without_network(_page(sample, title)), encoding="utf-8")
    return len(sample)


def _harmless(sample: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without the characters by which names and values could become part of the page.

    The library escapes them in most places, but not in all.
    """
    names = [str(name).translate(_LOOKALIKES) for name in sample.columns]
    unique = [name if names.count(name) == 1 else f"{name} ({position})" for position, name in enumerate(names, start=1)]
    shown = sample.set_axis(unique, axis=1)
    for name in unique:
        if shown[name].dtype == object:
            shown[name] = shown[name].map(_translated)
    return shown


def _translated(value: object) -> object:
    """Return a text with lookalikes for the characters of markup, and anything else as it is."""
    return value.translate(_LOOKALIKES) if isinstance(value, str) else value


def _page(sample: pd.DataFrame, title: str) -> str:
    """Return the page that ydata-profiling makes of a few rows."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):  # progress is drawn there whatever one asks
        warnings.simplefilter("ignore")  # the library warns of its own future name, and of fonts
        from ydata_profiling import ProfileReport  # noqa: PLC0415 - five seconds to import

        page: str = ProfileReport(
            sample, title=html.escape(title), minimal=True, progress_bar=False, pool_size=1, samples=None, infer_dtypes=False
        ).to_html()
    return page
