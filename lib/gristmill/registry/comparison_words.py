"""How a candidate does beside the champion, in sentences, in a table, and as the text of a gate."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from gristmill.evaluation.measure import cell, sampling_in_words
from gristmill.metrics.noninferiority import BETTER, CANNOT_TELL, NOT_WORSE, WORSE
from gristmill.metrics.paired import PairedTest
from gristmill.registry.comparison import Beside, Champion, Comparison, Incomparable
from gristmill.reporting.wording import UNKNOWN, count, figure, metric_label, share

VERDICTS = {
    BETTER: "Better than the champion",
    NOT_WORSE: "Not worse than the champion",
    WORSE: "Worse than the champion",
    CANNOT_TELL: "Whether it is worse than the champion cannot be told with this much data",
}

LEAST_TOLD = -1000.0
"""A smaller improvement is told as this: beside a champion that loses nothing, any loss is infinitely more."""

NO_CHAMPION = "There is no other champion to compare with."


def verdict_in_words(beside: Comparison) -> str:
    """Return what can be said of the candidate, and how many rows it would take where nothing can."""
    found = beside.judgement
    said = VERDICTS[found.verdict]
    if found.verdict == NOT_WORSE and found.improvement["high"] < 0:
        return f"A little worse than the champion, but within the margin of {share(found.margin, 1)}"
    if found.verdict != CANNOT_TELL or not beside.differences:
        return said
    if not math.isfinite(found.improvement["value"]):
        return f"{said}, on which the champion loses nothing"
    if found.rows_needed is None:
        return f"{said}, and no number of rows like these would tell"
    return f"{said}; you would need about {count(found.rows_needed)} rows"


def least_improvement(beside: Comparison) -> float:
    """Return the least improvement that the rows allow for, always a number: :data:`LEAST_TOLD` where there is no end to it."""
    low = beside.judgement.improvement["low"]
    return LEAST_TOLD if math.isnan(low) else max(low, LEAST_TOLD)


def gate_message(beside: Comparison) -> str:
    """Return what the gate compares: the least improvement that the rows allow for, with the verdict before it."""
    least = f"Least improvement on version {beside.version} that {metric_label(beside.metric)} allows for, as a share of its loss"
    return f"{verdict_in_words(beside)}. {least}, {beside.basis}".replace(":", ",")


def champion_in_words(champion: Champion | Incomparable | None) -> str:
    """Return in Markdown which champion stands beside a candidate, or why none does."""
    if isinstance(champion, Champion):
        return f"The champion is version {champion.version}; it answers the same test rows, at its own threshold."
    return NO_CHAMPION if champion is None else champion.message


def in_words(beside: Beside) -> str:
    """Return in Markdown how the candidate does beside the champion."""
    if beside is None:
        return NO_CHAMPION
    if isinstance(beside, Incomparable):
        return beside.message
    improved = {end: 100 * value for end, value in beside.judgement.improvement.items()}
    removed = f"removes {_signed(improved, digits=1)} % of what the champion loses"
    if not math.isfinite(improved["value"]):
        removed = "stands beside a champion that loses nothing on these rows"
    sentences = [
        f"**{verdict_in_words(beside)}.** {metric_label(beside.metric)} is {figure(beside.candidate)}; that of version "
        f"{beside.version} is {figure(beside.champion)}, {beside.basis}. The gain of {_signed(beside.gain)} "
        f"{removed}; at most {share(beside.judgement.margin, 1)} more loss is allowed, by the whole interval.",
        *map(_test_in_words, beside.tests),
        sampling_in_words(beside.sampling),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _test_in_words(test: PairedTest) -> str:
    """Return a test in a sentence; nothing where it is not defined."""
    p_value = f"p = {figure(test.p_value)}" if test.p_value >= 0.001 else "p < 0.001"
    if test.name == "McNemar":
        first, second = (int(test.found[name]) for name in ("only_first", "only_second"))
        return f"McNemar: {count(first)} rows only the candidate decides rightly, {count(second)} only the champion ({p_value})."
    known = {"value": test.found["difference"], **test.found}
    return "" if math.isnan(test.p_value) else f"DeLong: the areas differ by {_signed(known)} ({p_value})."


def comparison_table(beside: Beside, test: Mapping[str, Any], baseline: Mapping[str, Any]) -> pd.DataFrame:
    """Return all metrics of candidate, champion and baseline on the same rows, and the gain of the candidate over the champion.

    Parameters
    ----------
    beside
        The comparison; without a champion that could score the rows, there is no column of it.
    test, baseline
        Metrics of the candidate and of the baseline on the test rows, each ``{"value", "low", "high"}``.
    """
    columns = {"candidate": {metric_label(name): cell(found) for name, found in test.items()}}
    if isinstance(beside, Comparison) and beside.scores:
        named = f"champion (version {beside.version})"
        columns[named] = {metric_label(name): cell(found) for name, found in beside.scores.items()}
        gains = {metric_label(name): _signed(found.gain) for name, found in beside.differences.items()}
        columns["gain over the champion"] = gains
    columns["baseline"] = {metric_label(name): cell(found) for name, found in baseline.items()}
    return pd.DataFrame(columns).reindex([metric_label(name) for name in test]).fillna(UNKNOWN)


def _signed(found: Mapping[str, float], digits: int = 3) -> str:
    """Return a difference with its sign, and its interval where it is known."""
    value, low, high = (_with_sign(found.get(end), digits) for end in ("value", "low", "high"))
    return f"{value} ({low} to {high})" if UNKNOWN not in (low, high) else value


def _with_sign(value: object, digits: int) -> str:
    """Return a number with its sign."""
    if value == -math.inf:
        return "\u2212\u221e"
    text = figure(value, digits)
    return f"+{text}" if isinstance(value, int | float) and value > 0 and text != UNKNOWN else text
