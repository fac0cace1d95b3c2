"""How well a column alone foretells the target, and what gives an identifier away (R11)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.kinds import kind_of
from gristmill.data.leakage.proxies import identifier_evidence, is_copy, is_id_name, looked_at, power


def alone(values, target, task):
    column = dict(zip(("kind", "format"), kind_of(values), strict=True))
    return power(values, target, column, task)


@pytest.fixture
def numbers():
    return pd.Series(np.random.default_rng(0).normal(size=400))


def test_noise_tells_nothing(numbers):
    target = pd.Series(np.random.default_rng(1).choice(["x", "y"], 400))
    found = alone(numbers, target, "binary")
    assert abs(found.auc - 0.5) < 0.1
    assert alone(numbers, numbers.sample(frac=1, random_state=2).reset_index(drop=True), "regression").skill < 0.05


def test_a_threshold_tells_everything(numbers):
    target = pd.Series(np.where(numbers > 0.3, "late", "early"))
    assert alone(numbers, target, "binary").auc > 0.99


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_number_beyond_single_precision_is_looked_at_like_any_other(numbers, task):
    target = pd.Series(np.where(numbers > 0.3, "late", "early")) if task == "binary" else numbers * 2
    found = alone(numbers.mask(numbers < -1, -1.797e308), target, task)
    assert found.skill > 0.8


def test_a_target_whose_squares_are_no_floats_is_foretold_like_any_other(numbers):
    assert alone(numbers * 2, numbers * 1e300, "regression").skill > 0.999
    assert alone((numbers > 0).map({True: "x", False: "y"}), numbers * 1e300, "regression").skill > 0.5


def test_levels_with_other_names_tell_everything():
    target = pd.Series(["x", "y", "z"] * 60)
    assert alone(target.map({"x": "p", "y": "q", "z": "r"}), target, "multiclass").skill == 1.0


def test_being_missing_can_tell_everything(numbers):
    target = pd.Series(np.where(numbers > 0, "left", "stays"))
    ended = pd.Series(np.where(numbers > 0, "2024-05-01", None), dtype=object)
    assert alone(ended, target, "binary").auc == 1.0
    assert alone(numbers.where(numbers > 0), target, "binary").auc > 0.99


def test_a_scaled_target_tells_everything(numbers):
    assert alone(numbers * -3 + 1, numbers, "regression").skill > 0.999
    assert alone(np.exp(numbers), numbers, "regression").skill > 0.999


def test_a_date_is_read_as_a_number():
    days = pd.Series(pd.date_range("2024-01-01", periods=400))
    assert alone(days, pd.Series(np.arange(400.0)), "regression").skill > 0.99


def test_an_empty_column_tells_nothing():
    target = pd.Series(["x", "y"] * 50)
    assert alone(pd.Series([np.nan] * 100), target, "binary").auc == 0.5


def test_a_copy_is_seen_whatever_its_type():
    target = pd.Series([0, 1, 1, 0])
    assert is_copy(target.astype(float), target)
    assert is_copy(target.astype(str), target)
    assert not is_copy(1 - target, target)


def test_few_rows_are_looked_at_but_all_of_a_rare_class():
    frame = pd.DataFrame({"y": ["common"] * 29_950 + ["rare"] * 50})
    rows = looked_at(frame, "y", "binary")
    assert (rows["y"] == "rare").sum() == 50
    assert len(rows) < 11_000


@pytest.mark.parametrize("name", ["id", "ID", "rownames", "customer_id", "customerId", "order no", "Unnamed: 0", "uuid", "index"])
def test_names_of_identifiers_are_known(name):
    assert is_id_name(name)


@pytest.mark.parametrize("name", ["paid", "humid", "price", "widowed", "idle_time", "valid"])
def test_names_that_only_look_like_it_are_not(name):
    assert not is_id_name(name)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("code", [f"K{n}" for n in range(50)], "every one of its 50 texts is different"),
        ("line", range(1, 51), "it counts rows, from 1 to 50"),
        ("line", range(0, 90, 2), "it counts rows"),
        ("customer_id", [n**3 for n in range(50)], "called an identifier"),
    ],
)
def test_an_identifier_is_recognised(name, values, said):
    values = pd.Series(list(values))
    assert said in identifier_evidence(values, {"name": name, "kind": kind_of(values)[0]})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("income", [n**3 for n in range(50)]),
        ("weight", np.arange(50) + 0.5),
        ("city", ["x", "y"] * 25),
        ("review", [f"this is review number {n}, and it is long" for n in range(50)]),
        ("when", [f"2024-01-{n:02d}" for n in range(1, 31)]),
        ("few", range(5)),
        ("gaps", [None] * 25 + [f"K{n}" for n in range(25)]),
    ],
)
def test_a_measurement_is_no_identifier(name, values):
    values = pd.Series(list(values))
    assert identifier_evidence(values, {"name": name, "kind": kind_of(values)[0]}) is None
