"""The YAML block of the card keeps the specification of Hugging Face's hub, and leaves out what is not known."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import yaml
from tests.models import case_of

from gristmill.errors import ArtifactError
from gristmill.evaluation.card.card import card_markdown
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.metadata import metadata, written_at

KNOWN = {"language", "license", "license_link", "library_name", "tags", "metrics", "model-index", "model_name", "pipeline_tag"}


def block(evidence: Evidence) -> dict[str, Any]:
    found = yaml.safe_load(card_markdown(evidence).split("---\n", 2)[1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_has_the_keys_and_the_kinds_of_the_specification(full: Callable[[str], Evidence], task: str) -> None:
    found = block(full(task))
    assert set(found) - {"gristmill"} <= KNOWN
    assert found["pipeline_tag"] == ("tabular-regression" if task == "regression" else "tabular-classification")
    assert all(isinstance(tag, str) for tag in found["tags"])
    (index,) = found["model-index"]
    for result in index["results"]:
        assert result["task"]["type"] == found["pipeline_tag"]
        assert {"type", "name"} <= set(result["dataset"]) <= {"type", "name", "config", "split", "revision", "args"}
        for metric in result["metrics"]:
            assert isinstance(metric["value"], float)
            assert metric["type"] in found["metrics"]


def test_results_are_told_by_data_set_and_come_from_the_evidence(evidence: Evidence) -> None:
    results = block(evidence)["model-index"][0]["results"]
    assert [(result["dataset"]["split"], result["dataset"]["revision"]) for result in results] == [
        ("test", "a" * 64),
        ("validation", "a" * 64),
    ]
    values = {metric["type"]: metric["value"] for metric in results[0]["metrics"]}
    assert values["roc_auc"] == evidence.evaluation["test"]["roc_auc"]["value"]


def test_what_is_not_known_is_left_out(evidence: Evidence) -> None:
    assert block(evidence)["license"] == "apache-2.0"
    bare = block(Evidence(case_of(), "f" * 64, evidence.written_at))
    assert set(bare) == {"model_name", "library_name", "pipeline_tag", "tags", "gristmill"}
    unscored = {**evidence.evaluation, "test": {"roc_auc": {"value": None}}, "validation": {}}
    assert "model-index" not in block(replace(evidence, evaluation=unscored))


def test_a_language_and_the_link_of_a_licence_are_told_where_the_case_states_them(evidence: Evidence) -> None:
    more = "compliance: {license: other, license_link: 'https://example.org/l', language: en}\n"
    found = block(replace(evidence, case=case_of(more=more)))
    assert (found["license"], found["license_link"], found["language"]) == ("other", "https://example.org/l", "en")


def test_nothing_in_it_refers_to_something_else_in_it(evidence: Evidence) -> None:
    assert not re.search(r"[&*]id\d", metadata(evidence))


def test_a_card_says_when_it_was_written_in_any_zone(evidence: Evidence) -> None:
    when = datetime(2026, 1, 2, 3, 4, tzinfo=timezone(timedelta(hours=2)))
    assert written_at(card_markdown(replace(evidence, written_at=when))) == when


@pytest.mark.parametrize(
    "text", ["", "# no block", "---\na: 1\n---\n", "---\n: : [\n---\n", "---\ngristmill: {written_at: soon}\n---\n"]
)
def test_a_card_without_a_date_is_refused(text: str) -> None:
    with pytest.raises(ArtifactError, match="say when it was written"):
        written_at(text)
