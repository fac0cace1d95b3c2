"""The verdict on a window."""

import itertools
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tests.unit.monitoring.drift.windows import COLUMNS, CONTRACT, answers, customers, record, reference

from gristmill.config.sections.drift import Drift
from gristmill.errors import ArtifactError, DataError
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.window import Window


def judged(rows: pd.DataFrame, importances: dict[str, float] | None = None, limits: Drift | None = None):
    held = reference()
    return measure(held, Window.of(rows, held, answers(len(rows), 7)), limits, importances)


def test_a_window_like_the_training_rows_is_no_alarm():
    report = judged(customers(3000, seed=1))
    assert not report.alarm
    assert report.drifted == ()
    assert report.sentence == "No alarm: 0 of 6 columns drifted."


@pytest.mark.parametrize(
    ("column", "change", "test", "words"),
    [
        ("amount", lambda one: one * 2.5, "distribution", "its mean is"),
        ("amount", lambda one: one.mask(np.arange(len(one)) % 5 == 0), "missing", "missing in 2"),
        ("age", lambda one: one.where(np.arange(len(one)) % 50 != 0, 999.0), "outside", "outside 18 to 89"),
        ("plan", lambda one: one.where(np.arange(len(one)) % 20 != 0, "trial"), "new levels", "'trial'"),
        ("plan", lambda one: one.replace("basic", "gold"), "distribution", "'basic' has 0 %"),
        ("member", lambda one: ~one, "distribution", "its mean is 0.7"),
        ("since", lambda one: one + pd.Timedelta(days=400), "shape", "its mean is"),
        ("note", lambda one: one + " and more words", "distribution", "its mean is"),
    ],
)
def test_a_change_is_found_named_and_put_into_words(column, change, test, words):
    rows = customers(3000, seed=1)
    report = judged(rows.assign(**{column: change(rows[column])}))
    first = report.features[0]
    assert report.drifted == (column,)
    assert report.alarm
    assert words in first.verdict
    assert test in {one.test for one in first.findings if one.drifted(0.05)}


def test_a_harmless_column_alone_is_no_alarm_and_an_important_or_critical_one_is():
    rows = customers(3000, seed=1)
    moved = rows.assign(amount=rows["amount"] * 3)
    harmless = {"amount": 0.01, "age": 0.99}
    quiet = judged(moved, harmless)
    assert quiet.drifted == ("amount",)
    assert not quiet.alarm
    assert "below 5 %" in quiet.sentence
    assert judged(moved, {"amount": 0.3, "age": 0.7}).alarm
    assert "critical" in judged(moved, harmless, Drift(critical=("amount",))).sentence


def test_predictions_that_moved_are_an_alarm():
    held, rows = reference(), customers(3000, seed=1)
    report = measure(held, Window.of(rows, held, answers(3000, 7, shift=1.0)), None, dict.fromkeys(held.columns, 1 / 6))
    assert report.drifted == ()
    assert report.alarm
    assert "the predictions drifted, 'yes': its mean is" in report.sentence


def test_a_rare_flag_that_became_less_rare_is_found():
    rng, contract = np.random.default_rng(0), {"columns": [{"name": "flag", "kind": "boolean"}]}
    stored = drift_reference(pd.DataFrame({"flag": rng.random(5000) < 0.03}), contract, ["flag"], np.zeros(5000), 10)
    held = Reference.from_record(stored, contract)
    assert measure(held, Window.of(pd.DataFrame({"flag": rng.random(2000) < 0.15}), held)).drifted == ("flag",)
    assert not measure(held, Window.of(pd.DataFrame({"flag": rng.random(2000) < 0.03}), held)).drifted


def test_windows_that_have_not_drifted_rarely_show_any_difference_even_without_floors():
    held, rng = reference(), np.random.default_rng(1)
    none = Drift(psi=1e-12, ks=0, missing=0, outside=0, new_levels=0)
    windows = [Window.of(customers(int(rng.integers(300, 900)), seed=100 + number), held) for number in range(40)]
    assert sum(bool(measure(held, window, none).drifted) for window in windows) <= 5  # 2 are to be expected of 40 at most
    assert not any(measure(held, window).alarm for window in windows)


def test_a_small_window_is_not_judged():
    rows = customers(150, seed=1)
    report = judged(rows.assign(amount=1e6))
    assert not report.judged
    assert not report.alarm
    assert "judged from 200" in report.sentence


def test_a_difference_too_small_to_matter_is_none_however_many_rows_show_it():
    rows = customers(60_000, seed=1)
    report = judged(rows.assign(amount=rows["amount"] * 1.1))
    verdict = {one.name: one.verdict for one in report.features}["amount"]
    assert verdict == "Differs, but by less than matters."


def test_windows_add_up_to_the_window_of_all_their_rows():
    held, rows, predicted = reference(), customers(3000, seed=1), answers(3000, 7)
    rows.loc[:9, "plan"] = "trial"
    parts = [Window.of(rows[part], held, predicted[part]) for part in (slice(0, 700), slice(700, 3000))]
    whole, merged = Window.of(rows, held, predicted).to_record(), parts[0].merged(parts[1]).to_record()
    for name, counts in whole["columns"].items():
        for key, value in counts.items():
            expected = pytest.approx(value, rel=1e-9) if key in ("sums", "squares") else value
            assert merged["columns"][name][key] == expected, (name, key)
    assert merged["predictions"]["yes"]["counts"] == whole["predictions"]["yes"]["counts"]


def test_the_reference_counted_in_parts_is_the_reference():
    """What is kept of the training rows is such counts too: parts of them, counted apart and added up, are the whole."""
    held, rows, predicted = reference(), customers(), answers()
    edges = [0, 100, 1500, 4000]
    parts = [Window.of(rows[start:end], held, predicted[start:end]) for start, end in itertools.pairwise(edges)]
    whole = parts[2].merged(parts[0]).merged(parts[1])
    for name, column in held.columns.items():
        counted, kept = whole.columns[name], column.counts
        assert counted.counts.tolist() == kept.counts.tolist(), name
        assert (counted.missing, counted.present) == (kept.missing, kept.present), name
        if name != "plan":
            assert (counted.minimum, counted.maximum) == (kept.minimum, kept.maximum), name
            assert (counted.mean, counted.spread) == (pytest.approx(kept.mean), pytest.approx(kept.spread)), name
    again = drift_reference(rows.sample(frac=1, random_state=0), CONTRACT, COLUMNS, predicted, 10)
    assert again["columns"]["amount"]["cells"]["counts"] == held.columns["amount"].counts.counts.tolist()


def test_arrow_and_pandas_are_counted_alike():
    held, rows = reference(), customers(500, seed=1)
    table = pa.Table.from_pandas(rows)
    encoded = table.set_column(2, "plan", table["plan"].dictionary_encode())
    assert Window.of(table, held).to_record() == Window.of(rows, held).to_record() == Window.of(encoded, held).to_record()


def test_a_window_and_a_report_can_be_written_and_a_window_read_back():
    held = reference()
    window = Window.of(customers(500, seed=1), held, answers(500))
    again = Window.from_record(json.loads(json.dumps(window.to_record())), held)
    assert again.to_record() == window.to_record()
    written = json.loads(json.dumps(measure(held, again).to_record(), allow_nan=False))
    assert set(written["features"][0]) >= {"statistic", "effect", "p_value", "verdict"}


def test_a_window_of_another_model_is_refused():
    held = reference()
    window = Window.of(customers(500), held).to_record()
    del window["columns"]["plan"]
    with pytest.raises(DataError, match="does not fit its reference"):
        Window.from_record(window, held)
    with pytest.raises(DataError, match="'age' is missing"):
        Window.of(customers(500).drop(columns="age"), held)


def test_the_reference_of_an_earlier_build_is_still_measured_against():
    stored = record()
    old = {"rows": stored["rows"], "predictions": {}}
    kept = ("kind", "edges", "shares", "other", "mean", "std", "missing_share", "unit")
    for part in ("columns", "predictions"):
        old[part] = {name: {key: one[key] for key in kept if key in one} for name, one in stored[part].items()}
    held = Reference.from_record(old, CONTRACT)
    rows = customers(3000, seed=1)
    assert not measure(held, Window.of(rows, held)).alarm
    moved = rows.assign(amount=rows["amount"] * 3, plan=rows["plan"].replace("basic", "trial"))
    report = measure(held, Window.of(moved, held))
    assert set(report.drifted) == {"amount", "plan"}
    assert {one.name: one for one in report.features}["amount"].measures["wasserstein"] is None


def test_a_reference_that_is_none_is_refused():
    with pytest.raises(ArtifactError, match="Expected the distribution of the training rows"):
        Reference.from_record({"columns": {}}, CONTRACT)
