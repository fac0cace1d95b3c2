import pytest

from gristmill.config.mitigations import mitigations
from gristmill.modeling.mitigation import frontier
from gristmill.modeling.mitigation.frontier import in_words, standing


def points_of(setting, name="none", **changes):
    asked = setting.asked(name)
    case = setting.case(mitigation=name, **changes)
    _, choice = asked.relearnt([setting.choice.candidate], setting.choice)
    base = standing(case, asked, setting.frame, choice)
    oof, decision = asked.decided(base.oof, base.decision)
    served = frontier.Standing(base.model, oof, decision)
    return frontier.frontier(case, asked, setting.frame, setting.choice, served)


@pytest.fixture(scope="module")
def exceeded(biased):
    return points_of(biased)


def test_groups_within_the_limits_are_shown_what_more_alike_would_cost(biased, monkeypatch):
    monkeypatch.setattr(frontier, "SECONDS", 0.0)
    found = points_of(biased, min_disparate_impact=0.0, max_equal_opportunity_difference=None)
    assert found["points"][0]["keeps"]
    assert "thresholds selection 1" in [point["name"] for point in found["points"]]
    assert "no limit between groups is exceeded" in in_words(found)


def test_where_a_limit_is_exceeded_every_point_is_looked_at_or_named(exceeded):
    names = [point["name"] for point in exceeded["points"]]
    assert sorted([*names, *exceeded["left_out"]]) == sorted(mitigations("binary"))
    first = exceeded["points"][0]
    assert (first["name"], first["chosen"], first["keeps"]) == ("none", True, False)


def test_thresholds_by_group_bring_rates_closer_on_the_frontier(exceeded):
    points = {point["name"]: point for point in exceeded["points"]}
    assert points["thresholds selection 1"]["disparate_impact"] > points["none"]["disparate_impact"] + 0.2
    assert points["thresholds selection 0.5"]["disparate_impact"] < points["thresholds selection 1"]["disparate_impact"]
    assert 0 <= points["thresholds selection 1"]["gain"] <= 1  # the F1 that the rule makes greatest


def test_without_time_what_must_be_learnt_is_left_out_and_named(biased, monkeypatch):
    monkeypatch.setattr(frontier, "SECONDS", 0.0)
    found = points_of(biased)
    assert found["left_out"] == ["reweighing 0.5", "reweighing 1", "balancing 1", "gradient selection", "gradient opportunity"]
    assert "thresholds opportunity 1" in [point["name"] for point in found["points"]]


def test_the_point_that_is_asked_for_is_judged_as_it_serves_beside_the_one_without(biased, monkeypatch):
    monkeypatch.setattr(frontier, "SECONDS", 0.0)
    found = points_of(biased, "reweighing 1", min_disparate_impact=0.0)
    chosen = [point for point in found["points"] if point["chosen"]]
    assert [point["name"] for point in chosen] == ["reweighing 1"]
    assert chosen[0]["model"] == "linear, reweighing 1"
    assert chosen[0]["disparate_impact"] > found["points"][0]["disparate_impact"]


def test_a_regression_has_points_of_its_own(biased_numbers):
    found = points_of(biased_numbers, max_error_ratio=1.0)
    assert {point["name"] for point in found["points"]} <= set(mitigations("regression"))
    assert found["points"][0]["error_ratio"] > 1.0


def test_without_sensitive_features_there_is_nothing_to_look_at(biased):
    asked = biased.asked("none")
    case = biased.case().model_copy(update={"sensitive_features": ()})
    found = frontier.frontier(case, type(asked)("none", biased.rows, {}, "roc_auc", None), biased.frame, biased.choice, None)
    assert in_words(found) == "The case names no sensitive features."


def test_a_point_with_an_infinite_disparity_keeps_no_limit(biased_numbers, monkeypatch):
    monkeypatch.setattr(frontier, "SECONDS", 0.0)
    exact = biased_numbers.rows.y + 1.0 * (biased_numbers.frame["sex"] == "m").to_numpy()
    served = frontier.Standing("linear", exact, None)
    case, asked = biased_numbers.case(), biased_numbers.asked("none")
    (point,) = frontier.frontier(case, asked, biased_numbers.frame, biased_numbers.choice, served)["points"]
    assert (point["infinite"], point["keeps"]) == (["error_ratio"], False)
