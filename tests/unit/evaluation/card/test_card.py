"""The card as a whole: its sections, what it says where evidence is missing, and that names stay names."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import mistune
import pytest
from tests.card_evidence import all_measured, full_case, segment
from tests.models import case_of

from gristmill.evaluation.card import card
from gristmill.evaluation.card.evidence import Evidence

Full = Callable[[str], Evidence]
MITCHELL = [
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations",
]  # fmt: skip
TASKS = ["binary", "multiclass", "regression"]
SECTION_OF = {
    "snapshot": ["Training data", "Lineage"],
    "quality": ["Training data"],
    "catalogue": ["Lineage"],
    "selection": ["Model details", "Training data"],
    "evaluation": ["Metrics", "Evaluation data", "Factors", "Quantitative analyses", "Behaviour", "Uncertainty"],
    "explanation": ["Explanation"],
    "fairness": ["Quantitative analyses"],
    "judged": ["Gates"],
}
HOSTILE = "<script>alert(1)</script> | `x`\n# *no* [a](javascript:b) &lt; _y_"


def headings(markdown: str) -> list[tuple[int, str]]:
    return [(len(found[1]), found[2]) for found in re.finditer(r"^(#+) (.*)$", markdown, re.MULTILINE)]


def tables(markdown: str) -> list[Any]:
    parsed = mistune.create_markdown(renderer="ast", plugins=["table"])(markdown)
    return [token for token in parsed if token["type"] == "table"]


@pytest.mark.parametrize("task", TASKS)
def test_the_headings_are_those_of_the_paper_in_its_order_and_no_level_is_left_out(full: Full, task: str) -> None:
    found = headings(card.card_body(full(task)))
    assert [text for level, text in found if level == 2 and text in MITCHELL] == MITCHELL
    assert found[0] == (1, "Model card: small")
    assert all(later <= earlier + 1 for (earlier, _), (later, _) in pairwise(found))


@pytest.mark.parametrize("task", TASKS)
def test_a_full_build_leaves_no_section_without_evidence_and_no_number_without_a_form(full: Full, task: str) -> None:
    body = card.card_body(full(task))
    assert "No evidence" not in body
    assert not re.search(r"\b(nan|None|inf|Timestamp)\b", body)


@pytest.mark.parametrize("task", TASKS)
def test_every_table_is_one_and_its_rows_have_as_many_cells_as_its_head(full: Full, task: str) -> None:
    body = card.card_body(full(task))
    starts = len(re.findall(r"^\|(?:---\|)+$", body, re.MULTILINE))
    found = tables(body)
    assert len(found) == starts >= 10
    for one in found:
        head, rest = one["children"]
        assert {len(row["children"]) for row in rest["children"]} == {len(head["children"])}


@pytest.mark.parametrize(("name", "parts"), SECTION_OF.items())
def test_a_section_whose_evidence_is_missing_says_so(evidence: Evidence, name: str, parts: list[str]) -> None:
    without = card.sections(replace(evidence, **{name: None}))
    assert {heading for heading in parts if "No evidence" not in without[heading]} == set()


@pytest.mark.parametrize("name", ["searches", "lineage", "costs"])
def test_a_card_without_times_or_lineage_says_so(evidence: Evidence, name: str) -> None:
    found = card.sections(replace(evidence, **{name: {}}, **({"searches": {}} if name == "costs" else {})))
    wanted = {"searches": "seconds", "lineage": "No evidence", "costs": "No evidence"}[name]
    assert wanted in found["Lineage" if name == "lineage" else "Cost"]


@pytest.mark.parametrize("task", TASKS)
def test_a_card_without_any_evidence_can_be_written_and_forbids_the_use(full: Full, task: str) -> None:
    bare = Evidence(case_of(task), "f" * 64, full(task).written_at)
    found = card.sections(bare)
    assert [heading for heading, text in found.items() if not text] == []
    assert sum("No evidence" in text for text in found.values()) >= 10
    assert "Not evaluated: do not use this model." in card.card_markdown(bare)
    assert card.card_images(bare) == {}


def test_training_figures_have_intervals_and_are_said_to_be_of_seen_rows(evidence: Evidence) -> None:
    metrics = card.sections(evidence)["Metrics"]
    train = evidence.evaluation["train"]["roc_auc"]
    assert f"{train['value']:.3f} ({train['low']:.3f}\u2013{train['high']:.3f})" in metrics
    assert "The model has seen the training rows: their figures say nothing about new ones." in metrics


def test_what_it_means_in_practice_is_told_in_rows_of_a_hundred(full: Full) -> None:
    said = card.sections(full("binary"))["Metrics"]
    assert "calls 50 of 100 rows `Yes`, where 50 of 100 are. Of 100 so called 75 are `Yes`; of 100 that are, it finds 75." in said
    assert "of 100 rows it decides 60 rightly" in card.sections(full("multiclass"))["Metrics"]
    mae = full("regression").evaluation["test"]["mae"]["value"]
    assert f"the predicted `spend` is off by {mae:.3f}" in card.sections(full("regression"))["Metrics"]


def test_data_are_told_with_version_date_split_and_how_often_the_test_rows_were_used(evidence: Evidence) -> None:
    found = card.sections(evidence)
    assert "`customers.csv`, version `v1`" in found["Training data"]
    assert f"`{'a' * 64}`, taken 2026-11-21 14:40 UTC" in found["Training data"]
    assert "480 train, 200 test" in found["Training data"]
    assert "**These rows have judged 3 candidates so far**" in found["Evaluation data"]


def test_the_case_file_speaks_where_the_card_is_about_use_and_risks(evidence: Evidence) -> None:
    found = card.sections(evidence)
    assert "Choosing whom to call." in found["Intended use"]
    assert "**Out of scope:** Prices." in found["Intended use"]
    assert "- Nobody is refused service by it.\n- Reviewed monthly." in found["Ethical considerations"]
    silent = card.sections(replace(evidence, case=case_of()))
    assert "No evidence: the case file does not state `compliance.intended_use`." in silent["Intended use"]
    assert "No evidence beyond this" in silent["Ethical considerations"]


def hostile(evidence: Evidence) -> Evidence:
    """Return evidence in which every text that comes from data or the case file is hostile."""
    evaluation = evidence.evaluation
    said = {**evaluation["behaviour"][0], "name": HOSTILE, "claim": HOSTILE}
    critical = {**evaluation["critical_segments"][0], "name": HOSTILE, "segment": HOSTILE}
    first = segment(HOSTILE, "plan", {"value": 0.6, "low": 0.5, "high": 0.7}, worse=True)
    confusion = {"classes": ["No", HOSTILE], "counts": [[1, 2], [3, 4]]}
    changed = {"segments": [first], "behaviour": [said], "critical_segments": [critical], "curves": {"confusion": confusion}}
    shap = [{**evidence.explanation["shap"][0], "feature": HOSTILE, "direction": HOSTILE}]
    disputed = [{"feature": HOSTILE, "ranks": {HOSTILE: 1.0}, "because": HOSTILE}]
    audit = {**evidence.fairness, "warnings": [HOSTILE]}
    audit["features"] = [
        {**part, "feature": HOSTILE, "groups": [{**group, "group": HOSTILE} for group in part["groups"]]}
        for part in audit["features"]
    ]
    case = full_case("binary").model_copy(update={"target": HOSTILE, "positive_class": HOSTILE})
    told = case.compliance.model_copy(
        update={"owner": HOSTILE, "intended_use": HOSTILE, "out_of_scope": HOSTILE, "notes": (HOSTILE,)}
    )
    return replace(
        evidence,
        case=case.model_copy(update={"compliance": told}),
        evaluation={**evaluation, **changed},
        explanation={**evidence.explanation, "shap": shap, "disagreements": disputed},
        fairness=audit,
        snapshot={**evidence.snapshot, "uri": HOSTILE},
        selection={**evidence.selection, "chosen": HOSTILE, "reason": HOSTILE},
        catalogue={"features": [{"source_columns": [HOSTILE]}]},
        lineage={"code_version": HOSTILE},
    )


def test_hostile_names_stay_names_on_the_page(evidence: Evidence) -> None:
    page = card.card_html(hostile(evidence))
    assert "<script>alert" not in page
    assert 'href="javascript:' not in page
    assert page.count("<h1") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | `x` # *no* [a](javascript:b) &amp;lt; _y_" in page


def test_hostile_names_add_no_heading_and_no_cell_to_the_markdown(evidence: Evidence) -> None:
    body, plain = card.card_body(hostile(evidence)), card.card_body(evidence)
    assert headings(body) == headings(plain)
    for one in tables(body):
        head, rest = one["children"]
        assert {len(row["children"]) for row in rest["children"]} == {len(head["children"])}
    parsed = str(mistune.create_markdown(renderer="ast", plugins=["table"])(body))
    assert "'type': 'link'" not in parsed
    assert "inline_html" not in parsed
    assert "block_html" not in parsed


def test_the_page_is_one_file_with_figures_and_a_verdict_in_its_colour(evidence: Evidence) -> None:
    page = card.card_html(all_measured(evidence), card.card_images(evidence))
    assert page.count('<img src="data:image/png;base64,') == 2
    assert 'src="http' not in page
    assert page.count('<div class="notice good" role="note">') == 1
    assert "<blockquote>" not in page
    assert '<a href="#gates">Gates</a>' in page
    assert "data:image" not in card.card_markdown(evidence)


def test_the_figures_show_the_champion_where_there_is_one(evidence: Evidence) -> None:
    scores = {"roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}
    judged = replace(
        evidence.judged, champion_version=3, champion="Better.", champion_detail="Better by far.", champion_scores=scores
    )
    found = replace(evidence, judged=judged)
    assert card.card_images(found)["scores"] != card.card_images(evidence)["scores"]
    metrics = card.sections(found)["Metrics"]
    assert "champion, version 3 (test)" in metrics
    assert "| 0.700 (0.600\u20130.800) |" in metrics
    assert "**Beside the champion.** Better by far." in metrics
