"""What differs between two builds, ready for a page: data, code, parameters, model, gates, and metrics with their intervals."""

from collections.abc import Sequence
from typing import Any

from gristmill.reporting.builds.facts import SECTIONS, build_label, facts_of, metric_names
from gristmill.reporting.builds.history import Entry
from gristmill.reporting.builds.noise import WORDS, change_of, more_is_better
from gristmill.reporting.wording import UNKNOWN, figure, interval, metric_label

COMPARED_PARTS = ("test", "validation", "train")
"""Rows whose metrics are compared, the ones that count first."""

OTHER_ROWS = "The test rows of the two builds differ, so that a difference may come from the rows alone."
SAME_ROWS = "Both were tested on the same rows, but are judged as if on different ones: what is called noise may be more."


def differences(earlier: Entry, later: Entry) -> dict[str, Any]:
    """Return what differs between two builds.

    Returns
    -------
    dict
        ``earlier`` and ``later``, their labels; ``rows``, a sentence on the test rows; ``metrics``, for each part of the rows the
        metrics that both have; ``sections``, headings with the facts that differ, each with ``name``, ``before`` and ``after``.
    """
    return {
        "earlier": build_label(earlier),
        "later": build_label(later),
        "rows": SAME_ROWS if _same_rows(earlier, later) else OTHER_ROWS,
        "metrics": [_table(part, earlier, later) for part in COMPARED_PARTS],
        "sections": sections(earlier, later),
    }


def _same_rows(earlier: Entry, later: Entry) -> bool:
    """Return whether both builds were tested on the same rows."""
    return bool(earlier["data"]["test_rows"]) and earlier["data"]["test_rows"] == later["data"]["test_rows"]


def _table(part: str, earlier: Entry, later: Entry) -> dict[str, Any]:
    """Return how every metric changed that both builds have on some rows."""
    scores = [entry["metrics"].get(part, {}) for entry in (earlier, later)]
    names = [name for name in metric_names((earlier, later), part) if all(name in known for known in scores)]
    return {"part": part, "rows": [_metric(name, part, earlier, later) for name in names]}


def _metric(name: str, part: str, earlier: Entry, later: Entry) -> dict[str, str]:
    """Return how one metric changed."""
    before, after = earlier["metrics"][part][name], later["metrics"][part][name]
    change = change_of(name, before, after)
    return {
        "name": metric_label(name),
        "before": score_words(before),
        "after": score_words(after),
        "change": signed(change.value),
        "interval": "" if change.low is None or change.high is None else f"{signed(change.low)} to {signed(change.high)}",
        "verdict": change.verdict,
        "words": WORDS[change.verdict],
    }


def score_words(score: Sequence[float | None]) -> str:
    """Return a value with its interval."""
    ends = interval(score[1], score[2])
    return f"{figure(score[0])} ({ends})" if ends else figure(score[0])


def signed(value: float) -> str:
    """Return a difference with its sign, and none where it is nothing."""
    return f"+{figure(value)}" if value > 0 else figure(value)


def sections(earlier: Entry, later: Entry) -> list[dict[str, Any]]:
    """Return the sections in which the builds differ, and how."""
    before, after = facts_of(earlier), facts_of(later)
    found = []
    for section, heading in SECTIONS.items():
        names = dict.fromkeys([*before[section], *after[section]])
        pairs = [(name, before[section].get(name, UNKNOWN), after[section].get(name, UNKNOWN)) for name in names]
        moved = [{"name": name, "before": old, "after": new} for name, old, new in pairs if old != new]
        found.append({"heading": heading, "facts": moved})
    return found


def for_script(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return what the page's script needs to compare any two of the builds.

    A fact that all builds share is left out; of another, each text stands once, and each build has the place of its own.
    """
    facts = [facts_of(entry) for entry in entries]
    return {
        "builds": [build_label(entry) for entry in entries],
        "numbers": [entry["number"] for entry in entries],
        "testRows": [entry["data"]["test_rows"] for entry in entries],
        "sections": [
            {"heading": heading, "facts": _varying([fact[section] for fact in facts])} for section, heading in SECTIONS.items()
        ],
        "metrics": [
            {"part": part, "rows": [_script_metric(name, part, entries) for name in metric_names(entries, part)]}
            for part in COMPARED_PARTS
        ],
        "words": WORDS,
        "sameRows": SAME_ROWS,
        "otherRows": OTHER_ROWS,
    }


def _script_metric(name: str, part: str, entries: Sequence[Entry]) -> dict[str, Any]:
    """Return one metric of all builds."""
    scores = [_score(entry["metrics"].get(part, {}).get(name)) for entry in entries]
    return {"name": metric_label(name), "more": more_is_better(name), "scores": scores}


def _score(score: Sequence[float | None] | None) -> list[Any] | None:
    """Return a score and how it is written."""
    return None if score is None else [*score, score_words(score)]


def _varying(facts: Sequence[dict[str, str]]) -> list[list[Any]]:
    """Return name, texts, and each build's place among them, of the facts in which any two builds differ."""
    found = []
    for name in dict.fromkeys(name for fact in facts for name in fact):
        said = [fact.get(name, UNKNOWN) for fact in facts]
        texts = list(dict.fromkeys(said))
        if len(texts) > 1:
            found.append([name, texts, [texts.index(text) for text in said]])
    return found
