"""Texts from data stay texts in Markdown, on one line, with their characters."""

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill.evaluation.card.text import code, escape_text, listed, measured, on_one_line, plural, table

SHOWN = [
    "<script>x</script>",
    "a|b",
    "*c*",
    "_d_",
    "__d__",
    "[e](f)",
    "# g",
    "- h",
    "1. i",
    "~~j~~",
    "`k`",
    "&lt;",
    "> l",
    "snake_case",
    "\\m",
]


def text_of(markdown: str) -> str:
    """Return what a reader sees of a Markdown text, as HTML."""
    return str(mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])(markdown)).strip()


@pytest.mark.parametrize("value", SHOWN)
def test_a_text_is_shown_as_it_is(value: str) -> None:
    assert text_of(escape_text(value)) == f"<p>{mistune.escape(value)}</p>"


@given(st.text(max_size=30))
def test_any_text_stays_one_paragraph_and_one_cell(value: str) -> None:
    line = on_one_line(value)
    shown = text_of(f"x {escape_text(value)}")
    assert shown.startswith("<p>x")
    assert shown.count("<") == 2 + shown.count("<br")
    rendered = text_of(table(("a", "b"), [(escape_text(value), code(value))]))
    assert rendered.count("<td>") == 2, line


def test_lines_controls_and_marks_that_turn_the_reading_are_gone() -> None:
    assert on_one_line("a\nb\r\n c\x1b[31m\u202ed\u2028e\x00") == "a b c[31md e"
    assert on_one_line(None) == ""


def test_names_are_code_unless_code_cannot_hold_them() -> None:
    assert (code("x y"), code("")) == ("`x y`", "*(empty)*")
    assert "<td>a|b</td>" in text_of(table(("name",), [(code("a|b"),)]))
    assert text_of(code("x`y")) == "<p>x`y</p>"


def test_unmeasured_values_are_dashes_and_rounding_is_none() -> None:
    assert measured(None) == measured({"value": None, "low": None, "high": None}) == "\u2013"
    assert measured({"value": 1e-16, "low": 0.0, "high": 2e-16}) == "0.000"
    assert measured({"value": 0.5, "low": 0.25, "high": 0.75, "feature": "plan"}) == "0.500 (0.250\u20130.750)"


def test_long_lists_end_in_a_number_and_counts_agree_with_their_noun() -> None:
    assert listed(["a|", "b", "c"], 2) == "a\\|, b and 1 more"
    assert (plural(1, "row"), plural(1200, "row")) == ("1 row", "1,200 rows")
    assert table(("a",), []) == ""
