"""Values of rows are read by the compiled form as by the pipeline: the same numbers, levels and dates, and the same refusals."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compiled_models import setting

from gristmill.errors import DataError
from gristmill.serving.predictor import Predictor

MADE = setting("binary")
PREDICTOR = MADE.predictor(MADE.fitted(MADE.member("linear")))
ROW: dict[str, Any] = {
    "amount": 51.5, "months": 12, "plan": "plus", "paperless": True, "town": "town 3", "since": "2021-03-04", "calls": 1,
}  # fmt: skip

TEXTS_OF_NUMBERS = ["12", " 7.5", "1e3", "", "x", True]
NUMBERS = st.one_of(st.floats(allow_nan=False), st.integers(-(10**12), 10**12), st.none(), st.sampled_from(TEXTS_OF_NUMBERS))
TEXTS = ["basic", "plus", "odd", "", " plus", "never"]
LEVELS = st.one_of(st.sampled_from(TEXTS), st.none(), st.integers(-3, 3), st.sampled_from([1.5, 2.0, True]))
TRUTHS = st.sampled_from([True, False, None, "yes", "No", 1, 0, 1.0, "maybe", ""])
DATES = st.sampled_from([
    "2021-03-04", "2021-03-04T05:06:07", "2021-03-04 05:06:07", "2021-03-04T05:06:07Z", "2021-03-04T23:30:00+02:00", "2021-3-4",
    "20210304", "1677-01-01", "2300-05-05", "2021-02-30", "04.03.2021", "soon", "", None,
])  # fmt: skip


def asked(row: dict[str, Any]) -> Any:
    """Return the answer of the compiled form, or its refusal."""
    try:
        return PREDICTOR.values_of([row])[0]
    except DataError as error:
        return str(error)


def wanted(row: dict[str, Any]) -> Any:
    """Return the answer of the pipeline, or its refusal."""
    frame = pd.DataFrame([row], columns=list(PREDICTOR.model.feature_columns))
    try:
        return PREDICTOR.model.predict_values(frame)[0]
    except DataError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(amount=NUMBERS, months=NUMBERS, plan=LEVELS, paperless=TRUTHS, town=LEVELS, since=DATES)
def test_any_value_is_read_or_refused_as_the_pipeline_does(**values: Any) -> None:
    row = {**ROW, **values}
    got, want = asked(row), wanted(row)
    if isinstance(want, str):
        assert got == want
    else:
        assert np.abs(got - want).max() < 1e-9


@pytest.mark.parametrize("since", ["2021-03-04", "2021-03-04T05:06:07", "2021-03-04T23:30:00+02:00", "1677-12-01", None])
def test_dates_in_any_form_are_the_dates_they_are(since: str | None) -> None:
    row = {**ROW, "since": since}
    assert np.abs(asked(row) - wanted(row)).max() < 1e-12


def test_a_wrong_value_is_named_with_its_row() -> None:
    with pytest.raises(DataError, match=r"Expected a number in the column 'amount', got 'dear' in row 3"):
        PREDICTOR.values_of([ROW, ROW, {**ROW, "amount": "dear"}])


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match=r"The column 'town' is missing. Send it, or null"):
        PREDICTOR.values_of([ROW, {name: value for name, value in ROW.items() if name != "town"}])


def test_more_columns_do_no_harm() -> None:
    assert np.array_equal(PREDICTOR.values_of([{**ROW, "colour": "red"}]), PREDICTOR.values_of([ROW]))


def test_an_answer_does_not_depend_on_the_rows_asked_for_with_it() -> None:
    others = [{**ROW, "plan": 2.5, "months": None}, {**ROW, "town": True}]
    together = PREDICTOR.values_of([{**ROW, "plan": 1.0}, *others])[0]
    assert np.abs(together - PREDICTOR.values_of([{**ROW, "plan": 1.0}])[0]).max() < 1e-12


def test_no_rows_have_no_answers() -> None:
    assert PREDICTOR.values_of([]).shape == (0, 2)
    assert PREDICTOR.frame_values(MADE.frame.head(0)).shape == (0, 2)


@pytest.mark.parametrize("kind", ["category", "string", "object"])
def test_a_frame_is_read_however_its_texts_are_stored(kind: str) -> None:
    frame = MADE.frame.assign(plan=MADE.frame["plan"].astype(kind), town=MADE.frame["town"].astype(kind))
    assert np.abs(PREDICTOR.frame_values(frame) - PREDICTOR.model.predict_values(MADE.frame)).max() < 1e-12


def test_a_frame_without_a_column_is_refused_as_by_the_pipeline() -> None:
    frame = MADE.frame.drop(columns="months")
    with pytest.raises(DataError) as compiled:
        PREDICTOR.frame_values(frame)
    with pytest.raises(DataError) as plain:
        PREDICTOR.model.predict_values(frame)
    assert str(compiled.value) == str(plain.value)


def test_levels_mixed_with_numbers_in_a_frame_are_told_apart() -> None:
    frame = MADE.frame.assign(plan=["plus", 1, 1.0, True, None] * (len(MADE.frame) // 5))
    assert np.abs(PREDICTOR.frame_values(frame) - PREDICTOR.model.predict_values(frame)).max() < 1e-12


def test_a_predictor_that_is_used_by_many_threads_answers_each(tmp_path: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    trees: Predictor = MADE.predictor(MADE.fitted(MADE.member("lightgbm")))
    rows = [{**ROW, "months": number} for number in range(70)]
    want = [trees.values_of([row])[0, 1] for row in rows]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda row: trees.values_of([row])[0, 1], rows * 20))
    assert got == want * 20
