"""What a column holds: numbers, booleans, dates, levels or free text; and how text is read as any of these."""

import warnings
from typing import Literal

import pandas as pd

Kind = Literal["numeric", "categorical", "boolean", "date", "text"]

DATE_FORMATS = (
    "ISO8601", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%d-%b-%Y",
    "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
)  # fmt: skip
"""Formats that a column of text is tried for; the first under which every value is a date is the column's."""

WORDS_OF_TEXT = 3.0
"""Average words a value above which a column of mostly different texts is free text rather than levels."""

_DATE_LIKE = r"^\s*(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
_EXAMPLES_FIRST = 200
TRUE_TEXTS = frozenset({"true", "t", "yes", "y", "1", "1.0"})
FALSE_TEXTS = frozenset({"false", "f", "no", "n", "0", "0.0"})


def is_numeric(values: pd.Series) -> bool:
    """Return whether a column is stored as numbers; booleans are not."""
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def texts_of(values: pd.Series) -> pd.Series:
    """Return the different values of a column as text, missing ones left out."""
    return pd.Series(values.dropna().astype(str).unique(), dtype=object)


def parse_dates(values: pd.Series, date_format: str | None) -> pd.Series:
    """Return a column as moments in UTC without a zone; what does not fit the format is missing.

    Parameters
    ----------
    values
        Text or dates.
    date_format
        One of :data:`DATE_FORMATS`, or None to read each value by itself.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        parsed = values if values.dt.tz is None else values.dt.tz_convert("UTC").dt.tz_localize(None)
        return parsed.astype("datetime64[us]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "could not infer format": the outcome is checked instead
        parsed = pd.to_datetime(values, format=date_format or "mixed", errors="coerce", utc=True)
    return parsed.dt.tz_localize(None).astype("datetime64[us]")


def find_date_format(values: pd.Series) -> str | None:
    """Return the format under which every text of a column is a date, or None."""
    texts = texts_of(values)
    few = texts.head(_EXAMPLES_FIRST)
    if few.empty or not few.str.match(_DATE_LIKE).all():
        return None
    for date_format in DATE_FORMATS:
        if parse_dates(few, date_format).notna().all() and parse_dates(texts, date_format).notna().all():
            return date_format
    return None


def _is_free_text(values: pd.Series) -> bool:
    """Return whether most values differ and consist of several words."""
    present = values.dropna().astype(str)
    few = present.head(2_000)
    words = few.str.count(r"\S+").mean() if len(few) else 0.0
    return bool(words >= WORDS_OF_TEXT and present.nunique() >= max(20, 0.5 * len(present)))


def kind_of(values: pd.Series) -> tuple[Kind, str | None]:
    """Return what a column holds, and the format of its dates if it holds dates as text.

    A column stored as text is a column of dates if every value is one; numbers and booleans have been told from text when the
    source was read. A column without a value is categorical.
    """
    if pd.api.types.is_bool_dtype(values) or (values.dtype == object and set(values.dropna().map(type)) == {bool}):
        return "boolean", None
    if is_numeric(values):
        return "numeric", None
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date", None
    date_format = find_date_format(values)
    if date_format is not None:
        return "date", date_format
    return ("text" if _is_free_text(values) else "categorical"), None
