"""A row that was assigned stays where it is in every later snapshot; new rows fill the quotas (R10)."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from tests.unit.data.conftest import keyed

from gristmill.config.case import Case
from gristmill.data.splits import account, assignment, stored
from gristmill.errors import ArtifactError, DataError
from gristmill.paths import CasePaths, ProjectPaths

URI = "rows.csv"


def case(**keys) -> Case:
    return Case.model_validate({"name": "small", "task": "multiclass", "source": URI, "target": "y", **keys})


def table(n_rows: int, seed: int = 0, first: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": range(first, first + n_rows), "a": random.normal(size=n_rows), "b": random.integers(0, 9, n_rows)})
    frame["g"] = frame["id"] // 5
    frame["t"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(frame["id"], unit="h")
    return frame.assign(y=random.choice(["x", "y", "z"], n_rows, p=(0.6, 0.3, 0.1)))


def divide(paths: CasePaths, frame: pd.DataFrame, one: Case, uri: str = URI) -> pd.DataFrame:
    """Split a snapshot as ``02_validate`` does, and store its part of the line."""
    rows = keyed(frame, one)
    line = stored.open_line(paths, one, uri)
    split = assignment.assign(rows, one, line=line)
    stored.keep(paths, one, uri, line, rows, split, product=paths.artifacts / "split.json")
    return split


@pytest.fixture
def paths(tmp_path) -> CasePaths:
    return ProjectPaths(tmp_path).case("small")


STRATEGIES = {
    "stratified": {"id_columns": ["id"], "features": {"exclude": ["g", "t"]}},
    "without identifiers": {"features": {"exclude": ["id", "g", "t"]}},
    "random": {"id_columns": ["id"], "split": {"strategy": "random"}},
    "hold-out": {"id_columns": ["id"], "split": {"validation_size": 0.25}},
    "group": {"id_columns": ["id"], "group_column": "g", "split": {"strategy": "group"}},
    "stratified group": {"id_columns": ["id"], "group_column": "g"},
}


@pytest.mark.parametrize("keys", STRATEGIES.values(), ids=STRATEGIES)
def test_a_fifth_more_rows_move_no_old_row_and_fill_the_quotas(paths, keys):
    one, old = case(**keys), table(500)
    before = divide(paths, old, one)
    after = divide(paths, pd.concat([table(100, 1, first=500), old], ignore_index=True), one)
    pd.testing.assert_frame_equal(after.loc[before.index], before)
    assert abs((after["split"] == "test").mean() - 0.2) < 0.012
    sizes = after["fold"].value_counts()
    if one.split.validation_size:
        assert abs(sizes[0] / sizes.sum() - 0.25) < 0.015
    else:
        assert sizes.max() - sizes.min() <= 8


@settings(max_examples=12, deadline=None)
@given(
    st.integers(40, 120), st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(0, 99), st.sampled_from([*STRATEGIES])
)
def test_however_snapshots_grow_and_shrink_a_row_has_one_place(tmp_path_factory, n_first, growths, seed, named):
    paths, one = ProjectPaths(tmp_path_factory.mktemp("line")).case("small"), case(**STRATEGIES[named])
    frame, known = table(n_first, seed, 0), {}
    frame["y"] = np.resize(["x", "y", "z"], len(frame))
    for number, more in enumerate(growths):
        try:
            split = divide(paths, frame, one)
        except DataError:
            reject()  # a class happens to be in no test row
        places = dict(zip(split.index, zip(split["split"], split["fold"].astype(str), strict=True), strict=True))
        assert all(place == known.setdefault(row, place) for row, place in places.items())
        frame = pd.concat([frame.iloc[number * 2 :], table(more, seed + number + 1, 1000 * (number + 1))], ignore_index=True)


def test_shares_stay_within_a_row_of_each_class(paths):
    one = case(id_columns=["id"], features={"exclude": ["g", "t"]})
    divide(paths, table(500), one)
    frame = pd.concat([table(500), table(100, 1, 500)])
    split = divide(paths, frame, one)
    tested = frame["y"][(split["split"] == "test").to_numpy()].value_counts()
    assert (tested - 0.2 * frame["y"].value_counts()).abs().max() <= 1


def test_the_first_split_depends_on_nothing_but_the_rows(paths):
    one = case(id_columns=["id"])
    pd.testing.assert_frame_equal(divide(paths, table(200), one), assignment.assign(keyed(table(200), one), one))


def test_the_same_snapshot_again_and_a_former_one_are_split_as_they_were(paths):
    one = case(id_columns=["id"])
    before = divide(paths, table(200), one)
    files = {file: file.stat().st_mtime_ns for file in paths.splits.rglob("*.parquet")}
    pd.testing.assert_frame_equal(divide(paths, table(200), one), before)
    assert {file: file.stat().st_mtime_ns for file in paths.splits.rglob("*.parquet")} == files
    divide(paths, pd.concat([table(200).iloc[50:], table(100, 1, 200)]), one)
    pd.testing.assert_frame_equal(divide(paths, table(200), one), before)


def test_an_edited_row_stays_where_its_identifier_is(paths):
    one, frame = case(id_columns=["id"]), table(200)
    before = divide(paths, frame, one)
    pd.testing.assert_frame_equal(divide(paths, frame.assign(a=frame["a"] + 1), one), before)


def test_a_corrected_target_moves_no_row_that_has_no_identifier(paths):
    one, frame = case(features={"exclude": ["id", "g", "t"]}), table(200)
    before = divide(paths, frame, one)
    edited = frame.assign(y=np.where(frame.index < 20, "x", frame["y"]))
    after = divide(paths, edited, one)
    assert (after["split"].to_numpy() == before["split"].to_numpy()).all()
    assert (after.index != before.index).sum() > 2


def test_a_new_column_moves_no_row_that_has_no_identifier(paths):
    one, frame = case(features={"exclude": ["id", "g", "t"]}), table(200)
    before = divide(paths, frame, one)
    after = divide(paths, frame.assign(extra=np.arange(200) % 7), one)
    assert (after["split"].to_numpy() == before["split"].to_numpy()).all()


def test_new_rows_join_the_old_rows_that_have_their_features(paths):
    one, frame = case(features={"exclude": ["id", "g", "t"]}), table(200)
    before = divide(paths, frame, one)
    copies = frame.assign(id=lambda rows: rows["id"] + 1000)
    after = divide(paths, pd.concat([frame, copies]), one)
    assert (after["split"].to_numpy()[200:] == before["split"].to_numpy()).all()


@pytest.mark.parametrize("strategy", ["group", "stratified_group"])
def test_new_rows_join_their_old_group_even_if_its_old_rows_are_gone(paths, strategy):
    one, frame = case(id_columns=["id"], group_column="g", split={"strategy": strategy}), table(200)
    before = divide(paths, frame, one).set_axis(frame["g"]).groupby(level=0).first()
    later = pd.concat([frame.iloc[100:], table(100, 1, 900).assign(g=np.arange(100) // 5)])
    after = divide(paths, later, one).set_axis(later["g"]).groupby(level=0).first()
    pd.testing.assert_frame_equal(after, before)


def test_a_training_row_that_now_has_the_features_of_a_test_row_is_set_aside(paths):
    one, frame = case(id_columns=["id"], features={"exclude": ["g", "t"]}), table(200)
    before = divide(paths, frame, one)
    tested, trained = ((before["split"] == side).to_numpy().argmax() for side in ("test", "train"))
    frame.loc[trained, ["a", "b"]] = frame.loc[tested, ["a", "b"]].to_numpy()
    after = divide(paths, frame, one)
    assert after["split"].iloc[trained] == "unused"
    assert after["fold"].iloc[trained] is pd.NA
    others = before.index.difference([str(trained)])
    pd.testing.assert_frame_equal(after.loc[others], before.loc[others])


def test_a_table_that_was_changed_through_and_through_asks_for_a_new_line(paths):
    one, frame = case(id_columns=["id"], features={"exclude": ["g", "t"]}), table(200)
    divide(paths, frame, one)
    with pytest.raises(DataError, match="another number than 42"):
        divide(paths, frame.assign(a=frame["a"].to_numpy()[np.arange(200) // 2], b=frame["b"].to_numpy()[np.arange(200) // 2]), one)


@pytest.mark.parametrize("keys", [{"split": {"random_state": 7}}, {"split": {"test_size": 0.3}}, {"features": {"exclude": ["b"]}}])
def test_another_seed_or_setting_draws_a_new_line_and_the_old_one_is_kept(paths, keys):
    one, other = case(id_columns=["id"]), case(id_columns=["id"], **keys)
    before = divide(paths, table(200), one)
    assert (divide(paths, table(200), other)["split"] != before["split"]).any()
    pd.testing.assert_frame_equal(divide(paths, table(200), one), before)


def test_a_gap_and_another_source_of_the_same_name_are_told_apart():
    by_time = {"time_column": "t", "id_columns": ["id"]}
    assert stored.line_name(case(**by_time), URI) == stored.line_name(case(**by_time, split={"gap": "2 days"}), URI)
    assert stored.line_name(case(), URI) != stored.line_name(case(), "other.csv")


def test_under_a_split_by_time_the_boundary_stays_and_the_drift_is_told(paths):
    one, old = case(id_columns=["id"], time_column="t"), table(500)
    before = divide(paths, old, one)
    line = stored.open_line(paths, one, URI)
    grown = keyed(pd.concat([old, table(100, 1, 500)]), one)
    after = divide(paths, grown.reset_index(drop=True), one)
    pd.testing.assert_frame_equal(after.loc[before.index], before)
    assert (after["split"].iloc[500:] == "test").all()
    found = account.account(grown, after, one, line)
    assert found["drifted"]
    assert "test rows are 33% of all by now; `split.test_size` asks for 20%" in account.in_words(found, one)
    renewed = divide(paths, grown.reset_index(drop=True), case(id_columns=["id"], time_column="t", split={"random_state": 1}))
    assert (renewed["split"] == "test").mean() == pytest.approx(0.2)


def test_the_account_says_what_was_kept_and_what_is_new(paths):
    one = case(id_columns=["id"])
    divide(paths, table(200), one)
    line, grown = stored.open_line(paths, one, URI), keyed(pd.concat([table(200), table(40, 1, 200)]), one)
    found = account.account(grown, assignment.assign(grown, one, line=line), one, line)
    assert (found["kept"], found["new"], found["new_line"], found["drifted"]) == (200, 40, False, False)
    assert "40 are new" in account.in_words(found, one)
    first = account.account(grown, assignment.assign(grown, one), one, stored.open_line(paths, one, "other"))
    assert "first split of its line" in account.in_words(first, one)


def test_a_stored_split_with_a_lost_or_broken_file_is_refused(paths):
    one = case(id_columns=["id"])
    for n_rows in (100, 150, 200):
        divide(paths, table(n_rows, 3), one)
    second = next(paths.splits.rglob("0002.parquet"))
    content = second.read_bytes()
    second.unlink()
    with pytest.raises(ArtifactError, match=r"not whole.*another `split\.random_state`"):
        divide(paths, table(200), one)
    second.write_bytes(content[: len(content) // 2])
    with pytest.raises(ArtifactError, match="not whole"):
        divide(paths, table(200), one)


def test_what_a_killed_process_left_half_written_changes_nothing(paths):
    one = case(id_columns=["id"])
    before = divide(paths, table(100), one)
    next(paths.splits.rglob("0001.parquet")).with_name(".0002.parquet-half").write_bytes(b"PAR1")
    pd.testing.assert_frame_equal(divide(paths, table(100), one), before)


def test_two_processes_cannot_both_go_on_with_a_line(paths):
    one, rows = case(id_columns=["id"]), keyed(table(100), case(id_columns=["id"]))
    line = stored.open_line(paths, one, URI)
    split = assignment.assign(rows, one, line=line)
    divide(paths, table(100), one)
    with pytest.raises(ArtifactError, match="Another process"):
        stored.keep(paths, one, URI, line, rows, split, product=paths.artifacts / "split.json")


def test_a_notebook_run_by_hand_stores_nothing(paths):
    one, rows = case(id_columns=["id"]), keyed(table(100), case(id_columns=["id"]))
    line = stored.open_line(paths, one, URI)
    assert stored.keep(paths, one, URI, line, rows, assignment.assign(rows, one), product=paths.scratch / "split.json") == []
    assert not paths.splits.exists()


def test_the_file_of_a_line_says_what_it_depends_on(paths):
    divide(paths, table(100), case(id_columns=["id"]))
    content = json.loads(next(paths.splits.rglob("line.json")).read_text())
    assert content["settings"]["random_state"] == 42
    assert (content["n_folds"], content["together"]) == (5, True)
