import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair
from tests.unit.evaluation.conftest import scored_classes, scored_numbers

from gristmill.config.loading import parse_case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.writing import write_case
from gristmill.evaluation.fairness.audits import Audit, audit_model, sensitive_groups
from gristmill.evaluation.predictions import Scored
from gristmill.features.builder import make_plan, source_columns
from gristmill.metrics.intervals import Bootstrap
from gristmill.paths import ProjectPaths

FEW = Bootstrap(resamples=100)
BINARY = Audit(0.5, ("No", "Yes"), 30, FEW)


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 600), "age": rng.integers(18, 90, 600)})
    y_true = rng.integers(0, 2, 600)
    positive = np.clip(0.3 + 0.3 * y_true + 0.2 * (frame["sex"] == "m") + rng.normal(0, 0.15, 600), 0, 1)
    return frame, scored_classes(y_true, positive)


def test_measures_are_those_of_fairlearn(people):
    frame, scored = people
    found = audit_model(scored, frame, ["sex"], BINARY)["measures"]
    options = {"y_true": scored.y_true, "y_pred": scored.predicted[:, 1] >= 0.5, "sensitive_features": frame["sex"]}
    assert found["disparate_impact"]["value"] == pytest.approx(fair.demographic_parity_ratio(**options), abs=1e-12)
    assert found["equal_opportunity_difference"]["value"] == pytest.approx(fair.equal_opportunity_difference(**options), abs=1e-12)
    assert found["equalized_odds_difference"]["value"] == pytest.approx(fair.equalized_odds_difference(**options), abs=1e-12)


def test_the_worst_feature_speaks_for_a_measure(people):
    frame, scored = people
    found = audit_model(scored, frame, ["age", "sex"], BINARY)
    impacts = {part["feature"]: part["differences"]["disparate_impact"]["value"] for part in found["features"]}
    assert found["measures"]["disparate_impact"]["feature"] == "sex"
    assert found["measures"]["disparate_impact"]["value"] == min(impacts["age"], impacts["sex"])
    assert found["measures"]["disparate_impact"]["groups"] == ["f", "m"]


def test_intersections_are_shown_and_not_judged(people):
    frame, scored = people
    found = audit_model(scored, frame, ["sex", "age"], BINARY)
    both = found["features"][-1]
    assert (both["feature"], both["intersection"], len(both["groups"])) == ("sex & age", True, 8)
    assert all(measure["feature"] in ("sex", "age") for measure in found["measures"].values())


def test_every_group_has_its_size_and_its_rates_with_intervals(people):
    frame, scored = people
    groups = audit_model(scored, frame, ["sex"], BINARY)["features"][0]["groups"]
    assert sum(group["n"] for group in groups) == 600
    rate = groups[0]["metrics"]["selection_rate"]
    assert rate["low"] < rate["value"] < rate["high"]
    assert groups[0]["metrics"]["base_rate"]["value"] == pytest.approx(scored.y_true[(frame["sex"] == "f").to_numpy()].mean())


def test_a_small_group_is_shown_and_flagged(people):
    frame, scored = people
    frame = frame.assign(sex=frame["sex"].mask(frame.index < 10))
    groups = audit_model(scored, frame, ["sex"], BINARY)["features"][0]["groups"]
    assert {group["group"]: group["small"] for group in groups} == {"f": False, "m": False, "missing": True}


def test_a_rate_nobody_defines_is_not_a_number_rather_than_zero():
    frame = pd.DataFrame({"sex": ["f", "f", "m", "m"]})
    groups = audit_model(scored_classes([0, 0, 1, 0], [0.1, 0.9, 0.8, 0.2]), frame, ["sex"], BINARY)["features"][0]["groups"]
    assert np.isnan(groups[0]["metrics"]["true_positive_rate"]["value"])
    assert groups[1]["metrics"]["true_positive_rate"]["value"] == 1.0


def test_of_several_classes_the_worst_counts():
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 3, 300)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 300)})
    proba = np.eye(3)[np.where(frame["sex"] == "f", 2, y_true)]
    scored = Scored("multiclass", frame.index, y_true, proba)
    found = audit_model(scored, frame, ["sex"], Audit(None, ("a", "b", "c"), 30, FEW))
    assert found["measures"]["disparate_impact"]["value"] == 0.0
    assert found["measures"]["disparate_impact"]["of"] in ("a", "b")
    assert found["measures"]["equal_opportunity_difference"]["value"] == 1.0


def test_numbers_are_judged_by_the_ratio_of_errors():
    frame = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 50})
    scored = scored_numbers(np.r_[np.full(50, 1.0), np.full(50, 4.0)], np.zeros(100))
    found = audit_model(scored, frame, ["sex"], Audit(None, (), 30, FEW))
    assert found["measures"]["error_ratio"]["value"] == 4.0
    assert found["features"][0]["groups"][1]["metrics"]["mean_residual"]["value"] == 4.0


def test_without_sensitive_features_nothing_is_audited(people):
    frame, scored = people
    assert audit_model(scored, frame, [], BINARY) == {
        "features": [],
        "measures": {},
        "warnings": [],
        "rows": 600,
        "min_group_size": 30,
    }


def test_groups_too_few_to_compare_leave_a_measure_unmeasured(people):
    frame, scored = people
    found = audit_model(scored, frame.assign(sex="f"), ["sex"], BINARY)["measures"]
    assert np.isnan(found["disparate_impact"]["value"])


def test_a_feature_with_a_name_per_row_is_not_audited(people):
    frame, scored = people
    frame = frame.assign(sex=[f"name {number}" for number in range(600)])
    part = audit_model(scored, frame, ["sex"], BINARY)["features"][0]
    assert (part["groups"], part["n_groups"]) == ([], 600)


def test_groups_of_an_intersection_are_named_by_both():
    frame = pd.DataFrame({"sex": ["f", None], "old": [True, False]})
    assert sensitive_groups(frame, ["sex", "old"])["sex & old"].tolist() == ["f & True", "missing & False"]


def test_with_three_features_each_pair_and_all_together_are_shown():
    frame = pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"], "c": ["1", "2"]})
    assert list(sensitive_groups(frame, ["a", "b", "c"])) == ["a", "b", "c", "a & b", "a & c", "b & c", "a & b & c"]


def test_calibration_by_group_is_what_fairlearns_frame_gives(people):
    frame, scored = people
    part = audit_model(scored, frame, ["sex"], BINARY)["features"][0]
    by_hand = fair.MetricFrame(
        metrics=lambda truth, proba: float(np.mean(proba) - np.mean(truth)),
        y_true=scored.y_true,
        y_pred=scored.predicted[:, 1],
        sensitive_features=frame["sex"],
    )
    for group in part["groups"]:
        gap = group["metrics"]["calibration_gap"]
        assert gap["value"] == pytest.approx(by_hand.by_group[group["group"]], abs=1e-12)
        assert gap["low"] < gap["value"] < gap["high"]
    assert part["differences"]["calibration_difference"]["value"] == pytest.approx(by_hand.difference(), abs=1e-12)


def test_mean_predictions_of_numbers_are_compared_by_difference_and_ratio():
    frame = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 50})
    predicted = np.r_[np.full(50, 2.0), np.full(50, 8.0)]
    found = audit_model(scored_numbers(predicted + 1, predicted), frame, ["sex"], Audit(None, (), 30, FEW))["measures"]
    assert found["mean_prediction_difference"]["value"] == 6.0
    assert found["mean_prediction_ratio"]["value"] == 0.25
    assert found["mean_residual_difference"]["value"] == 0.0
    below_zero = audit_model(scored_numbers(predicted, predicted - 5), frame, ["sex"], Audit(None, (), 30, FEW))["measures"]
    assert "mean_prediction_ratio" not in below_zero


def test_groups_that_are_not_judged_are_warned_of(people):
    frame, scored = people
    names = [f"name {number}" for number in range(600)]
    found = audit_model(scored, frame.assign(sex=frame["sex"].mask(frame.index < 10), name=names), ["sex", "name"], BINARY)
    assert found["warnings"][0].endswith("are shown but not judged: missing (10).")
    assert found["warnings"][1] == "name has 600 groups, more than the 200 that are audited."


def test_a_sensitive_column_of_a_case_from_init_may_be_kept_from_the_model_and_is_audited_all_the_same(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"gender": rng.choice(["f", "m"], 300), "pay": rng.normal(50, 9, 300).round(2)})
    table["left"] = np.where(table["pay"] + rng.normal(0, 5, 300) < 48, "Yes", "No")
    (tmp_path / "configs").mkdir()
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)
    table.to_csv("people.csv", index=False)
    written = write_case("people.csv", Answers("people", "left"), ProjectPaths(tmp_path)).read_text(encoding="utf-8")
    case = parse_case(f"{written}\nfairness: {{exclude_from_model: true}}\n", "people")
    contract = infer(table, case)
    assert source_columns(make_plan(table, case, contract)) == ["pay"]
    rows = coerce(table, contract)
    scored = scored_classes(np.asarray(rows["left"] == "Yes", dtype=int), (rows["pay"] < 48).astype(float))
    found = audit_model(scored, rows, case.sensitive_features, BINARY)
    assert [group["group"] for group in found["features"][0]["groups"]] == ["f", "m"]
    assert found["measures"]["disparate_impact"]["feature"] == "gender"
