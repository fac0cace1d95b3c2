"""What is counted in cells is what is counted in the features that the pipeline makes of the same rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline
from tests.compiled_models import FAMILIES, Setting, setting, visits

from gristmill.errors import DataError
from gristmill.features.rows import MISSING_LEVEL
from gristmill.modeling.choice.calibration import Calibrated, ProbabilityCalibrator
from gristmill.modeling.choice.ensembling import WeightedClassifier
from gristmill.serving.compiled.blocks import ROWS_AT_ONCE
from gristmill.serving.compiled.cells import Cells
from gristmill.serving.compiled.counting import CellCounting
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.sources import LevelSource
from gristmill.serving.predictor import Predictor

POLICIES = {
    "as it comes": "",
    "clipped": "outliers: {numeric: clip, method: quantile, lower: 0.1, upper: 0.9}, "
    "missing: {numeric: mean, categorical: most_frequent}",
    "made missing": "outliers: {numeric: missing, method: iqr, factor: 0.5}, "
    "missing: {numeric: median, categorical: constant, fill_values: {categorical: odd}}",
    "a column of its own": "columns: {amount: {missing: constant, fill_value: 0, outliers: missing, method: iqr, factor: 1}}",
    "chosen features": "date_cycles: true, proposals: 2, selection: correlation, max_correlation: 0.3, rare_level_share: 0.05",
    "aggregated": "aggregations: [{by: [plan], of: amount, statistics: [mean, count]}]",
}


def awkward(frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with gaps of every spelling, levels never seen, numbers far out, infinite or written as text."""
    rows = visits(90, seed=7).astype({"amount": object, "paperless": object})
    rows.loc[0:3, "plan"] = ["unheard of", "", MISSING_LEVEL, np.nan]
    rows.loc[4:8, "amount"] = [1e9, -1e9, np.inf, -np.inf, "12.5"]
    rows.loc[9:11, "paperless"] = [None, "yes", 0]
    rows.loc[12:14, "since"] = [None, "1999-12-31", "2031-01-01"]
    rows.loc[15:17, "town"] = ["town 999", None, "town 1"]
    return rows[frame.columns.intersection(rows.columns)]


def require_same_counts(predictor: Predictor, rows: pd.DataFrame) -> None:
    """Hold the counts, and the answers beside them, against those that stand alone."""
    assert predictor.compiled, predictor.why_not_compiled
    assert predictor._counting is not None
    answers, counts = predictor.answer_counted(rows)
    assert counts == predictor.model.counted(rows)
    pd.testing.assert_frame_equal(answers, predictor.answer(rows))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_counts_in_cells_what_its_pipeline_does(name: str) -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member(name)), families=(name,))
    require_same_counts(predictor, awkward(made.frame))
    require_same_counts(predictor, made.frame)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", ["linear", "lightgbm", "random forest"])
def test_every_policy(name: str, policy: str) -> None:
    made = setting("binary", POLICIES[policy])
    predictor = made.predictor(made.fitted(made.member(name)))
    rows = awkward(made.frame)
    require_same_counts(predictor, rows)
    totals = predictor.answer_counted(rows)[1].totals
    assert totals["missing"] > 20
    assert totals["unseen_levels"] >= 2
    assert (totals["clipped"] > 0) == (policy == "clipped")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task: str) -> None:
    made = setting(task, POLICIES["made missing"])
    require_same_counts(made.predictor(made.fitted(made.member("linear"))), awkward(made.frame))


def ensemble(made: Setting) -> Pipeline:
    """Return a calibrated ensemble, whose members know other levels and treat gaps in other ways."""
    members = [(name, made.member(name)) for name in ("linear on splines", "lightgbm", "random forest")]
    said = np.random.default_rng(3).dirichlet(np.ones(2), len(made.target))
    calibrator = ProbabilityCalibrator("sigmoid").fit(said, made.target)
    return made.fitted(Calibrated(WeightedClassifier(members, [0.5, 0.3, 0.2]), calibrator))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_calibrated_ensemble(policy: str) -> None:
    made = setting("binary", POLICIES[policy])
    require_same_counts(made.predictor(ensemble(made)), awkward(made.frame))


def test_levels_stored_as_codes_are_counted_as_texts_are() -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member("linear")))
    rows = awkward(made.frame)
    coded = rows.assign(plan=rows["plan"].astype("category"), town=rows["town"].astype("category"))
    assert predictor.answer_counted(coded)[1] == predictor.answer_counted(rows)[1]
    require_same_counts(predictor, coded)


def test_no_rows_have_no_counts() -> None:
    made = setting("binary")
    answers, counts = made.predictor(made.fitted(made.member("linear"))).answer_counted(made.frame.head(0))
    assert counts is None
    assert not len(answers)


def test_a_value_that_does_not_fit_is_refused_as_without_counts() -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member("linear")))
    rows = made.frame.head(3).assign(amount=["1", "much", "2"])
    with pytest.raises(DataError, match="'much' in row 2"):
        predictor.answer_counted(rows)


def test_a_vocabulary_that_lacks_a_known_level_is_not_counted_by() -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member("linear")))
    rules, intake = predictor.model.counting_rules, predictor.compiled_model.plan.intake
    assert CellCounting.of(rules, intake) is not None
    shorter = [replace(s, vocabulary=(MISSING_LEVEL,)) if isinstance(s, LevelSource) else s for s in intake.sources]
    assert CellCounting.of(rules, Intake(tuple(shorter), intake.n_numbers, intake.n_levels)) is None
    assert CellCounting.of(rules, Intake(intake.sources[1:], intake.n_numbers, intake.n_levels)) is None


def test_a_model_without_a_compiled_form_reads_its_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member("linear")))
    plain = Predictor(predictor.model)
    plain.__dict__["_form"] = replace(predictor._form, compiled=None, why_not="the test says so")
    rows, read = awkward(made.frame), []
    transform = type(plain.model.pipeline[0]).transform
    monkeypatch.setattr(type(plain.model.pipeline[0]), "transform", lambda self, X: read.append(len(X)) or transform(self, X))
    answers, counts = plain.answer_counted(rows)
    assert read == [len(rows)]
    assert counts == predictor.answer_counted(rows)[1]
    np.testing.assert_allclose(answers["probability"], predictor.answer(rows)["probability"], atol=1e-9)


@pytest.mark.parametrize("few", [3, 7])
@pytest.mark.parametrize("name", ["linear on splines", "network on ranks"])
def test_rows_that_are_taken_in_parts_are_answered_as_a_few_are(name: str, few: int) -> None:
    made = setting("binary")
    predictor = made.predictor(made.fitted(made.member(name)))
    many = made.frame.sample(2 * ROWS_AT_ONCE + 3, replace=True, random_state=0, ignore_index=True)
    matrix = predictor.compiled_model.plan.answer.matrix
    cells = predictor.compiled_model.cells(many)
    alone = [
        matrix.of(Cells(cells.numbers[place : place + few], cells.codes[place : place + few])) for place in range(0, len(many), few)
    ]
    np.testing.assert_array_equal(matrix.of(cells), np.concatenate(alone))
