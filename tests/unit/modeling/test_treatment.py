"""The policies are part of the fitted model: stored with it, the same in serving, and counted whatever it is wrapped in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_case, make_frame

from gristmill.data.contract.schema import coerce, infer
from gristmill.data.targets import encode_classes
from gristmill.features.builder import make_plan
from gristmill.features.rows import RowFeatures
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.choice.calibration import ProbabilityCalibrator
from gristmill.modeling.choice.selection import final_estimator, refit, source_columns
from gristmill.modeling.families.catalogue import portfolio
from gristmill.modeling.families.problem import Params, Problem
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.trial import Search
from gristmill.modeling.treatment import applied, of_search, preparations
from gristmill.serving.batch import scoring as batch
from gristmill.serving.predictor import Predictor

FAMILIES = ("linear", "forest", "boosting", "neural")
POLICIES = {
    "missing": {"numeric": "mean", "categorical": "most_frequent"},
    "outliers": {"numeric": "clip", "method": "quantile", "lower": 0.05, "upper": 0.95},
    "columns": {"noise": {"missing": "constant", "fill_value": 0, "outliers": "missing", "method": "iqr", "factor": 2}},
}


def rows_with_gaps(n_rows: int = 120) -> pd.DataFrame:
    frame = make_frame(n_rows=n_rows)
    frame.iloc[::9, frame.columns.get_loc("c")] = None
    frame.iloc[3, frame.columns.get_loc("noise")] = 500.0
    return frame


class Fitted:
    """A case with policies, and a model of it."""

    def __init__(self, weights: dict[str, float], features: dict | None = None, *, calibrated: bool = False) -> None:
        self.case = make_case(features=POLICIES if features is None else features)
        self.contract = infer(rows_with_gaps(), self.case)
        self.train = coerce(rows_with_gaps(), self.contract)
        self.plan = make_plan(self.train, self.case, self.contract)
        self.problem = Problem(self.plan, len(self.train), 40)
        self.y = encode_classes(self.train["y"], self.contract["classes"])
        params = {family: self.small(family) for family in weights}
        random = np.random.default_rng(0).random(len(self.y))
        calibrator = ProbabilityCalibrator("sigmoid").fit(np.column_stack([1 - random, random]), self.y) if calibrated else None
        model = final_estimator(weights, params, self.problem, calibrator)
        self.pipeline = refit(self.plan, model, self.train, self.y)

    def small(self, family: str) -> Params:
        """Return a configuration of a family that is quickly fitted."""
        known = portfolio(family, self.problem)[0]
        return known | {name: 20 for name in ("trees", "rounds", "epochs") if name in known}

    def save(self, folder: Path, weights: dict[str, float]) -> str:
        model = {
            "task": "binary", "classes": self.contract["classes"], "threshold": 0.5, "target": "y", "id_columns": [],
            "feature_columns": source_columns(self.plan), "families": weights,
        }  # fmt: skip
        save_candidate(folder, self.pipeline, model, self.contract, {"columns": {}}, "small")
        return str(folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_with_every_policy_comes_back_from_its_file_the_same(family: str):
    fitted = Fitted({family: 1.0})
    content = dump_pipeline(fitted.pipeline)
    again = load_pipeline_bytes(content)
    assert np.array_equal(again.predict_proba(fitted.train), fitted.pipeline.predict_proba(fitted.train))
    assert dump_pipeline(Fitted({family: 1.0}).pipeline) == content
    assert applied(again, fitted.train, [family]) == applied(fitted.pipeline, fitted.train, [family])


@pytest.mark.parametrize("calibrated", [False, True])
def test_every_member_of_an_ensemble_is_found_under_its_name(calibrated: bool):
    weights = {"linear": 0.5, "boosting": 0.5}
    fitted = Fitted(weights, {}, calibrated=calibrated)
    assert list(preparations(fitted.pipeline)) == ["linear", "boosting"]
    (x,) = [column for column in applied(fitted.pipeline, fitted.train).columns if column["column"] == "x"]
    assert x["filled_by"] == ["linear"]


def test_a_model_of_one_family_is_called_what_the_caller_says():
    fitted = Fitted({"forest": 1.0})
    assert list(preparations(fitted.pipeline, ["forest"])) == ["forest"]


def test_numbers_beyond_the_limits_are_predicted_as_the_limits_are():
    fitted = Fitted({"linear": 1.0}, {"outliers": {"numeric": "clip"}})
    counts = applied(fitted.pipeline, fitted.train)
    (x,) = [column for column in counts.columns if column["column"] == "x"]
    row = fitted.train.head(1)
    at, beyond = (fitted.pipeline.predict_proba(row.assign(x=value)) for value in (x["upper"], x["upper"] + 1e6))
    assert np.array_equal(at, beyond)


def test_infinite_numbers_are_predicted_as_missing_ones(tmp_path: Path):
    predictor = Predictor.load(Fitted({"linear": 1.0}).save(tmp_path / "model", {"linear": 1.0}))
    rows = rows_with_gaps(6)
    gaps, infinite = (predictor.answer_counted(rows.assign(x=value)) for value in (np.nan, np.inf))
    pd.testing.assert_frame_equal(gaps[0], infinite[0])
    assert gaps[1] == infinite[1]
    assert gaps[1].totals["missing"] >= 6


@pytest.mark.parametrize("weights", [{"boosting": 1.0}, {"linear": 0.4, "forest": 0.6}], ids=["one", "several"])
def test_files_rows_and_tables_are_answered_alike_and_counted(tmp_path: Path, weights: dict[str, float]):
    fitted = Fitted(weights)
    model = fitted.save(tmp_path / "model", weights)
    new = rows_with_gaps(40).assign(c=["unheard of", *["a"] * 38, None])
    new.to_parquet(tmp_path / "in.parquet")
    done = batch.score(tmp_path / "in.parquet", tmp_path / "out.parquet", model)
    answers, predictor = pd.read_parquet(tmp_path / "out.parquet")["probability"], Predictor.load(model)
    alone = [predictor.answer(new.iloc[[row]])["probability"].iloc[0] for row in range(len(new))]
    assert answers.tolist() == predictor.answer(new)["probability"].tolist()
    assert answers.tolist() == pytest.approx(alone, abs=1e-12)
    assert done.counts == applied(fitted.pipeline, coerce(new, fitted.contract), list(weights))
    assert done.counts.totals["unseen_levels"] == 1
    assert done.sentence.endswith("values of a level never seen: 1.")


def test_changing_the_rows_that_validate_moves_no_limit_and_no_fill_value():
    case = make_case(features=POLICIES)
    frame = coerce(rows_with_gaps(), infer(rows_with_gaps(), case))
    plan = make_plan(frame, case, infer(frame, case))
    X, y = RowFeatures(plan).fit_transform(frame), encode_classes(frame["y"], ("no", "yes"))
    train, valid = np.arange(80), np.arange(80, 120)
    changed = X.copy()
    changed.iloc[valid, changed.columns.get_loc("x")] = 1e9
    for family in FAMILIES:
        found = [
            PreparedFolds(family, Problem(plan, 120, 40), rows, y, [(train, valid)]).prepared(0, "standard")
            for rows in (X, changed)
        ]
        assert np.array_equal(found[0][1], found[1][1], equal_nan=True)
        assert np.array_equal(found[0][0].transform(X), found[1][0].transform(X), equal_nan=True)


def test_a_search_says_what_its_best_model_does_to_the_training_rows(binary_rows):
    nothing = of_search(Search("linear", enabled=False), binary_rows)
    assert nothing.totals["filled"] == 0
    assert nothing.totals["missing"] == int(binary_rows.X["x"].isna().sum()) > 0
    prepared = PreparedFolds("linear", binary_rows.problem, binary_rows.X, binary_rows.y, binary_rows.folds)
    pipeline = prepared.fit(len(binary_rows.folds) - 1, portfolio("linear", binary_rows.problem)[0]).pipeline(None)
    found = of_search(Search("linear", fitted=pipeline), binary_rows)
    assert found.totals["filled"] == found.totals["missing"] == nothing.totals["missing"]
