"""Changes of rows: what they make of each kind of column, and what is refused (R28)."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.data.contract.test_conditions import CONTRACT, FRAME, column

from gristmill.data.contract.changes import read_changes
from gristmill.errors import DataError


def applied(name, change, contract=CONTRACT):
    (read,) = read_changes({name: change}, contract, "here")
    values, moved = read.resolved(FRAME[name]).apply(FRAME[name], np.random.default_rng(0))
    return values, moved.tolist()


def test_a_step_moves_numbers_and_leaves_those_that_would_leave_the_known_range():
    values, moved = applied("age", "up 12")
    assert moved == [True, True, False, False]
    assert values.tolist()[:2] == [30, 42]
    assert values.tolist()[3] == 65
    assert applied("age", "down 10%")[0].tolist()[3] == 58.5


def test_a_step_without_a_size_is_half_the_distance_between_the_quartiles():
    (read,) = read_changes({"age": "up"}, CONTRACT, "here")
    values = pd.Series(np.arange(18.0, 66.0))
    assert read.resolved(values).step == pytest.approx(11.75)
    assert read.resolved(values).text == "age up 11.75"
    assert read_changes({"age": "down"}, CONTRACT, "here")[0].resolved(values).step == pytest.approx(-11.75)


def test_whole_numbers_stay_whole():
    contract = {**CONTRACT, "columns": [column("age", "numeric", minimum=0.0, maximum=99.0, dtype="int64")]}
    assert applied("age", "up 10%", contract)[0].tolist()[:2] == [20, 33]


def test_dates_move_by_durations_and_can_be_put():
    values, moved = applied("since", "down 30 days")
    assert (values[1], moved) == (pd.Timestamp("2021-05-31"), [False, True, False, True])
    assert applied("since", "2022-02-02")[0].tolist() == [pd.Timestamp("2022-02-02")] * 4


@pytest.mark.parametrize(
    ("name", "change", "values", "moved"),
    [
        ("plan", "gold", ["gold"] * 4, [True, True, False, True]),
        ("member", False, [False] * 4, [True, False, True, True]),
        ("age", 30, [30] * 4, [True, False, True, True]),
    ],
)
def test_a_value_is_put_into_every_row_and_counts_where_it_is_another(name, change, values, moved):
    assert (applied(name, change)[0].tolist(), applied(name, change)[1]) == (values, moved)


@pytest.mark.parametrize("name", ["age", "plan", "member", "since"])
def test_any_is_another_value_of_the_column(name):
    values, moved = applied(name, "any")
    assert all(moved)
    assert set(values) <= set(FRAME[name].dropna())
    assert not (values == FRAME[name]).any()


@pytest.mark.parametrize("name", list(FRAME.columns))
def test_missing_empties_the_column(name):
    values, moved = applied(name, "missing")
    assert values.isna().all()
    assert moved == FRAME[name].notna().tolist()


def test_a_typing_error_swaps_two_letters_of_texts_that_are_long_enough():
    contract = {**CONTRACT, "columns": [column("note", "text")]}
    (read,) = read_changes({"note": "typo"}, contract, "here")
    before = pd.Series(["good service", "ab", None, "1234567"])
    after, moved = read.apply(before, np.random.default_rng(1))
    assert moved.tolist() == [True, False, False, False]
    assert after[0] != before[0]
    assert sorted(after[0]) == sorted(before[0])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("agee", "up", "did you mean 'age'?"),
        ("age", "upwards", "expected a number, `up`, `down`, `up 12`, `down 10%`, `any` or `missing`"),
        ("age", "up much", "expected a number or a share such as `10%` above zero after `up` or `down`, got 'much'"),
        ("age", "up 0", "above zero"),
        ("since", "up 3", "expected a duration such as `7 days` after `up` or `down`, got '3'"),
        ("plan", "up", "expected one of its values, `any` or `missing` for the categorical column 'plan', got 'up'"),
        ("plan", "gould", "did you mean 'gold'?"),
        ("note", "hello", "expected `any`, `missing` or `typo`"),
        ("churn", "Yes", "names the target"),
    ],
)
def test_a_change_that_a_column_does_not_know_is_refused_in_words(name, change, message):
    with pytest.raises(DataError) as error:
        read_changes({name: change}, CONTRACT, "here")
    assert message in str(error.value)
