from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import yaml
from tests.models import case_of

from gristmill.evaluation.card import card
from gristmill.evaluation.fairness.audits import Audit, audit_model
from gristmill.evaluation.measure import baseline_scored, measure
from gristmill.metrics.intervals import Bootstrap

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SECTIONS = [
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations", "How it was made",
]  # fmt: skip
MORE = (
    "sensitive_features: [plan]\ncompliance: {owner: Retention, intended_use: Choosing whom to call., personal_data: true}\n"
    "evaluation: {success_criteria: {roc_auc: 0.7}}\nfairness: {min_disparate_impact: 0.8}\n"
)
SELECTION = {"chosen": "ensemble", "weights": {"linear": 0.25, "boosting": 0.75}, "reason": "it leads", "calibration": None}


@pytest.fixture
def evidence(evaluated):
    found, few = evaluated("binary"), Bootstrap(resamples=100)
    scores = measure(found.model, found.scored, few)
    naive = measure(found.model, baseline_scored("prior", found.scored.y_true, found.scored, 2), few)
    segment = {"feature": "plan", "segment": "plan = a|b", "n": 50, "loss": 0.9, "rest_loss": 0.4, "worse": True, "value": 0.6}
    evaluation = {
        "primary_metric": "roc_auc", "test": scores, "validation": scores, "train": scores, "business": None,
        "baseline": {"name": "prior", "test": naive}, "row_ms_p95": 12.5, "test_set_uses": 3, "confidence": 0.95,
        "rows": dict.fromkeys(("test", "validation", "train", "baseline"), 200), "segments": [segment], "segments_tested": 9,
        "segments_worse": 1,
    }  # fmt: skip
    audit = audit_model(found.scored, found.test, ["plan"], Audit(0.4, found.model.classes, 30, few))
    importance = [{"feature": "tenure", "mean": 0.1, "low": 0.05, "high": 0.2, "mean_abs": 0.3}]
    pair = {"methods": ["SHAP", "LIME"], "rank_correlation": 0.5, "shared_top": 1, "top": 1}
    lime = [{"row_key": "row 1", "stability": 0.2, "reasons": []}]
    return card.Evidence(
        case_of(more=MORE), "f" * 64, WHEN, SELECTION | {"threshold": {"value": 0.4, "rule": "f1"}},
        snapshot={"uri": "customers.csv", "digest": "a" * 64, "rows": 260, "columns": {"a": "int64"}, "source_version": None,
                  "ingested_at": "2026-01-01"},
        quality={"completeness": 0.98, "schema_compliance": 1.0, "duplicates": 2, "missing_target": 0,
                 "checks": [{"passed": False, "message": "2 rows <b>are</b> copies."}, {"passed": True, "message": "fine"}]},
        catalogue={"features": [{"source_columns": ["tenure"]}]},
        evaluation=evaluation, fairness=audit, searches={"linear": {"enabled": True, "trials": [{"seconds": 1.5}]}},
        explanation={"shap": importance, "permutation": importance, "agreement": [pair], "lime": lime,
                     "rows": {"explained": 50, "test": 200}},
        lineage={"code_version": "abc"},
    )  # fmt: skip


def nothing(evidence):
    empty = dict.fromkeys(("snapshot", "quality", "catalogue", "evaluation", "fairness", "explanation"))
    return replace(evidence, case=case_of(), searches={}, lineage={}, **empty)


def test_the_card_has_the_sections_of_the_papers_card(evidence):
    body = card.card_body(evidence)
    assert [line[3:] for line in body.splitlines() if line.startswith("## ")] == SECTIONS


def test_the_metadata_can_be_read_by_the_hub(evidence):
    _, block, _ = card.card_markdown(evidence).split("---\n", 2)
    found = yaml.safe_load(block)
    result = found["model-index"][0]["results"][0]
    assert found["pipeline_tag"] == "tabular-classification"
    assert result["dataset"]["revision"] == "a" * 64
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values["roc_auc"] == evidence.evaluation["test"]["roc_auc"]["value"]


def test_every_figure_comes_from_the_evidence(evidence):
    body = card.card_body(evidence)
    value = evidence.evaluation["test"]["roc_auc"]
    assert f"**ROC-AUC** | {card.measured(value)} |" in body
    assert "linear (25 %), boosting (75 %)" in body
    assert "These rows have judged 3 candidates" in body
    assert "| Search, linear | 1.5 s in 1 trial |" in body


def test_a_card_without_evidence_says_so_in_every_section(evidence):
    body = card.card_body(nothing(evidence))
    assert body.count("No evidence") >= 7
    assert "**Not evaluated.** Do not use this model" in body
    assert "The model was not evaluated." in body


def test_caveats_follow_from_what_was_measured(evidence):
    found = "\n".join(card.caveats(evidence))
    assert "judged 3 candidates" in found
    assert r"plan = a\|b" in found
    assert "LIME's reasons for 1 of 1 rows" in found


def test_an_unaudited_model_about_people_is_a_caveat(evidence):
    case = case_of(more="compliance: {personal_data: true}\n")
    assert any("no group was audited" in caveat for caveat in card.caveats(replace(evidence, case=case)))


def test_a_broken_limit_is_a_caveat_and_stands_in_the_table(evidence):
    measures = {"disparate_impact": {"value": 0.5, "low": 0.4, "high": 0.6, "feature": "plan", "groups": ["01", "02"]}}
    broken = replace(evidence, fairness={**evidence.fairness, "measures": measures})
    body = card.card_body(broken)
    assert "| Disparate impact | 0.500 (0.400\u20130.600) | plan: 01 against 02 | at least 0.8 | **no** |" in body
    assert "- Disparate impact is 0.500 (0.400\u20130.600) for `plan`; the limit is at least 0.8." in body


@pytest.mark.parametrize(("low", "high", "verdict"), [
    (0.6, 0.8, "beyond chance"), (0.45, 0.8, "cannot be told"), (0.3, 0.4, "worse than the baseline"), (None, None, "could not be"),
])  # fmt: skip
def test_the_summary_judges_the_whole_interval(evidence, low, high, verdict):
    test = {"roc_auc": {"value": 0.5, "low": low, "high": high}}
    baseline = {"name": "prior", "test": {"roc_auc": {"value": 0.5}}}
    evaluation = {**evidence.evaluation, "test": test, "baseline": baseline}
    assert verdict in card.summary(replace(evidence, evaluation=evaluation))


def test_a_smaller_error_is_a_better_one(evidence):
    test = {"rmse": {"value": 2.0, "low": 1.0, "high": 3.0}}
    baseline = {"name": "mean", "test": {"rmse": {"value": 4.0}}}
    evaluation = {**evidence.evaluation, "primary_metric": "rmse", "test": test, "baseline": baseline}
    assert "beats the baseline beyond chance" in card.summary(replace(evidence, evaluation=evaluation))


def test_an_out_of_fold_score_outside_the_test_interval_is_a_caveat(evidence):
    validation = {"roc_auc": {"value": 0.999}}
    test = {**evidence.evaluation["test"], "roc_auc": {"value": 0.6, "low": 0.5, "high": 0.7}}
    evaluation = {**evidence.evaluation, "validation": validation, "test": test}
    assert any("out of fold (0.999)" in caveat for caveat in card.caveats(replace(evidence, evaluation=evaluation)))


def test_texts_from_data_stay_texts(evidence):
    page = card.card_html(evidence)
    assert "<b>are</b>" not in page
    assert "&lt;b&gt;are" in page
    assert card.escape_text("a|b\n*c*") == r"a\|b \*c\*"
    assert card.escape_code("x`y|z") == r"x'y\|z"


def test_the_page_shows_figures_and_loads_nothing(evidence):
    page = card.card_html(evidence, {"scores": "data:image/png;base64,AAAA"})
    assert '<img src="data:image/png;base64,AAAA"' in page
    assert 'src="http' not in page
    assert "data:image" not in card.card_markdown(evidence)


def test_unmeasured_values_are_dashes():
    assert card.measured(None) == "\u2013"
    assert card.measured({"value": np.nan}) == "\u2013"


def test_the_schema_is_told_by_columns(evidence):
    assert "| Schema | 100.0 % of the columns keep every stop rule |" in card.card_body(evidence)


def test_intervals_are_said_to_be_what_they_are_and_training_rows_have_none(evidence):
    body = card.card_body(evidence)
    value = evidence.evaluation["train"]["roc_auc"]
    assert (
        "95 % bootstrap intervals over rows, corrected for bias and skewness (1,000 resamples, the share of each class held fixed)"
        in body
    )
    assert f"| {card.measured(value)} | {value['value']:.3f} |" in body


def test_the_card_says_which_rows_intervals_come_from_and_what_the_baseline_earns(evidence):
    earned = {"name": "profit", "value": 9.0, "low": 7.0, "high": 11.0, "everyone": -8.0}
    simple = evidence.evaluation["baseline"] | {"business": earned | {"value": 2.0, "low": 2.0, "high": 2.0}}
    facts = {"rows": 1_000_000, "resamples": 1000, "bags": 10, "in_bags": 64_990}
    evaluation = {**evidence.evaluation, "business": earned, "baseline": simple, "intervals": facts}
    body = card.card_body(replace(evidence, evaluation=evaluation))
    assert "intervals come from 1,000 resamples of 10 bags that hold 64,990 of them. Training rows have none" in body
    assert "acting on every row instead would give \u22128.000, the baseline gives 2.000." in body
    assert "how another fit would differ. Training rows have none" in card.card_body(evidence)


def test_the_card_says_why_the_threshold_is_where_it_is(evidence):
    reason = "The selection rate differs by 0.05 between groups of sex (a and b), within the limit of 0.1."
    chosen = {"value": 0.4, "rule": "f1", "reason": reason}
    body = card.card_body(replace(evidence, selection=evidence.selection | {"threshold": chosen}))
    assert f"(rule *f1*, set out of fold). {card.escape_text(reason)} |" in body


def test_numbers_times_and_names_are_written_in_the_house_style(evidence):
    snapshot = {**evidence.snapshot, "rows": 7043, "ingested_at": "2026-11-21T14:40:58+00:00"}
    pair = {"methods": ["permutation", "LIME"], "rank_correlation": 0.5, "shared_top": 1, "top": 1}
    business = {"name": "profit", "value": 9176.0, "low": 7955.0, "high": 10312.0, "everyone": -8295.0}
    evaluation = {**evidence.evaluation, "business": business}
    told = {**evidence.explanation, "agreement": [pair]}
    body = card.card_body(replace(evidence, snapshot=snapshot, explanation=told, evaluation=evaluation))
    assert "taken 2026-11-21 14:40 UTC" in body
    assert "| Rows and columns | 7,043 \u00d7 1 |" in body
    assert "**9,176 (7,955\u201310,312)**; acting on every row instead would give \u22128,295." in body
    assert "Permutation and LIME rank" in body
    assert "| Code version | `abc` |" in body
