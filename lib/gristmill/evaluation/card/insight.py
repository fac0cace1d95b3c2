"""How the model behaves when rows change, how uncertain single answers are, and what its answers rest on."""

from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.evaluation.behaviour.answers import VERDICTS
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, bullets, escape_text, measured, number, table
from gristmill.reporting.wording import UNKNOWN, count, figure, metric_label, opening, plain, share

MOST_COLUMNS, MOST_PAIRS = 8, 3
STABLE = 0.5
"""Overlap of LIME's reasons between repetitions from which they are called steady."""


def behaviour(evidence: Evidence) -> str:
    """Return what was expected of the answers when rows are changed, and what came of it."""
    evaluation = evidence.evaluation or {}
    outcomes = evaluation.get("behaviour")
    if not outcomes:
        return f"{NO_EVIDENCE}: `07_evaluate` tried no test of behaviour."
    own = any(one["source"] == "case file" for one in outcomes)
    lines = [
        (
            escape_text(one["name"]),
            escape_text(one["claim"]),
            count(one["tried"]),
            count(one["broke"]) + (f" ({share(one['broke'] / one['tried'], 1)})" if one["tried"] and one["broke"] else ""),
            _verdict(one),
        )
        for one in sorted(outcomes, key=lambda one: one["passed"] is not False)
    ]
    stated = "" if own else "The case file states no test of its own (`behaviour.tests`); these are built in."
    return blocks(stated, table(("test", "expected", "rows tried", "broke it", "verdict"), lines), _labels(evaluation))


def _verdict(one: Mapping[str, Any]) -> str:
    """Return the verdict on one test, and whether it counts."""
    said = VERDICTS[one["passed"]]
    return f"**{said}**{'' if one['hard'] else ' (reported)'}" if one["passed"] is False else said


def _labels(evaluation: Mapping[str, Any]) -> str:
    """Return how many labels look wrong; nothing where none was looked at."""
    noise = evaluation.get("label_noise") or {}
    if not noise.get("rows") or not noise.get("suspects"):
        return ""
    part = share(noise["suspects"] / noise["rows"], 1)
    return (
        f"{count(noise['suspects'])} of {count(noise['rows'])} labels ({part}) contradict an answer that the model is sure "
        "of: a wrong label, a wrong model, or an outcome that could have gone either way."
    )


def uncertainty(evidence: Evidence) -> str:
    """Return how wide the sets or intervals of single answers are, and how often they held the truth on the test rows."""
    levels = ((evidence.evaluation or {}).get("conformal") or {}).get("levels")
    if not levels:
        return (
            f"{NO_EVIDENCE} about the uncertainty of single answers: `07_evaluate` tested no prediction sets or intervals. The "
            "intervals under *Metrics* are of scores over many rows, not of one answer."
        )
    numbers = evidence.case.task == "regression"
    what = "interval holds the true number" if numbers else "set of classes holds the true one"
    size = "width" if numbers else "size"
    columns = ("asked for", "held the truth", "rows", "mean width" if numbers else "mean number of classes", "held least often")
    lines = [
        (share(float(level)), _covered(found), count(found["n"]), figure(found[size]), _least(found, numbers=numbers))
        for level, found in levels.items()
    ]
    said = f"A prediction comes with a range that is meant to hold the truth so often. On the test rows this {what}:"
    promise = "The promise is about all rows together; a class or a group may be held less often, as the last column tells."
    return blocks(said, table(columns, lines), promise)


def _covered(found: Mapping[str, Any]) -> str:
    """Return how often the truth was held, with the interval."""
    return f"{share(found['coverage'], 1)} ({share(found['low'], 1)} to {share(found['high'], 1)})"


def _least(found: Mapping[str, Any], *, numbers: bool) -> str:
    """Return the class, or the quarter of the predictions, whose truths are held least often."""
    parts = found.get("by_prediction" if numbers else "by_class")
    if not parts:
        return UNKNOWN
    name = min(parts, key=lambda one: float(parts[one]["coverage"]))
    about = f"predictions of {name}" if numbers else name
    return f"{escape_text(about)}: {_covered(parts[name])}"


def explanation(evidence: Evidence, image: str = "") -> str:
    """Return what moves the predictions, in which direction, and how far the ways of asking agree.

    Parameters
    ----------
    evidence
        What the stages left behind.
    image
        A figure of the importances as a data URI; left out when empty.
    """
    found = evidence.explanation
    if found is None or not found.get("shap"):
        return f"{NO_EVIDENCE}: `08_explain` did not run."
    shuffled = {one["feature"]: one for one in found.get("permutation") or ()}
    lines = [
        (
            str(place),
            escape_text(one["feature"]),
            figure(one["mean_abs"]),
            escape_text(one.get("direction")) or UNKNOWN,
            _lost(shuffled.get(one["feature"])),
        )
        for place, one in enumerate(found["shap"][:MOST_COLUMNS], start=1)
    ]
    metric = metric_label(found.get("metric") or (evidence.evaluation or {}).get("primary_metric") or "score")
    header = ("", "column", "mean move of the prediction (SHAP)", "direction", f"{metric} lost when it is shuffled")
    picture = f"![What moves the predictions]({image})" if image else ""
    rest = len(found["shap"]) - MOST_COLUMNS
    more = f"{rest} more columns move the predictions less; see the report of `08_explain`." if rest > 0 else ""
    return blocks(table(header, lines), picture, " ".join(filter(None, (more, *_told(found)))), _disputed(found))


def _lost(one: Mapping[str, Any] | None) -> str:
    """Return the permutation importance of a column with its interval."""
    return UNKNOWN if one is None else measured({"value": one["mean"], "low": one["low"], "high": one["high"]})


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    """Give sentences on the rows behind the explanation, on pairs of columns, on agreement and on how steady reasons are."""
    rows = found.get("rows") or {}
    if rows:
        yield f"Measured on {count(rows['explained'])} of {count(rows['test'])} test rows."
    pairs = [pair for pair in found.get("interactions") or () if number(pair["strength"]) > 0]
    if pairs:
        named = "; ".join(
            f"{' and '.join(map(escape_text, pair['features']))} ({figure(pair['strength'])})" for pair in pairs[:MOST_PAIRS]
        )
        yield f"Columns that act together most: {named}."
    elif found.get("interactions"):
        yield "The strongest columns simply add up; no two of them act together."
    known = [pair for pair in found.get("agreement") or () if pair["rank_correlation"] is not None]
    if known:
        least = min(known, key=lambda pair: pair["rank_correlation"])
        methods = opening(" and ".join(map(escape_text, least["methods"])))
        alike = figure(least["rank_correlation"], 2)
        yield f"{methods} agree least of the ways of asking: they rank the columns with a correlation of {alike}."
    exact = found.get("exact") or {}
    if exact.get("how"):
        yield escape_text(exact["how"].replace("**", ""))
    local = found.get("lime") or []
    if local:
        steady = sum(number(one.get("stability")) >= STABLE for one in local)
        yield f"LIME's reasons stay the same under other neighbours for {steady} of {len(local)} rows shown."


def _disputed(found: Mapping[str, Any]) -> str:
    """Return the columns that the ways of asking rank most differently, and why that may be."""
    return bullets(
        f"{escape_text(one['feature'])} is ranked differently ("
        + ", ".join(f"{escape_text(name)} {plain(rank)}" for name, rank in one["ranks"].items())
        + f"), likely because {escape_text(one['because'])}."
        for one in found.get("disagreements") or ()
    )
