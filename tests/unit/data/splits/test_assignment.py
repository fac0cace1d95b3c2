"""Splits: made once, the same whatever the order of the rows, and no row on two sides (R10, R11)."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.data.conftest import keyed

from gristmill.config.case import Case
from gristmill.data.splits import assignment
from gristmill.errors import DataError


def case(**keys) -> Case:
    content = {"name": "small", "task": "multiclass", "source": "x", "target": "y", **keys}
    return Case.model_validate(content)


def table(n_rows: int = 300, seed: int = 0, shares=(0.7, 0.2, 0.1)) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.arange(n_rows) * 3 + 1, "a": random.normal(size=n_rows), "b": random.integers(0, 9, n_rows)})
    frame["y"] = random.choice(["x", "y", "z"], n_rows, p=shares)
    return frame


def assign(frame: pd.DataFrame, one: Case) -> pd.DataFrame:
    return assignment.assign(keyed(frame, one), one)


def test_keys_are_the_identifiers_where_they_name_every_row():
    frame = pd.DataFrame({"id": [3, 1, 2], "a": [0, 0, 0]})
    assert assignment.row_keys(frame, ["id"]).tolist() == ["3", "1", "2"]
    assert assignment.row_keys(frame, ["id"]).name == "row_key"


def test_keys_of_several_identifiers_cannot_be_confused():
    frame = pd.DataFrame({"one": ["a|", "a"], "other": ["b", "|b"]})
    assert assignment.row_keys(frame, ["one", "other"]).is_unique


@pytest.mark.parametrize("ids", [[1, 1, 2], [1, None, 2]])
def test_keys_come_from_the_content_where_identifiers_are_shared_or_missing(ids):
    frame = pd.DataFrame({"id": ids, "a": ["p", "q", "r"]})
    keys = assignment.row_keys(frame, ["id"])
    assert keys.is_unique
    assert len(keys[0]) == 16


def test_identical_rows_are_numbered():
    keys = assignment.row_keys(pd.DataFrame({"a": [1, 2, 1, 1]}))
    assert keys[2] == f"{keys[0]}-2"
    assert keys[3] == f"{keys[0]}-3"


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["p", "q", None])), min_size=1, max_size=30), st.randoms())
def test_a_key_does_not_depend_on_where_a_row_stands(rows, random):
    frame = pd.DataFrame(rows, columns=["a", "b"])
    order = list(range(len(frame)))
    random.shuffle(order)
    assert sorted(assignment.row_keys(frame)) == sorted(assignment.row_keys(frame.iloc[order]))
    assert assignment.row_keys(frame).is_unique


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_every_row_is_on_one_side_and_each_side_has_its_share(task):
    frame = table().assign(y=lambda rows: rows["a"] if task == "regression" else rows["y"])
    split = assign(frame, case(task=task, id_columns=["id"]))
    assert split.index.is_unique
    assert set(split["split"]) == {"train", "test"}
    assert abs((split["split"] == "test").sum() - 60) <= 2
    assert split.loc[split["split"] == "test", "fold"].isna().all()
    assert sorted(split["fold"].dropna().unique()) == [0, 1, 2, 3, 4]


def test_a_stratified_split_gives_each_part_its_share_of_each_class():
    frame = table()
    split = assign(frame, case(id_columns=["id"]))
    counts = pd.crosstab(split["fold"].astype("float").fillna(-9).to_numpy(), frame["y"])
    assert (counts.loc[0:].max() - counts.loc[0:].min()).max() <= 2
    assert (counts.loc[-9] - frame["y"].value_counts() * 0.2).abs().max() <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 120), st.integers(0, 1000), st.integers(1, 4))
def test_the_split_does_not_depend_on_the_order_of_rows_and_keeps_identical_features_together(n_rows, seed, copies):
    frame = pd.concat([table(n_rows, seed, (0.4, 0.3, 0.3))] * copies, ignore_index=True).assign(id=lambda rows: range(len(rows)))
    one = case(id_columns=["id"])
    split = assign(frame, one)
    mixed = assign(frame.sample(frac=1, random_state=seed), one)
    pd.testing.assert_frame_equal(split, mixed.loc[split.index])
    place = split["split"] + split["fold"].astype("string").fillna("")
    assert place.groupby([frame["a"].to_numpy(), frame["b"].to_numpy()]).nunique().max() == 1


def test_another_seed_gives_another_split():
    frame = table()
    one, other = (assign(frame, case(id_columns=["id"], split={"random_state": seed})) for seed in (1, 2))
    assert (one["split"] != other["split"]).any()


def test_the_target_has_no_say_in_where_a_row_of_a_regression_goes():
    frame = table().assign(y=1.0)
    one = case(task="regression", id_columns=["id"])
    pd.testing.assert_frame_equal(assign(frame, one), assign(frame.assign(y=np.arange(300.0)), one))


def test_rows_of_few_combinations_of_features_are_divided_one_by_one():
    frame = pd.DataFrame({"id": range(400), "a": [0, 1] * 200, "y": ["x", "x", "y", "y"] * 100})
    split = assign(frame, case(id_columns=["id"]))
    assert (split["split"] == "test").sum() == 80
    assert pd.crosstab(split["split"].to_numpy(), frame["y"]).loc["test"].tolist() == [40, 40]


def test_a_hold_out_set_is_fold_zero_and_the_rest_is_never_validated():
    split = assign(table(), case(id_columns=["id"], split={"validation_size": 0.25}))
    counts = split["fold"].value_counts()
    assert counts.index.tolist() == [-1, 0]
    assert abs(counts[0] - 60) <= 2


def test_groups_stay_on_one_side_and_in_one_fold():
    frame = table().assign(g=lambda rows: np.arange(len(rows)) % 40)
    split = assign(frame, case(id_columns=["id"], group_column="g"))
    place = split["split"] + split["fold"].astype("string").fillna("")
    assert place.groupby(frame["g"].to_numpy()).nunique().max() == 1
    assert 0.15 < (split["split"] == "test").mean() < 0.25


def test_a_missing_group_is_refused():
    frame = table().assign(g=lambda rows: rows["b"].where(rows.index > 2))
    with pytest.raises(DataError, match="'g' is missing in 3 rows"):
        assign(frame, case(group_column="g"))


def test_a_single_group_is_refused():
    with pytest.raises(DataError, match=r"at least two groups|absent from the test rows"):
        assign(table().assign(g="one"), case(group_column="g"))


@pytest.mark.parametrize("text", [False, True])
def test_a_split_by_time_tests_on_the_latest_and_validates_on_later_blocks(text):
    days = pd.date_range("2024-01-01", periods=150).repeat(2)
    frame = table().assign(t=days.strftime("%Y-%m-%d") if text else days).sample(frac=1, random_state=1)
    split = assign(frame, case(id_columns=["id"], time_column="t"))
    when = pd.to_datetime(frame["t"]).to_numpy()
    part = split["fold"].astype("float").fillna(9).to_numpy()
    ends = pd.Series(when).groupby(part).agg(["min", "max"])
    assert ends.index.tolist() == [-1, 0, 1, 2, 3, 4, 9]
    assert (ends["min"].iloc[1:].to_numpy() > ends["max"].iloc[:-1].to_numpy()).all()
    assert (split["split"] == "test").sum() == 60


def test_equal_times_are_never_divided():
    frame = table().assign(t=lambda rows: np.repeat([2020, 2021, 2022], 100))
    split = assign(frame, case(id_columns=["id"], time_column="t"))
    place = split["split"] + split["fold"].astype("string").fillna("")
    assert place.groupby(frame["t"].to_numpy()).nunique().max() == 1
    assert set(split["fold"].dropna()) == {-1, 0}


def test_too_few_times_are_refused():
    with pytest.raises(DataError, match="too few for a split by time"):
        assign(table().assign(t=lambda rows: np.repeat([2020, 2021], 150)), case(time_column="t"))


def test_a_time_that_cannot_be_read_is_refused():
    frame = table().assign(t=["2024-01-01"] * 299 + ["soon"])
    with pytest.raises(DataError, match="1 values that are missing or not a time, such as 'soon'"):
        assign(frame, case(time_column="t"))


def test_blocks_are_joined_until_the_first_model_sees_every_class():
    frame = table().assign(t=range(300), y=lambda rows: np.where(rows.index < 100, "x", np.where(rows.index % 2, "x", "y")))
    split = assign(frame, case(id_columns=["id"], time_column="t"))
    first = frame["y"].to_numpy()[(split["fold"] == -1).fillna(value=False).to_numpy(dtype=bool)]
    assert set(first) == {"x", "y"}


def test_a_class_that_appears_too_late_is_refused():
    frame = table().assign(t=range(300), y=lambda rows: np.where(rows.index < 280, "x", "y"))
    with pytest.raises(DataError, match="'y' of 'y' appears too late"):
        assign(frame, case(time_column="t"))


@pytest.mark.parametrize("count", [1, 2])
def test_a_class_with_too_few_rows_is_refused(count):
    frame = table().assign(y=["rare"] * count + ["x"] * 150 + ["y"] * (150 - count))
    with pytest.raises(DataError, match=f"'rare' of the target column 'y' has {count} row"):
        assign(frame, case())


def test_a_class_with_fewer_rows_than_folds_lowers_their_number():
    frame = table().assign(y=["rare"] * 4 + ["x"] * 296)
    split = assign(frame, case(id_columns=["id"]))
    rare = split.iloc[:4]
    assert (rare["split"] == "test").sum() == 1
    assert split["fold"].max() + 1 == 3
    assert rare["fold"].dropna().nunique() == 3


def test_a_given_test_table_is_the_test_set_and_every_row_is_for_training():
    one = case(id_columns=["id"], split={"test_source": "other.csv"})
    frame, other = keyed(table(), one), table(50, seed=1)
    other = other.set_axis(assignment.row_keys(other, ["id"], prefix="test-"))
    split = assignment.assign(frame, one, other)
    assert (split.loc[frame.index, "split"] == "train").all()
    assert (split.loc[other.index, "split"] == "test").all()
    assert split.index.is_unique


def test_folds_of_cross_validation_train_on_all_other_rows():
    pairs = assignment.cross_validation(np.array([0, 1, -1, 0]), "stratified")
    assert [(train.tolist(), valid.tolist()) for train, valid in pairs] == [([1, 2], [0, 3]), ([0, 2, 3], [1])]


def test_folds_in_time_train_on_earlier_rows_only():
    pairs = assignment.cross_validation(pd.Series([-1, 0, 1, 1], dtype="Int64"), "time")
    assert [(train.tolist(), valid.tolist()) for train, valid in pairs] == [([0], [1]), ([0, 1], [2, 3])]


def test_a_stratified_group_split_balances_classes_that_lie_in_groups_and_a_group_split_does_not_look_at_them():
    frame = table(600).assign(g=lambda rows: np.arange(len(rows)) // 6)
    frame["y"] = np.where(frame["g"] % 5 == 0, "rare", "common")
    shares = {}
    for strategy in ("stratified_group", "group"):
        split = assign(frame, case(id_columns=["id"], group_column="g", split={"strategy": strategy}))
        place = split["split"] + split["fold"].astype("string").fillna("")
        assert place.groupby(frame["g"].to_numpy()).nunique().max() == 1
        shares[strategy] = (frame["y"] == "rare").groupby(place.to_numpy()).mean()
    assert np.ptp(shares["stratified_group"]) < 0.05 < np.ptp(shares["group"])


def test_groups_are_balanced_by_class_unless_the_case_says_otherwise():
    assert case(group_column="g").split_strategy == "stratified_group"
    assert case(group_column="g", task="regression").split_strategy == "group"


HOURS = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(300), unit="h")


@pytest.mark.parametrize(
    ("gap", "times"), [("12 hours", HOURS), ("0.5 days", HOURS.strftime("%Y-%m-%d %H:%M")), (12, np.arange(300))]
)
def test_rows_in_the_gap_before_a_block_are_used_by_nobody(gap, times):
    frame = table().assign(t=times, hour=np.arange(300)).sample(frac=1, random_state=1)
    one = case(id_columns=["id"], time_column="t", split={"gap": gap, "n_splits": 3})
    split = assign(frame, one)
    hour = frame["hour"].to_numpy()
    assert (split["split"] == "gap").sum() == 4 * 11
    assert split.loc[split["split"] == "gap", "fold"].isna().all()
    training = (split["split"] == "train").to_numpy()
    for train, valid in assignment.cross_validation(split["fold"][training], "time"):
        assert hour[training][valid].min() - hour[training][train].max() == 12
    assert hour[~training & (split["split"] == "test").to_numpy()].min() - hour[training].max() == 12


def test_without_a_gap_every_row_is_used():
    split = assign(table().assign(t=HOURS), case(id_columns=["id"], time_column="t"))
    assert set(split["split"]) == {"train", "test"}


def test_a_gap_lies_before_a_given_test_table_too():
    one = case(id_columns=["id"], time_column="t", split={"gap": "12 hours", "test_source": "later.csv"})
    frame = keyed(table().assign(t=HOURS), one)
    test = keyed(table(40, seed=1).assign(t=HOURS[:40] + pd.Timedelta(hours=302)), one)
    split = assignment.assign(frame, one, test.set_axis("test-" + test.index))
    latest = frame["t"][(split.loc[frame.index, "split"] == "train").to_numpy()].max()
    assert test["t"].min() - latest == pd.Timedelta(hours=12)


def test_a_gap_wider_than_a_block_is_refused():
    with pytest.raises(DataError, match=r"`split.gap: 3 days` leaves no row.*fewer `split.n_splits`"):
        assign(table().assign(t=HOURS), case(id_columns=["id"], time_column="t", split={"gap": "3 days"}))


@pytest.mark.parametrize(
    ("gap", "times", "said"), [("7 days", np.arange(300), "Expected a number in `split.gap`"), (7, HOURS, "Expected a duration")]
)
def test_a_gap_in_another_unit_than_the_times_is_refused(gap, times, said):
    with pytest.raises(DataError, match=said):
        assign(table().assign(t=times), case(id_columns=["id"], time_column="t", split={"gap": gap}))
