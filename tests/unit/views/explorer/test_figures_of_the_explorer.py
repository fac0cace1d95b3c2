"""What the explorer computes: decisions at any threshold, groups of rows, and how sure the model is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.explored import explorable

from gristmill.errors import ArtifactError
from gristmill.paths import case_paths
from gristmill.views.explorer import certainty, slices
from gristmill.views.explorer.decisions import Stakes, decide, stakes_of, sweep, threshold_for
from gristmill.views.explorer.evaluated import Evaluated, evaluated
from gristmill.views.explorer.markup import table

SCORES = np.array([0.1, 0.4, 0.4, 0.6, 0.9])
TRUTH = np.array([False, True, False, False, True])
PROFIT = Stakes("profit", 120, 40)


@pytest.fixture
def model(project: Path) -> Evaluated:
    explorable(project)
    return evaluated(case_paths("small"))


def test_a_decision_counts_rows_and_money():
    made = decide(SCORES, TRUTH, 0.4, PROFIT)
    assert (made.hits, made.in_vain, made.missed, made.left) == (2, 2, 0, 1)
    assert made.amount == pytest.approx((2 * 120 - 4 * 40) * 1000 / 5)
    assert (made.share, made.precision, made.recall) == (0.8, 0.5, 1.0)
    assert decide(SCORES, TRUTH, 0.5, Stakes("cost", 10, 70)).amount == pytest.approx((10 + 70) * 1000 / 5)
    assert (
        "acts on 4 of 5 rows (80.0 %). 2 of them are Yes (50 % of those acted on, 100 % of all that are); 0 are"
        in made.in_words(PROFIT, "Yes")
    )


@pytest.mark.parametrize("stakes", [PROFIT, Stakes("cost", 3, 17)])
def test_the_curve_is_what_deciding_at_each_threshold_gives(stakes):
    random = np.random.default_rng(0)
    scores = random.choice(np.linspace(0, 1, 101), 400)  # ties, and scores exactly at thresholds
    truth = random.random(400) < scores
    for row in sweep(scores, truth, stakes).itertuples():
        made = decide(scores, truth, row.threshold, stakes)
        assert (row.amount, row.share) == pytest.approx((made.amount, made.share))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 1.0])
def test_a_capacity_gives_the_lowest_threshold_that_keeps_it(share):
    scores = np.random.default_rng(1).random(1000) * 0.99
    threshold = threshold_for(scores, share)
    assert (scores >= threshold).mean() <= share
    assert threshold == 0 or (scores >= threshold - 0.01).mean() > share


def test_stakes_are_those_of_the_case(model: Evaluated):
    assert stakes_of(model.case.threshold) == PROFIT
    assert model.threshold == 0.4


def test_groups_of_a_column_hold_every_row_and_their_own_figures(model: Evaluated):
    found = slices.by_column(model, "plan", 0.4, PROFIT)
    inside = (model.columns["plan"] == "02").to_numpy()
    assert found["rows"].astype(int).sum() == len(model.predictions)
    assert found.loc["02", "are Yes"] == f"{100 * model.positives[inside].mean():.1f} %"
    assert found.loc["02", "found"] == f"{100 * (model.scores[inside & model.positives] >= 0.4).mean():.1f} %"
    assert "customer" not in model.sliced_by
    assert "churn" not in model.sliced_by


def test_a_group_of_few_rows_has_no_figures(model: Evaluated):
    few = pd.Series(["many"] * 395 + ["few"] * 5, index=model.columns.index)
    found = slices.by_column(Evaluated(**{**vars(model), "columns": model.columns.assign(size=few)}), "size", 0.4, PROFIT)
    assert found.loc["few", "rows"] == "5"
    assert set(found.loc["few"].drop("rows")) == {"\u2013"}
    assert "\u2013" not in set(found.loc["many"])


def test_numbers_are_judged_by_what_error_is_tolerated(project: Path):
    explorable(project, "regression")
    model = evaluated(case_paths("small"))
    size = np.abs(model.misses)
    assert certainty.within(model, 5.0).startswith(
        f"{100 * (size <= 5).mean():.1f} % of 400 predictions of spend miss by 5.000 or less."
    )
    found = slices.by_column(model, "plan", 0.5, PROFIT)
    assert float(found.loc["10", "mean error"]) == pytest.approx(size[(model.columns["plan"] == "10").to_numpy()].mean(), abs=1e-3)
    assert certainty.levels(model).loc["80 %"].to_dict() == {
        "held the truth": "81.0 %",
        "interval": "0.770\u20130.850",
        "mean width": "24.00",
    }


def test_several_classes_are_judged_by_how_sure_answers_are(project: Path):
    explorable(project, "multiclass")
    model = evaluated(case_paths("small"))
    sure = model.surest >= 0.36
    assert f"{100 * model.right[sure].mean():.1f} % of these answers are right" in certainty.answered(model, 0.36)
    assert certainty.answered(model, 1.0) == "No row is answered with a probability of 1.000 or more."


def test_a_case_that_is_not_built_says_how_to_build_it(project: Path):
    explorable(project)
    (project / "artifacts" / "small" / "fairness.json").unlink()
    with pytest.raises(ArtifactError, match=r"Expected fairness\.json in .*`make run CASE=small`"):
        evaluated(case_paths("small"))


def test_names_from_the_table_are_texts_on_the_page(model: Evaluated):
    page = table(slices.hard(model), "Segments <b>")
    assert "plan = 02 &lt;script&gt;" in page
    assert "<script>" not in page
    assert "Segments &lt;b&gt;" in page
