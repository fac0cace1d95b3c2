import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fair

from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.predictions import Scored
from gristmill.metrics.groups import as_groups, crossed
from gristmill.metrics.intervals import Bootstrap
from gristmill.modeling.mitigation.group_disparity import Predicted, beyond, disparities
from gristmill.registry.fairness_gates import fairness_gates


def test_out_of_fold_disparities_are_those_of_fairlearn(biased):
    y, oof, sex = biased.rows.y, biased.member.oof, biased.frame["sex"]
    found = disparities(biased.case(), Predicted(y, oof, 0.5), {"sex": as_groups(sex)})
    options = {"y_true": y, "y_pred": oof[:, 1] >= 0.5, "sensitive_features": sex}
    assert found["disparate_impact"] == pytest.approx(fair.demographic_parity_ratio(**options), abs=1e-12)
    assert found["equal_opportunity_difference"] == pytest.approx(fair.equal_opportunity_difference(**options), abs=1e-12)
    assert found["equalized_odds_difference"] == pytest.approx(fair.equalized_odds_difference(**options), abs=1e-12)


def test_numbers_are_compared_by_errors_and_means(biased_numbers):
    y, sex = biased_numbers.rows.y, biased_numbers.frame["sex"]
    predicted = np.where(sex == "f", 2.0, 5.0)
    found = disparities(biased_numbers.case(), Predicted(y, predicted), {"sex": as_groups(sex)})
    assert found["mean_prediction_ratio"] == pytest.approx(0.4)
    errors = np.abs(y - predicted)
    means = sorted(errors[(sex == one).to_numpy()].mean() for one in "fm")
    assert found["error_ratio"] == pytest.approx(means[1] / means[0])


def test_what_cannot_be_measured_is_not_a_number(biased):
    nobody = as_groups(biased.frame["sex"]).map(lambda _: "f")
    rows = Predicted(biased.rows.y, biased.member.oof, 0.5)
    assert np.isnan(disparities(biased.case(), rows, {"sex": nobody})["disparate_impact"])


def test_an_error_ratio_to_nothing_is_infinite_and_not_unknown(biased_numbers):
    y, sex = biased_numbers.rows.y, biased_numbers.frame["sex"]
    rows = Predicted(y, np.where(sex == "f", y, y + 1.0))
    assert disparities(biased_numbers.case(), rows, {"sex": as_groups(sex)})["error_ratio"] == np.inf


@pytest.fixture
def one_intersection():
    """Rows of which the model selects one intersection more seldom, and neither a sex nor an age alone."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 4000), "old": rng.choice(["y", "n"], 4000)})
    same = (frame["sex"] == "f") == (frame["old"] == "y")
    chosen = (rng.random(4000) < np.where(same, 0.3, 0.6)).astype(int)
    return frame, Predicted(chosen, np.column_stack([1 - chosen, chosen]).astype(float), 0.5)


def test_an_intersection_that_surely_breaks_a_limit_is_named_as_the_gates_judge_it(biased, one_intersection):
    frame, rows = one_intersection
    own, case = {name: as_groups(frame[name]) for name in frame}, biased.case()
    assert disparities(case, rows, own)["disparate_impact"] > 0.85
    assert beyond(case, rows, crossed(own)) == {"disparate_impact": "sex & old"}
    audit = Audit(0.5, ("No", "Yes"), 20, Bootstrap(case.evaluation.confidence, case.evaluation.resamples))
    found = audit_model(Scored("binary", frame.index, rows.y, rows.predicted), frame, list(frame), audit)
    assert [one.name for one in fairness_gates(case, found) if one.failed] == ["disparate_impact"]


def test_an_intersection_that_may_lie_apart_by_chance_breaks_nothing(biased, one_intersection):
    frame, rows = one_intersection
    few = Predicted(rows.y[:200], rows.predicted[:200], 0.5)
    own = {name: as_groups(frame[name].head(200)) for name in frame}
    apart = disparities(biased.case(), few, crossed(own))["disparate_impact"]
    case = biased.case(min_disparate_impact=round(apart + 0.02, 2), max_equal_opportunity_difference=None)
    assert apart < case.fairness.min_disparate_impact
    assert beyond(case, few, crossed(own)) == {}
