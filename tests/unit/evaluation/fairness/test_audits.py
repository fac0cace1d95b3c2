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
from gristmill.evaluation.fairness.verdicts import group_table, tabled_metrics
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


def test_intersections_have_measures_of_their_own(people):
    frame, scored = people
    found = audit_model(scored, frame, ["sex", "age"], BINARY)
    both = found["features"][-1]
    assert (both["feature"], both["intersection"], len(both["groups"])) == ("sex & age", True, 8)
    assert all(measure["feature"] in ("sex", "age") for measure in found["measures"].values())
    assert found["intersections"]["disparate_impact"] == {**both["differences"]["disparate_impact"], "feature": "sex & age"}


def test_of_intersections_the_one_that_is_surest_to_be_worst_counts():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(["x", "y"], 3000) for name in "abc"})
    positive = (rng.random(3000) < 0.5 - 0.3 * ((frame["c"] == "y") & (frame["a"] == "y"))).astype(float)
    found = audit_model(scored_classes(rng.integers(0, 2, 3000), positive), frame, ["a", "b", "c"], BINARY)
    ends = {part["feature"]: part["differences"]["disparate_impact"]["high"] for part in found["features"] if part["intersection"]}
    assert found["intersections"]["disparate_impact"]["high"] == min(ends.values())
    values = {part["feature"]: part["differences"]["disparate_impact"]["value"] for part in found["features"]}
    assert values["a & b & c"] < values["a & c"]  # the smaller the groups, the further apart the luckiest and the unluckiest
    assert found["intersections"]["disparate_impact"]["feature"] == "a & c"


def many_levels(n_rows=600):
    """Rows of which ``f`` and ``m`` are many, and twelve further levels have ten each; among these few are selected."""
    sex = np.r_[[f"level {number:02}" for number in range(12) for _ in range(10)], np.resize(["f", "m"], n_rows - 120)]
    y_true = np.resize([0, 1, 1, 0, 1], n_rows)
    positive = np.where(np.arange(n_rows) < 120, 0.1, np.resize([0.9, 0.2, 0.8], n_rows))
    return pd.DataFrame({"sex": sex}), scored_classes(y_true, positive)


def test_many_small_groups_are_judged_together():
    frame, scored = many_levels()
    found = audit_model(scored, frame, ["sex"], BINARY)
    part, measure = found["features"][0], found["measures"]["disparate_impact"]
    assert (measure["value"], measure["groups"][0]) == (0.0, "other levels")
    assert measure["judged"] == ["f", "m", "other levels"]
    assert part["groups"][-1]["group"] == "other levels"
    assert (part["groups"][-1]["n"], part["groups"][-1]["levels"], part["groups"][-1]["small"]) == (120, 12, False)
    assert sum(group["small"] for group in part["groups"]) == 12
    assert (
        "12 of 14 groups have fewer than 30 test rows, and are judged together as 'other levels' (120 rows)" in found["warnings"][0]
    )


def test_groups_with_few_positives_are_judged_together_by_their_true_positive_rate():
    frame = pd.DataFrame({"city": np.repeat(["a", "b", "c", "d"], [100, 40, 40, 400])})
    y_true = np.resize([0, 1], 580)
    decided = np.where(frame["city"].isin(["b", "c"]), 0, 1)
    found = audit_model(scored_classes(y_true, decided), frame, ["city"], BINARY)
    measure = found["measures"]["equal_opportunity_difference"]
    assert (measure["value"], measure["groups"]) == (1.0, ["other levels", "a"])
    assert found["warnings"] == [
        "city: 2 of 4 groups have fewer than 30 test rows of the class 'Yes', and are, where rates among these rows are compared, "
        "judged together as 'other levels' (40 rows): b (20), c (20)."
    ]


def test_levels_beyond_the_largest_are_one_group():
    city = np.repeat([f"city {number:03}" for number in range(250)], np.where(np.arange(250) < 5, 40, 31))
    scored = scored_numbers(np.where(np.arange(len(city)) < 200, 2.0, 1.0), np.zeros(len(city)))
    found = audit_model(scored, pd.DataFrame({"city": city}), ["city"], Audit(None, (), 30, Bootstrap(resamples=2)))
    part = found["features"][0]
    assert (part["n_groups"], len(part["groups"]), part["groups"][-1]["levels"]) == (250, 200, 51)
    assert found["warnings"] == [
        "city has 250 groups: the 199 largest are judged one by one, the others together as 'other levels'."
    ]
    assert found["measures"]["error_ratio"]["value"] == 2.0


def test_a_ratio_to_no_error_at_all_is_the_worst_there_is():
    frame = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 50, "age": ["old", "young"] * 50})
    scored = scored_numbers(np.r_[np.zeros(50), np.full(50, 4.0)], np.zeros(100))
    found = audit_model(scored, frame, ["age", "sex"], Audit(None, (), 30, FEW))
    assert found["measures"]["error_ratio"]["value"] == np.inf
    assert (found["measures"]["error_ratio"]["feature"], found["measures"]["error_ratio"]["groups"]) == ("sex", ["f", "m"])


def test_predictions_of_nothing_have_the_ratio_of_equals():
    frame = pd.DataFrame({"sex": ["f"] * 50 + ["m"] * 50})
    found = audit_model(scored_numbers(np.ones(100), np.zeros(100)), frame, ["sex"], Audit(None, (), 30, FEW))
    assert found["measures"]["mean_prediction_ratio"]["value"] == 1.0


def test_classes_keep_their_brackets():
    rng = np.random.default_rng(0)
    y_true, classes = rng.integers(0, 3, 300), ("a (b)", "(x)", "plain_one")
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 300)})
    for place, name in enumerate(classes):
        proba = np.eye(3)[np.where(frame["sex"] == "f", place, y_true)]
        audit = Audit(None, classes, 30, FEW)
        found = audit_model(Scored("multiclass", frame.index, y_true, proba), frame, ["sex"], audit)
        assert found["measures"]["selection_rate_difference"]["of"] == name
        assert f"selection_rate ({name})" in found["features"][0]["groups"][0]["metrics"]
        assert f"Selection rate ({name})" in group_table(found, tabled_metrics("multiclass", classes)).columns


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
        "intersections": {},
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
    assert found["warnings"][1].startswith("name: 600 of 600 groups have fewer than 30 test rows, and are not judged: name 0 (1), ")


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
