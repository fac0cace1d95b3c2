"""Tables to be shown in which names and values are texts, whatever characters they hold."""

from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler


def escaped(table: pd.DataFrame | Styler, *args: Any, **options: Any) -> Styler:
    """Return a table for a report whose values, names of rows and names of columns are not taken for HTML.

    pandas escapes the values of a styled table if it is asked to, and never by itself the names of its rows and columns: a level
    called ``<script>`` would take the rest of the table with it.

    Parameters
    ----------
    table
        The table, styled or not.
    args, options
        As for :meth:`pandas.io.formats.style.Styler.format`.
    """
    styled = table if isinstance(table, Styler) else _in_one_header_row(table).style
    shown = styled.format(*args, **{**options, "escape": "html"})
    return shown.format_index(escape="html", axis=0).format_index(escape="html", axis=1)


def table_or(table: pd.DataFrame, otherwise: str) -> Any:
    """Return a table of texts without its index, for a notebook to show; a sentence where it has no rows."""
    if table.empty:
        from IPython.display import Markdown  # noqa: PLC0415 - in a notebook it is there

        return Markdown(otherwise)  # type: ignore[no-untyped-call]
    left: Any = {"selector": "th, td", "props": [("text-align", "left")]}
    return escaped(table.style.hide(axis="index").set_table_styles([left]))


def _in_one_header_row(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose row names are named in the same line as its columns, not in an otherwise empty one below them."""
    if table.index.nlevels > 1 or table.columns.nlevels > 1 or table.index.name is None or table.columns.name is not None:
        return table
    return table.set_axis(table.columns.rename(table.index.name), axis=1).set_axis(table.index.rename(None))
