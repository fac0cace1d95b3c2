import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.schema import infer
from gristmill.errors import DataError
from gristmill.metrics.groups import as_groups
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.modeling.choice import selection
from gristmill.modeling.choice.candidates import Choice
from gristmill.modeling.mitigation.asked import asked_of
from gristmill.modeling.mitigation.group_disparity import Predicted, disparities
from gristmill.serving.predictor import Predictor


def apart(setting, oof, threshold=0.5):
    rows = setting.rows
    return disparities(setting.case(), Predicted(rows.y, oof, threshold), {"sex": as_groups(setting.frame["sex"])})


def final(setting, choice: Choice):
    params = {"linear": setting.member.params}
    return selection.final_estimator(choice.candidate.weights, params, setting.rows.problem, None)


def test_without_a_mitigation_everything_passes_through_and_the_same_is_trained(biased):
    asked = biased.asked("none")
    found, choice = asked.relearnt([biased.choice.candidate], biased.choice)
    assert choice is biased.choice
    assert found == [biased.choice.candidate]
    assert asked.decided(biased.member.oof, None)[0] is biased.member.oof
    record = {"feature_columns": ["x"]}
    assert asked.recorded(record, biased.member.oof, None) == record
    plan = biased.rows.problem.plan
    same = selection.refit(plan, final(biased, choice), biased.frame, biased.rows.y).predict_proba(biased.frame)
    assert (asked.refit(plan, final(biased, choice), biased.frame).predict_proba(biased.frame) == same).all()


@pytest.mark.parametrize("name", ["reweighing 1", "gradient selection"])
def test_a_model_that_is_learnt_again_selects_more_alike_out_of_fold_and_when_refitted(biased, name):
    asked = biased.asked(name)
    found, choice = asked.relearnt([biased.choice.candidate], biased.choice)
    before, after = (apart(biased, oof)["disparate_impact"] for oof in (biased.member.oof, choice.candidate.oof))
    assert after > before + 0.1
    assert found[-1] is choice.candidate
    assert name in choice.candidate.name
    model = asked.refit(biased.rows.problem.plan, final(biased, choice), biased.frame)
    assert apart(biased, model.predict_proba(biased.frame))["disparate_impact"] > before + 0.1


def test_a_regression_is_reweighed_too(biased_numbers):
    asked = biased_numbers.asked("reweighing 1")
    _, choice = asked.relearnt([biased_numbers.choice.candidate], biased_numbers.choice)
    means = [
        np.array([oof[biased_numbers.frame["sex"] == sex].mean() for sex in "fm"])
        for oof in (biased_numbers.member.oof, choice.candidate.oof)
    ]
    assert np.diff(means[1])[0] < np.diff(means[0])[0]


def saved(setting, folder, name: str):
    """Write the model that a case asks for, as 06_select does, and return it with its decision."""
    asked, choice = setting.asked(name), setting.choice
    by_rule = selection.threshold(setting.rows, setting.member.oof, setting.case(), setting.frame)
    oof, decision = asked.decided(setting.member.oof, by_rule)
    case = setting.case(exclude_from_model=True)
    contract = infer(setting.frame, case)
    plain = selection.model_record(case, setting.rows.problem.plan, setting.rows, choice, decision)
    record = asked.recorded(plain, setting.member.oof, by_rule)
    pipeline = asked.refit(setting.rows.problem.plan, final(setting, choice), setting.frame)
    save_candidate(folder, pipeline, record, contract, {"columns": {}}, "small")
    return pipeline, oof, decision, record


def test_group_thresholds_are_served_row_by_row_from_model_json(biased, tmp_path):
    pipeline, _, decision, record = saved(biased, tmp_path / "model", "thresholds selection 1")
    answers = Predictor.load(tmp_path / "model").predict(biased.frame.drop(columns="y"))
    own = biased.frame["sex"].map(record["group_thresholds"]["by_group"])
    expected = np.where(pipeline.predict_proba(biased.frame)[:, 1] >= own, "yes", "no")
    assert (answers["prediction"] == expected).all()
    assert ((answers["probability"] >= decision.value) == (expected == "yes")).all()
    one = Predictor.load(tmp_path / "model").predict(biased.frame.iloc[[3]])
    assert one["probability"].iloc[0] == answers["probability"].iloc[3]


def test_group_thresholds_select_more_alike_out_of_fold(biased, tmp_path):
    _, oof, decision, _ = saved(biased, tmp_path / "model", "thresholds selection 1")
    assert apart(biased, oof, decision.value)["disparate_impact"] > 0.75 > apart(biased, biased.member.oof)["disparate_impact"]
    assert "a threshold of its own" in decision.reason


def test_a_row_without_its_sensitive_column_is_refused_by_name(biased, tmp_path):
    saved(biased, tmp_path / "model", "thresholds selection 1")
    with pytest.raises(DataError, match="column 'sex' is missing; the model has a threshold for each group"):
        FittedModel.load(tmp_path / "model").predict_values(biased.frame.drop(columns="sex"))


def test_a_sensitive_column_that_is_not_in_the_contract_is_refused(biased):
    case = biased.case(mitigation="thresholds selection 1")
    with pytest.raises(DataError, match="Expected the sensitive column 'sex' in the data contract"):
        asked_of(case, biased.rows, {"linear": biased.member}, biased.frame.drop(columns="sex"))
    assert asked_of(biased.case(), biased.rows, {}, pd.DataFrame(index=biased.frame.index)).people is None
