"""What a user has to be careful about, and what to do about it, each from something that was measured."""

from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.evaluation.behaviour.contradictions import NAME as NEAR_DUPLICATES
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.insight import STABLE
from gristmill.evaluation.card.text import code, escape_text, listed, number, plural
from gristmill.evaluation.fairness.verdicts import against_limits, limits, unknown_fairness
from gristmill.reporting.wording import count, figure, metric_label, moment

MOST_SEGMENTS = 3
FEW_TEST_ROWS = 200


def caveats(evidence: Evidence) -> list[str]:
    """Return the caveats, each a sentence or two of Markdown; the last is true of every model."""
    return [
        *_of_evaluation(evidence.evaluation),
        *_of_explanation(evidence.explanation),
        *_of_fairness(evidence),
        *_of_lineage(evidence.lineage),
        _of_time(evidence),
    ]


def _of_evaluation(evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    """Give what the evaluation warns of."""
    if evaluation is None:
        yield "The model was not evaluated: build the case again before anybody relies on it."
        return
    rows, uses = evaluation["rows"]["test"], evaluation["test_set_uses"]
    if rows < FEW_TEST_ROWS:
        yield f"Only {plural(rows, 'test row')}: intervals are wide, rare cases may be absent. Collect more of them."
    if uses > 1:
        yield f"The test rows have judged {uses} candidates; the best of many looks better than it is. Set fresh rows apart."
    worse = [part["segment"] for part in evaluation.get("segments") or () if part["worse"]]
    if worse:
        more = "; *Quantitative analyses* lists more" if len(worse) > MOST_SEGMENTS else ""
        yield f"Predictions are less reliable where {listed(worse[:MOST_SEGMENTS])}{more}. Have a person look there."
    yield from _of_gap(evaluation)
    failed = [one["name"] for one in evaluation.get("behaviour") or () if one["passed"] is False]
    if NEAR_DUPLICATES in failed:
        failed.remove(NEAR_DUPLICATES)
        yield "Rows that are nearly the same often have different targets: no model of these columns can tell them apart."
    if failed:
        yield f"Answers move as they should not: {listed(failed)}; see *Behaviour* before acting on single answers."
    shaky = [one["column"] for one in (evaluation.get("treatment") or {}).get("columns", []) if one.get("unseen_levels")]
    if shaky:
        yield f"Test rows hold levels that training rows did not, in {listed(shaky)}; the model knows nothing of them."


def _of_gap(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Give that the test rows tell another story than the training rows, if they do."""
    metric = evaluation["primary_metric"]
    test, validation = evaluation["test"].get(metric) or {}, (evaluation.get("validation") or {}).get(metric) or {}
    if evaluation.get("gap"):
        yield escape_text(evaluation["gap"])
        return
    value, low, high = number(validation.get("value")), number(test.get("low")), number(test.get("high"))
    if value < low or value > high:
        yield (
            f"{metric_label(metric)} out of fold ({figure(value)}) lies outside the test rows' interval: test and training "
            "rows may differ."
        )


def _of_explanation(explanation: Mapping[str, Any] | None) -> Iterator[str]:
    """Give what the explanation warns of."""
    if explanation is None:
        yield "The predictions were not explained."
        return
    local = explanation.get("lime") or []
    unsteady = sum(number(one.get("stability")) < STABLE for one in local)
    if unsteady:
        yield f"LIME's reasons for {unsteady} of {len(local)} rows change with the neighbours; do not give them as the reason."


def _of_fairness(evidence: Evidence) -> Iterator[str]:
    """Give broken limits, limits that could not be judged, and people of whom no group was audited."""
    audit = evidence.fairness
    if audit is not None and audit.get("features"):
        stated = limits(evidence.case.fairness, evidence.case.task)
        unknown = unknown_fairness(audit, stated)
        for measure, line in against_limits(audit, stated).iterrows():
            if line["kept"] is False:
                between = f"between {escape_text(line['groups'])} of {code(line['feature'])}"
                yield f"{measure} is {line['value']} {between}; the limit is {line['limit']}. A person should decide about them."
            elif line["limit"] and not line["value"] and not unknown:
                yield f"{measure} could not be judged: too few test rows in the groups."
        if unknown:
            yield (
                f"The fairness of {', '.join(map(code, unknown))} is unknown: a limit is set, but too few test rows are in the "
                "groups, or the measure has no meaning for these predictions."
            )
    if evidence.case.compliance.personal_data and not evidence.case.sensitive_features:
        yield "Rows are about people, and no group was audited: name `sensitive_features` and build again."


def _of_lineage(lineage: Mapping[str, str]) -> Iterator[str]:
    """Give that the code cannot be found again, if it cannot."""
    if lineage.get("code_dirty") == "true":
        yield "The code had changes that were not committed: the version below does not hold all that made this model."


def _of_time(evidence: Evidence) -> str:
    """Return that the figures are about rows like those that were seen."""
    taken = (evidence.snapshot or {}).get("ingested_at")
    when = f" taken {moment(taken)}" if taken else ""
    return (
        f"All figures are about rows like those of the snapshot{when}: another time, place or population needs a new evaluation. "
        f"Rebuild when {metric_label(evidence.case.primary_metric)} drops by more than "
        f"{count(round(100 * evidence.case.retraining.max_performance_drop))} %."
    )
