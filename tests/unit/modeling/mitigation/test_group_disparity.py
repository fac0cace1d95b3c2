import numpy as np
import pytest
from fairlearn import metrics as fair

from gristmill.metrics.groups import as_groups
from gristmill.modeling.mitigation.group_disparity import disparities


def test_out_of_fold_disparities_are_those_of_fairlearn(biased):
    y, oof, sex = biased.rows.y, biased.member.oof, biased.frame["sex"]
    found = disparities(biased.case(), y, oof, 0.5, {"sex": as_groups(sex)})
    options = {"y_true": y, "y_pred": oof[:, 1] >= 0.5, "sensitive_features": sex}
    assert found["disparate_impact"] == pytest.approx(fair.demographic_parity_ratio(**options), abs=1e-12)
    assert found["equal_opportunity_difference"] == pytest.approx(fair.equal_opportunity_difference(**options), abs=1e-12)
    assert found["equalized_odds_difference"] == pytest.approx(fair.equalized_odds_difference(**options), abs=1e-12)


def test_numbers_are_compared_by_errors_and_means(biased_numbers):
    y, sex = biased_numbers.rows.y, biased_numbers.frame["sex"]
    predicted = np.where(sex == "f", 2.0, 5.0)
    found = disparities(biased_numbers.case(), y, predicted, None, {"sex": as_groups(sex)})
    assert found["mean_prediction_ratio"] == pytest.approx(0.4)
    errors = np.abs(y - predicted)
    means = sorted(errors[(sex == one).to_numpy()].mean() for one in "fm")
    assert found["error_ratio"] == pytest.approx(means[1] / means[0])


def test_what_cannot_be_measured_is_not_a_number(biased):
    nobody = as_groups(biased.frame["sex"]).map(lambda _: "f")
    assert np.isnan(disparities(biased.case(), biased.rows.y, biased.member.oof, 0.5, {"sex": nobody})["disparate_impact"])
