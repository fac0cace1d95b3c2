"""The contract: inferred once, and every later table held to it (R5)."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import pandas as pdst

from gristmill.config.case import Case
from gristmill.data.contract import schema
from gristmill.errors import DataError


def column(agreed: dict, name: str) -> dict:
    return next(one for one in agreed["columns"] if one["name"] == name)


def test_a_contract_says_what_each_column_is_and_is_for(customers, make_case):
    case = make_case(id_columns=["customer"], time_column="since", sensitive_features=["plan"], split={"strategy": "stratified"})
    agreed = schema.infer(customers, case)
    assert [(one["kind"], one["role"]) for one in agreed["columns"]] == [
        ("categorical", "id"), ("numeric", "feature"), ("numeric", "feature"), ("categorical", "sensitive"),
        ("boolean", "feature"), ("date", "time"), ("categorical", "target"),
    ]  # fmt: skip
    assert agreed["classes"] == ("no", "yes")
    assert column(agreed, "plan")["levels"] == ["basic", "plus", "pro"]
    assert column(agreed, "spend")["missing_share"] == 0.1
    assert column(agreed, "visits")["minimum"] == float(customers["visits"].min())
    assert json.loads(json.dumps(agreed))["target"] == "y"


def test_a_contract_says_what_the_model_may_see(customers, make_case):
    agreed = schema.infer(customers, make_case(id_columns=["customer"], features={"exclude": ["visits"]}))
    assert [one["name"] for one in agreed["columns"] if one["used"]] == ["spend", "plan", "member", "since"]


def test_a_regression_has_no_classes(customers, make_case):
    assert schema.infer(customers, make_case(task="regression", target="visits"))["classes"] is None


@pytest.mark.parametrize(
    ("target", "said"), [(["1.5"] * 199 + ["abc"], "1 of its 200 values is none, such as 'abc'"), ([7] * 200, "found only 7")]
)
def test_a_regression_target_that_cannot_be_learnt_is_refused(customers, make_case, target, said):
    with pytest.raises(DataError, match=said):
        schema.infer(customers.assign(y=target), make_case(task="regression"))


def test_numbers_stored_as_text_are_a_target_of_numbers(customers, make_case):
    frame = customers.assign(y=[f"{number}.5" for number in range(200)])
    agreed = schema.infer(frame, make_case(task="regression"))
    assert schema.coerce(frame, agreed)["y"].tolist()[:2] == [0.5, 1.5]


def test_the_mean_of_numbers_near_the_largest_there_is_finite(customers, make_case):
    agreed = schema.infer(customers.assign(spend=1.797e308), make_case())
    assert column(agreed, "spend")["mean"] == pytest.approx(1.797e308)


def test_columns_with_very_many_levels_do_not_list_them(make_case):
    frame = pd.DataFrame({"code": [f"c{n}" for n in range(300)], "y": ["yes", "no"] * 150})
    described = column(schema.infer(frame, make_case()), "code")
    assert described["levels"] is None
    assert described["n_levels"] == 300


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"target": "Y", "positive_class": "yes"}, "`target` of the case 'small' names the column 'Y'"),
        ({"id_columns": ["custmer"]}, "did you mean 'customer'"),
        ({"features": {"exclude": ["spnd"]}}, "`features.exclude`"),
        ({"validation": {"columns": {"vists": {"required": True}}}}, "did you mean 'visits'"),
        ({"validation": {"allow_proxies": ["nothing like it"]}}, "it has 'customer'"),
    ],
)
def test_a_named_column_that_does_not_exist_is_refused(customers, make_case, keys, said):
    with pytest.raises(DataError) as caught:
        schema.infer(customers, make_case(**keys))
    assert said in str(caught.value)


@pytest.mark.parametrize("levels", [["yes"], ["yes", "no", "perhaps"], ["a", "b"]])
def test_a_target_with_other_than_the_two_classes_is_refused(make_case, levels):
    with pytest.raises(DataError, match="classes"):
        schema.infer(pd.DataFrame({"a": range(60), "y": (levels * 60)[:60]}), make_case())


@settings(max_examples=15, deadline=None)
@given(
    pdst.data_frames(
        [
            pdst.column("a", elements=st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False)), dtype=float),
            pdst.column("b", elements=st.integers(-(2**50), 2**50), dtype="int64", unique=True),
            pdst.column("c", elements=st.one_of(st.none(), st.text(max_size=5)), dtype=object),
            pdst.column("d", elements=st.one_of(st.none(), st.booleans()), dtype=object),
        ],
        index=pdst.range_indexes(min_size=4, max_size=20),
    )
)
def test_rows_that_are_in_their_contracted_types_stay_as_they_are(frame):
    case = Case.model_validate({"name": "x", "task": "regression", "source": "x", "target": "b"})
    agreed = schema.infer(frame, case)
    once = schema.coerce(frame, agreed)
    pd.testing.assert_frame_equal(schema.coerce(once, agreed), once)
    assert once["b"].tolist() == frame["b"].tolist()
    if column(agreed, "c")["kind"] == "categorical":
        assert once["c"].tolist() == frame["c"].tolist()


def test_rows_from_json_and_from_csv_get_the_types_of_the_contract(customers, make_case):
    agreed = schema.infer(customers, make_case())
    wanted = schema.coerce(customers, agreed)
    from_csv = pd.read_csv(io.StringIO(customers.to_csv(index=False)), dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(schema.coerce(from_csv, agreed), wanted)
    from_json = pd.DataFrame(json.loads(customers.to_json(orient="records", date_format="iso")))
    pd.testing.assert_frame_equal(schema.coerce(from_json, agreed), wanted)


def test_categories_and_nullable_types_of_pandas_are_taken(customers, make_case):
    agreed = schema.infer(customers, make_case())
    nullable = customers.astype({"plan": "category", "visits": "Int64", "spend": "Float64", "member": "boolean", "y": "string"})
    pd.testing.assert_frame_equal(schema.coerce(nullable, agreed), schema.coerce(customers, agreed))


def test_a_gap_makes_whole_numbers_floats(customers, make_case):
    agreed = schema.infer(customers, make_case())
    rows = schema.coerce(customers.head(3).assign(visits=[1, None, 3]), agreed)
    assert rows["visits"].dtype == "float64"


def test_infinite_numbers_become_missing(customers, make_case):
    agreed = schema.infer(customers, make_case())
    assert schema.coerce(customers.head(1).assign(spend=np.inf), agreed)["spend"].isna().all()


def test_a_number_beyond_the_largest_whole_one_stays_what_it_is(customers, make_case):
    agreed = schema.infer(customers, make_case())
    rows = schema.coerce(customers.assign(visits=1e30), agreed)
    assert rows["visits"].tolist() == [1e30] * len(customers)


def test_whole_numbers_are_the_levels_they_were_in_training(make_case):
    frame = pd.DataFrame({"code": ["1", "2", "x"] * 20, "y": ["yes", "no"] * 30})
    agreed = schema.infer(frame, make_case())
    assert schema.coerce(pd.DataFrame({"code": [1.0, 2.0, np.nan]}), agreed)["code"].tolist() == ["1", "2", None]


def test_unknown_levels_pass_and_unknown_columns_are_left_out(customers, make_case):
    agreed = schema.infer(customers, make_case(id_columns=["customer"]))
    rows = schema.coerce(customers.head(2).assign(plan="gold", extra=1), agreed)
    assert rows["plan"].tolist() == ["gold", "gold"]
    assert "extra" not in rows


def test_columns_that_the_model_does_not_see_may_be_absent(customers, make_case):
    agreed = schema.infer(customers, make_case(id_columns=["customer"], features={"exclude": ["visits"]}))
    rows = schema.coerce(customers[["spend", "plan", "member", "since"]], agreed)
    assert rows.columns.tolist() == ["spend", "plan", "member", "since"]


@pytest.mark.parametrize(("name", "said"), [("spend", "'spend' is missing"), ("plan", "'plan' is missing")])
def test_a_missing_column_is_refused_by_name(customers, make_case, name, said):
    agreed = schema.infer(customers, make_case())
    with pytest.raises(DataError, match=said):
        schema.coerce(customers.drop(columns=name), agreed)


def test_a_misspelt_column_is_refused_with_the_nearest(customers, make_case):
    agreed = schema.infer(customers, make_case())
    with pytest.raises(DataError, match="did you mean 'spnd'"):
        schema.coerce(customers.rename(columns={"spend": "spnd"}), agreed)


def test_a_test_table_needs_the_target(customers, make_case):
    agreed = schema.infer(customers, make_case())
    assert "y" not in schema.coerce(customers.drop(columns="y"), agreed)
    with pytest.raises(DataError, match="'y' is missing"):
        schema.coerce(customers.drop(columns="y"), agreed, require_target=True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("spend", "lots", "Expected a number in the column 'spend', got 'lots' in row 2"),
        ("member", "perhaps", "Expected true or false in the column 'member', got 'perhaps' in row 2"),
        ("since", "soon", "Expected a date in the column 'since', got 'soon' in row 2"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(customers, make_case, name, value, said):
    agreed = schema.infer(customers, make_case())
    rows = customers.head(3).astype({name: object})
    rows.loc[1, name] = value
    with pytest.raises(DataError) as caught:
        schema.coerce(rows, agreed)
    assert said in str(caught.value)
