import numpy as np
import pandas as pd
import pytest

from gristmill.evaluation.explanation.local_reasons import LocalExplainer, column_levels, overlap, same_signs


def table(n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "contract": rng.choice(["Month-to-month", "Two year"], n_rows),
            "tenure": rng.integers(0, 72, n_rows),
            "fee": np.where(rng.random(n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
            "idle": rng.choice(["u", "v", "w"], n_rows),
        }
    )


def predict(rows):
    score = (
        2.0 * (rows["contract"] == "Month-to-month").to_numpy() - 0.05 * rows["tenure"].to_numpy() + rows["fee"].isna().to_numpy()
    )
    return np.column_stack([1 - 1 / (1 + np.exp(-score)), 1 / (1 + np.exp(-score))])


def test_numbers_become_quartiles_named_by_their_bounds():
    levels = column_levels(pd.Series(np.arange(100), name="tenure"))
    assert levels.conditions[:4] == ["tenure ≤ 24.75", "24.75 < tenure ≤ 49.5", "49.5 < tenure ≤ 74.25", "tenure > 74.25"]
    assert np.bincount(levels.codes).tolist() == [25, 25, 25, 25]


def test_missing_values_are_a_level_of_their_own():
    numbers = column_levels(pd.Series([*range(20), None], name="fee", dtype="float"))
    assert numbers.conditions[numbers.codes[-1]] == "fee is missing"
    names = column_levels(pd.Series(["a", None], name="plan"))
    assert names.conditions[names.codes[1]] == "plan is missing"


def test_rare_levels_are_pooled():
    levels = column_levels(pd.Series([f"v{number}" for number in range(50)], name="zip"))
    assert levels.conditions[levels.codes.max()] == "zip is a rarer level"


def test_dates_and_truth_values_read_as_conditions():
    days = column_levels(pd.Series(pd.date_range("2024-01-01", periods=41), name="day"))
    assert days.conditions[0] == "day ≤ 2024-01-11"
    flags = column_levels(pd.Series([True, False], name="flag"))
    assert flags.conditions[flags.codes[0]] == "flag = True"


def test_reasons_are_conditions_on_the_raw_table_with_the_right_sign():
    rows = table()
    row = int(np.flatnonzero((rows["contract"] == "Month-to-month") & (rows["tenure"] > 60) & rows["fee"].notna())[0])
    found = LocalExplainer(predict, rows, table(300, 1)).explain(row, output=1)
    weights = {reason: weight for _, reason, weight in found.reasons}
    assert weights["contract = Month-to-month"] > 0.1
    tenure = next(reason for reason in weights if "tenure" in reason)
    assert weights[tenure] < -0.1
    assert abs(found.reasons[-1][2]) < 0.05


def test_numbers_can_be_explained_too():
    rows = table()
    found = LocalExplainer(lambda X: predict(X)[:, 1] * 100, rows, table(200, 1)).explain(0)
    assert found.output == 0
    assert len(found.reasons) == 4


def test_the_most_probable_class_is_explained_by_default():
    rows = table()
    row = int(predict(rows)[:, 0].argmax())
    assert LocalExplainer(predict, rows, table(200, 1)).explain(row).output == 0


def test_the_same_seed_gives_the_same_reasons():
    rows = table(60)
    one, same = (LocalExplainer(predict, rows, table(100, 1), random_state=3).explain(2) for _ in range(2))
    assert one == same


def test_overlap_is_one_for_the_same_and_zero_for_other_columns():
    first, other = np.array([5.0, 4, 0, 0]), np.array([0, 0, 4.0, 5])
    assert overlap([first, first], top=2) == 1.0
    assert overlap([first, other], top=2) == 0.0
    assert overlap([first, first, other], top=2) == pytest.approx(1 / 3)


def test_signs_agree_where_repetitions_push_the_same_way():
    first, other = np.array([5.0, 4, 1, 0]), np.array([5.0, -4, 0, 1])
    assert same_signs([first, first], top=2) == 1.0
    assert same_signs([first, other], top=2) == 0.5
    assert same_signs([np.array([1.0, 0]), np.array([0, 1.0])], top=1) == 1.0


def test_reasons_of_a_model_with_clear_effects_are_stable():
    found = LocalExplainer(predict, table(), table(300, 1)).explain(0, output=1)
    assert found.stability == 1.0
    assert found.sign_agreement > 0.8
