import numpy as np
import pandas as pd

from gristmill.evaluation.explanation.agreement import agreement, closest_column, disagreement_table, disagreements


def test_agreement_is_the_correlation_of_ranks():
    first, other = pd.Series({"a": 3.0, "b": 2.0, "c": 1.0}), pd.Series({"a": 10.0, "b": 5.0, "c": 6.0})
    (pair,) = agreement({"SHAP": first, "LIME": other}, top=2)
    assert pair == {"methods": ["SHAP", "LIME"], "rank_correlation": 0.5, "shared_top": 1, "top": 2}


def test_agreement_with_a_method_that_finds_nothing_is_unknown():
    (pair,) = agreement({"SHAP": pd.Series({"a": 1.0, "b": 2.0}), "LIME": pd.Series({"a": 0.0, "b": 0.0})})
    assert pair["rank_correlation"] is None


def test_columns_that_methods_rank_differently_are_named_with_their_twin():
    rng = np.random.default_rng(0)
    tenure = rng.integers(0, 72, 400)
    rows = pd.DataFrame({"tenure": tenure, "months": tenure + 1, **{name: rng.normal(size=400) for name in "abcde"}})
    shap = pd.Series([7.0, 6, 5, 4, 3, 2, 1], index=rows.columns)
    permutation = pd.Series([0.0, 6, 5, 4, 3, 2, 1], index=rows.columns)
    (found,) = disagreements({"SHAP": shap, "permutation": permutation}, rows)
    assert found["feature"] == "tenure"
    assert found["ranks"] == {"SHAP": 1.0, "permutation": 7.0}
    assert found["because"].startswith("months tells much the same")
    assert disagreement_table([found]).loc["tenure", "rank by permutation"] == "7.0"
    assert disagreements({"SHAP": shap, "permutation": shap}, rows) == []


def test_independent_columns_tell_nothing_of_each_other():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"a": rng.normal(size=400), "b": rng.choice(["u", "v"], 400)})
    assert closest_column("a", rows)[1] < 0.15
