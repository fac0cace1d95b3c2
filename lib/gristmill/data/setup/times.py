"""Whether a table has a time by which its rows should be split: later rows testing what was learnt from earlier ones."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from gristmill.data.kinds import is_numeric, parse_dates
from gristmill.data.setup.case_text import Guess

FEWEST_MOMENTS = 20
"""Different times below which a column does not say when a row came about; a split by time would be coarse."""

LARGEST_MOMENT = 0.1
"""Share of the rows that one moment may have: rows are not spread over time if it has more."""

IN_ORDER = 0.98
"""Rank correlation of time and place in the table from which the rows stand in the order of the time."""

_HAPPENED = re.compile(
    r"^(?:(?:event|order|purchase|sale|sold|transaction|trans|tx|created|recorded|observed|observation|measured|visit|pickup|"
    r"departure|flight|trip|admission|invoice|log|time|date|reading)[_ .-]?)?(?:date[_ ]?time|timestamp|time[_ ]hour|time|date|ts|"
    r"at|day)$",
    re.IGNORECASE,
)
_NOT_WHEN = re.compile(r"birth|born|dob|due|expir|end|until|valid|sched|death|update|modif", re.IGNORECASE)


def guess_time(
    rows: pd.DataFrame,
    names: Sequence[str],
    formats: Mapping[str, str | None],
    filled: Mapping[str, bool],
    different: Callable[[str], pd.Series],
) -> Guess | None:
    """Return the time column: set where it says when a row came about, else suggested; None where there is none.

    Parameters
    ----------
    rows
        Rows that are looked at, in the order of the table.
    names
        Columns that hold dates or years.
    formats
        Format of the dates that are text, by column.
    filled
        Whether each column has a value in every row of the table.
    different
        Gives the different values of a column in all rows of the table.
    """
    suggestion: Guess | None = None
    for name in names:
        times = _moments(rows[name], formats[name])
        why = _telling(name, times)
        if why is not None and filled[name]:
            span = _span(_moments(different(name), formats[name]))
            return Guess("time_column", name, [f"{why}; {span}", "so later rows test models trained on earlier ones"])
        if suggestion is None and times.nunique() >= FEWEST_MOMENTS and times.notna().all() and not _NOT_WHEN.search(name):
            said = "uncomment to test on later rows than those trained on"
            suggestion = Guess("time_column", name, f"{said}: nothing says that it is when a row came about", suggested=True)
    return suggestion


def _moments(values: pd.Series, date_format: str | None) -> pd.Series:
    """Return values as moments; years stay numbers."""
    return values if is_numeric(values) else parse_dates(values, date_format)


def _telling(name: str, times: pd.Series) -> str | None:
    """Return why a column says when the rows came about, or None."""
    if times.isna().any() or times.nunique() < FEWEST_MOMENTS or _NOT_WHEN.search(name):
        return None
    if times.value_counts(normalize=True).iloc[0] > LARGEST_MOMENT:
        return None
    if is_numeric(times):
        return None
    if _order(times) >= IN_ORDER:
        return "the rows stand in its order"
    return "by its name it says when a row came about" if _HAPPENED.match(name.strip()) else None


def _order(times: pd.Series) -> float:
    """Return the rank correlation of times and places."""
    return float(np.corrcoef(times.rank(), np.arange(len(times)))[0, 1])


def _span(times: pd.Series) -> str:
    """Say from when to when, in how many moments."""
    return f"{times.nunique():,} moments from {times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}"
