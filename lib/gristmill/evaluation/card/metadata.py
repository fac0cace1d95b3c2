"""The block of metadata at the head of the card, by the specification of Hugging Face's hub.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md: what is not known is left out, and results name task, data set (with
its type and name, both required) and metric (with its value). What the specification does not know stands under ``gristmill``.
"""

from datetime import UTC, datetime
from typing import Any

import yaml

from gristmill.errors import ArtifactError
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.text import is_known, on_one_line
from gristmill.reporting.wording import metric_label

PIPELINE_TAGS = {"binary": "tabular-classification", "multiclass": "tabular-classification", "regression": "tabular-regression"}
"""Task -> Hugging Face's name of it."""

PARTS = {"test": "test", "validation": "validation"}
"""Part of the rows in ``evaluation.json`` -> the split that results are said to be of; scores of seen rows are no results."""

FENCE = "---\n"


def metadata(evidence: Evidence) -> str:
    """Return the YAML block, between its fences."""
    case, compliance = evidence.case, evidence.case.compliance
    found: dict[str, Any] = {"language": compliance.language, "license": compliance.license}
    found |= {"model_name": case.name, "library_name": "sklearn", "pipeline_tag": PIPELINE_TAGS[case.task]}
    found |= {"tags": ["gristmill", "tabular", case.task]}
    if compliance.license is not None and compliance.license_link is not None:
        found |= {"license_link": compliance.license_link}
    results = _results(evidence)
    if results:
        found |= {"metrics": list(dict.fromkeys(metric["type"] for part in results for metric in part["metrics"]))}
        found |= {"model-index": [{"name": case.name, "results": results}]}
    own = {"case": case.name, "digest": evidence.digest, "written_at": evidence.written_at.astimezone(UTC).isoformat()}
    known = {key: value for key, value in (found | {"gristmill": own}).items() if value is not None}
    return f"{FENCE}{yaml.safe_dump(known, sort_keys=False, allow_unicode=True)}{FENCE}"


def _results(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the results by part of the data; none without an evaluation."""
    if evidence.evaluation is None:
        return []
    task, named = PIPELINE_TAGS[evidence.case.task], f"{evidence.case.task} on {on_one_line(evidence.case.target)}"
    return [
        {"task": {"type": task, "name": named}, "dataset": _dataset(evidence, split), "metrics": metrics}
        for part, split in PARTS.items()
        if (metrics := _metrics(evidence.evaluation.get(part) or {}))
    ]


def _dataset(evidence: Evidence, split: str) -> dict[str, Any]:
    """Return which rows of which snapshot a result is of."""
    found = {
        "type": "tabular",
        "name": on_one_line((evidence.snapshot or {}).get("uri") or evidence.case.source.uri),
        "split": split,
    }
    return found | ({"revision": evidence.snapshot["digest"]} if evidence.snapshot else {})


def _metrics(scores: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics that have a value."""
    values = {name: found.get("value") for name, found in scores.items()}
    return [{"type": name, "value": float(value), "name": metric_label(name)} for name, value in values.items() if is_known(value)]


def written_at(card: str) -> datetime:
    """Return when a card was written, from its metadata.

    Raises
    ------
    ArtifactError
        The card has no metadata, or they do not say.
    """
    try:
        _, block, _ = card.split(FENCE, 2)
        return datetime.fromisoformat(yaml.safe_load(block)["gristmill"]["written_at"])
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise ArtifactError(
            f"Expected the metadata of a model card that say when it was written, but {error}. Delete it and build the case again."
        ) from error
