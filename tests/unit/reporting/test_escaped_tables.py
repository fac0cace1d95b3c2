"""Names of rows and columns are texts in reports."""

import pandas as pd
import pytest

from gristmill.reporting.escaped_tables import escaped
from gristmill.reporting.safe_html import safe

HOSTILE = pd.DataFrame({"<b>n": ["<i>v", "last"]}, index=["<script>", "after & it"])


@pytest.mark.parametrize("table", [HOSTILE, HOSTILE.style.set_caption("styled")])
def test_hostile_names_and_values_are_shown_and_swallow_nothing(table: pd.DataFrame) -> None:
    shown = safe(escaped(table, na_rep="").to_html())
    for text in ("&lt;script&gt;", "&lt;b&gt;n", "&lt;i&gt;v", "after &amp; it", "last"):
        assert text in shown


def test_rows_and_columns_of_several_levels_are_escaped() -> None:
    table = HOSTILE.set_axis(pd.MultiIndex.from_tuples([("<u>a", 1), ("<u>b", 2)])).T
    shown = escaped(table).to_html()
    assert "<u>" not in shown
    assert "&lt;u&gt;b" in shown


def test_numbers_are_formatted_as_asked() -> None:
    assert "1,234.50" in escaped(pd.DataFrame({"n": [1234.5]}), {"n": "{:,.2f}"}).to_html()
