from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from gristmill.evaluation.explanation.effects import directions, interaction_table, interactions, partial_dependence, value_text
from gristmill.evaluation.explanation.shapley import shapley_values


def table(n_rows=60, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "tenure": rng.integers(0, 72, n_rows),
            "contract": rng.choice(["Month-to-month", "Two year"], n_rows),
            "fee": rng.normal(size=n_rows),
            "idle": rng.normal(size=n_rows),
        }
    )


def additive(rows):
    return -0.1 * rows["tenure"].to_numpy() + 2.0 * (rows["contract"] == "Two year").to_numpy() + rows["fee"].to_numpy()


def together(rows):
    return additive(rows) + 3.0 * rows["fee"].to_numpy() * (rows["contract"] == "Two year").to_numpy()


def test_directions_are_told_in_words():
    rows = table()
    found = directions(shapley_values(additive, rows, table(seed=1), max_rounds=2), rows)
    assert found == {
        "tenure": "higher values lower",
        "contract": "Two year raises, Month-to-month lowers",
        "fee": "higher values raise",
        "idle": "moves nothing",
    }


def test_levels_of_single_rows_are_not_named():
    rows = pd.DataFrame({"note": [f"text {number}" for number in range(30)]})
    found = directions(shapley_values(lambda frame: frame["note"].str.len().to_numpy(float), rows, rows, max_rounds=2), rows)
    assert found["note"] == "differs from value to value"


def test_a_column_that_rises_and_falls_has_no_direction():
    rows = pd.DataFrame({"x": np.linspace(-3, 3, 61)})
    found = directions(shapley_values(lambda frame: frame["x"].to_numpy() ** 2, rows, rows, max_rounds=2), rows)
    assert found["x"] == "higher values neither raise nor lower throughout"


def test_of_several_classes_the_one_a_column_moves_most_is_named():
    def shares(rows):
        low = 0.2 + 0.005 * rows["tenure"].to_numpy()
        return np.column_stack([low, (1 - low) * 0.3, (1 - low) * 0.7])

    rows = table()
    found = directions(shapley_values(shares, rows, table(seed=1), max_rounds=1), rows, ["a", "b", "c"])
    assert found["tenure"] == "higher values raise (for a)"


def test_a_curve_is_the_mean_prediction_with_the_column_set():
    rows, background = table(), table(seed=1)
    contract, fee = partial_dependence(additive, rows, background, ["contract", "fee"])
    for value, mean in zip(contract["values"], contract["mean"], strict=True):
        assert mean == pytest.approx(additive(rows.assign(contract=value)).mean())
    assert fee["kind"] == "ordered"
    assert np.diff(fee["mean"]) == pytest.approx(np.diff(fee["position"]))
    assert np.array(fee["ice"]).shape == (20, len(fee["values"]))
    assert (np.array(fee["low"]) < fee["mean"]).all()


def test_missing_levels_and_dates_have_places_on_a_curve():
    rows = pd.DataFrame({"plan": ["a", None] * 10, "day": pd.date_range("2024-01-01", periods=20)})
    plan, day = partial_dependence(lambda frame: frame["plan"].isna().to_numpy().astype(float), rows, rows, ["plan", "day"])
    assert dict(zip(plan["values"], plan["mean"], strict=True)) == {"a": 0.0, "(missing)": 1.0}
    assert day["values"][0] == "2024-01-01"
    assert (np.diff(day["position"]) > 0).all()


def test_an_additive_model_has_no_interactions():
    found = interactions(additive, table(), table(seed=1), ["tenure", "contract", "fee"])
    assert [pair["strength"] for pair in found] == pytest.approx([0.0] * 3, abs=1e-12)


def test_columns_that_act_together_come_first():
    found = interactions(together, table(), table(seed=1), ["tenure", "contract", "fee", "idle"])
    assert found[0]["features"] == ["contract", "fee"]
    assert found[0]["strength"] > 0.5
    assert max(pair["strength"] for pair in found[1:]) < 1e-12
    assert interaction_table(found).index[0] == "contract and fee"


def test_strength_is_the_interaction_index_of_the_definition():
    def model(rows):
        return rows["a"].to_numpy() * rows["b"].to_numpy() * (1 + rows["c"].to_numpy())

    rng = np.random.default_rng(0)
    rows, background = (pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc")) for n in (4, 5))
    exact = []
    for row in range(len(rows)):

        def value(known, row=row):
            return model(background.assign(**{name: rows[name].iloc[row] for name in known})).mean()

        index = 0.0
        for size in range(2):
            for rest in combinations(["c"], size):
                weight = factorial(size) * factorial(1 - size) / factorial(2)
                index += weight * (value([*rest, "a", "b"]) - value([*rest, "a"]) - value([*rest, "b"]) + value(rest))
        exact.append(abs(index))
    (found,) = interactions(model, rows, background, ["a", "b"], draws=8000)
    assert found["strength"] == pytest.approx(np.mean(exact), rel=0.1)


def test_values_read_as_in_the_table():
    assert [value_text(value) for value in (3, 2.5, "01", None, np.nan, True, pd.Timestamp("2024-05-06"))] == [
        "3", "2.5", "01", "", "", "True", "2024-05-06",
    ]  # fmt: skip
