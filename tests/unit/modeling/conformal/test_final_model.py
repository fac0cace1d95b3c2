"""From out-of-fold predictions over the stored model to answers for new rows: the way of a build, without its notebooks."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_case, make_frame, make_rows

from gristmill.data.contract.schema import coerce, infer
from gristmill.evaluation import coverage, predictions
from gristmill.modeling.artifact.model_directory import CONFORMITY, save_candidate
from gristmill.modeling.choice import calibration, selection
from gristmill.modeling.conformal.learning import conformity_of
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.training_rows import TrainingRows
from gristmill.serving.predictor import Predictor

LEARNT, NEW = 600, 4000


def out_of_fold(rows: TrainingRows) -> np.ndarray:
    oof = np.full((len(rows.y), len(rows.classes)) if rows.classes else len(rows.y), np.nan)
    params = portfolio("linear", rows.problem)[0]
    for train, valid in rows.folds:
        model = build("linear", params, rows.problem).fit(rows.X.iloc[train], rows.y[train])
        oof[valid] = model.predict_proba(rows.X.iloc[valid]) if rows.classes else model.predict(rows.X.iloc[valid])
    return oof


def built(folder: Path, task: str) -> Predictor:
    """Return the predictor of a model that was validated, calibrated, refitted on all rows and stored."""
    frame = make_frame(task, LEARNT)
    case, rows = make_case(task), make_rows(task, frame=frame)
    contract, plan = infer(frame, case), rows.problem.plan
    oof = out_of_fold(rows)
    found = calibration.calibrate(case.primary_metric, rows.y, oof, rows.folds) if rows.classes else None
    params = {"linear": portfolio("linear", rows.problem)[0]}
    model = selection.final_estimator({"linear": 1.0}, params, rows.problem, None if found is None else found.calibrator)
    pipeline = selection.refit(plan, model, coerce(frame, contract), rows.y)
    record = {
        "task": task, "classes": contract["classes"], "threshold": 0.5 if task == "binary" else None, "target": "y",
        "id_columns": [], "feature_columns": selection.source_columns(plan), "families": {"linear": 1.0},
    }  # fmt: skip
    conformity = conformity_of(rows, oof if found is None else found.oof).as_record()
    save_candidate(folder, pipeline, record, contract, {"columns": {}}, "small", conformity)
    return Predictor.load(folder)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_new_rows_are_held_as_often_as_asked_by_the_model_of_all_rows(tmp_path: Path, task: str):
    predictor = built(tmp_path / "model", task)
    assert (tmp_path / "model" / CONFORMITY).is_file()
    new = make_frame(task, NEW, seed=1)
    answers = predictor.predict(new, interval=0.9)
    noise = 4 * np.sqrt(0.09 / LEARNT + 0.09 / NEW)
    if task == "regression":
        held = new["y"].between(answers["lower"], answers["upper"])
        assert held.mean() == pytest.approx(0.9, abs=noise)
    else:
        held = pd.Series([one in some for one, some in zip(new["y"], answers["prediction_set"], strict=True)])
        accuracy = (answers["prediction"].to_numpy() == new["y"].to_numpy()).mean()
        assert 0.9 - noise <= held.mean() <= max(0.9, accuracy) + noise
    stored = predictions.with_truth(task, predictor.predict(new), new["y"])
    scored = predictions.scored_rows(task, stored, new["y"], predictor.model.classes)
    measured = coverage.measure_coverage(predictor.model, scored, new, levels=[0.9])
    assert measured.levels[0.9]["coverage"] == pytest.approx(held.mean())
