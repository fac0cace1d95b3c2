"""Near-duplicates across the split, and a test table from elsewhere, are warned of (R11)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import infer
from gristmill.data.leakage.similarity import near_duplicates, unlike

N = 600


@pytest.fixture
def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    numbers = {name: random.normal(size=N) for name in "abc"}
    return pd.DataFrame({**numbers, "plan": random.choice(["p", "q", "r"], N), "y": random.choice(["yes", "no"], N)})


def with_near(frame: pd.DataFrame, change) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return training rows, and test rows of which fifty are changed copies of them."""
    train, test = frame.iloc[:450], frame.iloc[450:]
    copies = change(train.iloc[:50].copy())
    test = pd.concat([test, copies])
    return train.set_axis([f"t{n}" for n in range(len(train))]), test.set_axis([f"s{n}" for n in range(len(test))])


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.assign(a=rows["a"] + 1),
        lambda rows: rows.assign(plan="q"),
        lambda rows: rows.assign(a=rows["a"] * 1.0001, b=rows["b"] - 1e-4, c=rows["c"] + 1e-4),
    ],
    ids=["one number differs", "one level differs", "all numbers hardly differ"],
)
def test_near_duplicates_across_the_split_are_counted_with_an_example(frame, make_case, change):
    train, test = with_near(frame, change)
    found = near_duplicates(train, test, infer(train, make_case()))
    assert (found.passed, found.severity) == (False, "warn")
    assert 30 <= found.count <= 51
    one, other = found.examples
    assert (one[0], other[0]) == ("s", "t")
    assert train.loc[other, "a":"c"].sub(test.loc[one, "a":"c"]).abs().lt(1e-3).sum() >= 2


def test_rows_that_are_alike_by_chance_are_not(frame, make_case):
    train, test = frame.iloc[:450], frame.iloc[450:]
    assert near_duplicates(train, test, infer(frame, make_case())).count == 0
    few = frame.assign(a=frame["a"].round(), b=frame["b"].round(), c=1)
    assert near_duplicates(few.iloc[:450], few.iloc[450:], infer(few, make_case())).passed


def test_copies_are_not_counted_as_near(frame, make_case):
    train, test = with_near(frame, lambda rows: rows)
    assert near_duplicates(train, test, infer(train, make_case())).count == 0


def test_a_test_table_from_elsewhere_is_told_apart_by_its_column(frame, make_case):
    train, test = frame.iloc[:400], frame.iloc[400:]
    contract = infer(frame, make_case())
    assert unlike(train, test, contract).passed
    found = unlike(train, test.assign(b=test["b"] + 2), contract)
    assert (found.passed, found.severity, found.column) == (False, "warn", "b")


def test_too_few_rows_are_not_told_apart(frame, make_case):
    assert unlike(frame.iloc[:400], frame.iloc[400:450].assign(b=9.0), infer(frame, make_case())).passed
