"""Behaviour that every model must show, whatever the case: answers on rows that are empty, extreme, new, or in another order."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.changes import emptied
from gristmill.evaluation.behaviour.answers import BUILT_IN, Outcome, Subject, difference, not_finite, seen_columns, verdict
from gristmill.evaluation.behaviour.contradictions import contradictions
from gristmill.metrics.scores import Floats

SAME = 1e-6
"""Largest difference of answers that are the same: a network's sums depend in their last digits on how many rows it is asked."""

RANGES_BEYOND = 10.0
"""How far beyond the known range an extreme value lies, in widths of that range."""

ABSURD = 1e30
UNSEEN = "a level that no row had"
ROWS_ALONE = 20
MOST_COLUMNS, MOST_ROWS = 200, 50
"""Columns that are changed one at a time, drawn at random of wider tables, and rows in which each is."""

Variant = tuple[NDArray[np.intp], pd.DataFrame, Sequence[str]]
"""Positions of rows, the rows changed, and the names of the changed columns."""

_FIRST_DAY, _LAST_DAY = -100_000.0, 100_000.0


def built_in(subject: Subject, train: pd.DataFrame, tolerance: float) -> list[Outcome]:
    """Return what came of every built-in test.

    Parameters
    ----------
    subject
        The candidate and the test rows.
    train
        Training rows with their target, among which near-duplicates are looked for as well.
    tolerance
        Share of the rows that may break a test that is only reported.
    """
    return [*of_model(subject), contradictions(subject, train, tolerance)]


def of_model(subject: Subject) -> list[Outcome]:
    """Return what came of the built-in tests that are about the model and not about the labels."""
    return [
        finite_answers(subject),
        row_order(subject),
        rows_alone(subject),
        column_order(subject),
        missing_values(subject),
        extreme_values(subject),
        unseen_levels(subject),
        absurd_numbers(subject),
    ]


def finite_answers(subject: Subject) -> Outcome:
    """Judge whether every test row has a valid answer."""
    claim = "every answer is finite" + ("; probabilities add up to 1" if subject.model.classes else "")
    values = subject.scored.predicted
    broke = not_finite(values)
    place = int(np.argmax(broke))
    worst = subject.example(place, "", subject.said(values, place), broke=True) if broke.any() else None
    return _hard("finite answers", claim, len(values), int(broke.sum()), worst)


def _hard(name: str, claim: str, tried: int, broke: int, worst: Mapping[str, Any] | None, note: str = "") -> Outcome:
    """Return the outcome of a test that no row may break, and that a gate looks at."""
    passed = verdict(broke, tried, 0.0)
    return Outcome(name, claim, BUILT_IN, hard=True, tried=tried, broke=broke, tolerance=0.0, passed=passed, worst=worst, note=note)


def _unmoved(subject: Subject, name: str, claim: str, chosen: NDArray[np.intp], after: Floats, error: str) -> Outcome:
    """Judge whether rows have the answers that they were given before."""
    before = subject.scored.predicted[chosen]
    apart = difference(before, after) / (1.0 if before.ndim > 1 else np.maximum(1.0, np.abs(before)))
    broke, place = apart > SAME, int(np.argmax(apart)) if len(apart) else 0
    said = (subject.said(before, place), subject.said(after, place)) if broke.any() else ("", "")
    worst = subject.example(int(chosen[place]), *said, broke=True) if broke.any() else None
    return _hard(name, claim, len(chosen), int(broke.sum()), worst, error)


def row_order(subject: Subject) -> Outcome:
    """Judge whether answers depend on the order of the rows."""
    chosen = subject.sample()
    order = np.random.default_rng(subject.random_state).permutation(len(chosen))
    after, error = subject.ask(subject.rows.iloc[chosen[order]])
    back = np.empty_like(after)
    back[order] = after
    return _unmoved(subject, "row order", "shuffled rows → same answers", chosen, back, error)


def rows_alone(subject: Subject) -> Outcome:
    """Judge whether a row asked alone has the answer that it has among others."""
    chosen = subject.sample(most=ROWS_ALONE)
    asked = [subject.ask(subject.rows.iloc[[place]]) for place in chosen]
    error = next((text for _, text in asked if text), "")
    after = np.concatenate([values for values, _ in asked]) if asked else subject.scored.predicted[:0]
    return _unmoved(subject, "rows alone", "a row asked alone → same answer", chosen, after, error)


def column_order(subject: Subject) -> Outcome:
    """Judge whether answers depend on the order of the columns, or on one that the model does not know."""
    chosen = subject.sample()
    rows = subject.rows.iloc[chosen]
    turned = _with(rows[list(rows.columns[::-1])], {"a column that no table had": pd.Series(1.0, rows.index)})
    after, error = subject.ask(turned)
    return _unmoved(subject, "column order", "columns reversed, and one more → same answers", chosen, after, error)


def _answers(
    subject: Subject,
    name: str,
    claim: str,
    variants: Sequence[Variant],
    *,
    hard: bool = True,
) -> Outcome:
    """Judge whether changed rows have valid answers; the worst row is one that has none, else the one whose answer moves most.

    Parameters
    ----------
    variants
        What the model is asked about, all of it together.
    """
    tried, broke, farthest, worst = 0, 0, -1.0, None
    answers, error = _asked(subject, variants)
    for (chosen, rows, columns), after in zip(variants, answers, strict=True):
        before, invalid = subject.scored.predicted[chosen], not_finite(after)
        apart = np.where(invalid, np.inf, difference(before, after))
        place = int(np.argmax(apart))
        tried, broke = tried + len(chosen), broke + int(invalid.sum())
        if apart[place] > farthest:
            farthest = float(apart[place])
            original = subject.rows.iloc[chosen[place]]
            pairs = {column: (original[column], rows[column].iloc[place]) for column in columns}
            said = subject.said(before, place), subject.said(after, place)
            worst = subject.example(int(chosen[place]), *said, pairs, broke=bool(invalid[place]))
    many = len(seen_columns(subject)) > MOST_COLUMNS
    note = (
        error or (f"at most {MOST_COLUMNS} columns were changed, one at a time" if many else "")
        if tried
        else "the model sees no such column"
    )
    if hard:
        return _hard(name, claim, tried, broke, worst, note)
    passed = verdict(broke, tried, 0.0)
    return Outcome(
        name, claim, BUILT_IN, hard=False, tried=tried, broke=broke, tolerance=0.0, passed=passed, worst=worst, note=note
    )


def _asked(subject: Subject, variants: Sequence[Variant]) -> tuple[list[Floats], str]:
    """Return the answers about each variant, asked together; one by one where that raises, and the first error."""
    if not variants:
        return [], ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of the type of emptied columns, which the contract decides
        together = pd.concat([rows for _, rows, _ in variants])
    after, error = subject.ask(together)
    if not error:
        return np.split(after, np.cumsum([len(chosen) for chosen, _, _ in variants])[:-1]), ""
    asked = [subject.ask(rows) for _, rows, _ in variants]
    return [values for values, _ in asked], next((raised for _, raised in asked if raised), "")


def _tried(subject: Subject, *kinds: str) -> tuple[list[Mapping[str, Any]], NDArray[np.intp]]:
    """Return the columns of some kinds that are changed one at a time, at most 200 of them, and the few rows to change them in."""
    columns = seen_columns(subject, *kinds)
    if len(columns) > MOST_COLUMNS:
        drawn = np.random.default_rng(subject.random_state).choice(len(columns), MOST_COLUMNS, replace=False)
        columns = [columns[place] for place in np.sort(drawn)]
    return columns, subject.sample(most=int(np.clip(subject.most_rows // max(1, len(columns)), 1, MOST_ROWS)))


def _with(rows: pd.DataFrame, columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return rows with some columns replaced or added, whatever they are called."""
    made = rows.copy()
    for name, values in columns.items():
        made[name] = values
    return made


def missing_values(subject: Subject) -> Outcome:
    """Judge whether rows without any value, and rows that lack one, have answers."""
    columns, chosen = _tried(subject)
    rows, one = subject.rows.iloc[chosen], chosen[:1]
    variants = [(chosen, _with(rows, {c["name"]: emptied(rows[c["name"]], c["kind"])}), [c["name"]]) for c in columns]
    row, every = rows.head(1), seen_columns(subject)
    nothing = _with(row, {c["name"]: emptied(row[c["name"]], c["kind"]) for c in every})
    claim = "all columns missing, and each in turn → a finite answer"
    return _answers(subject, "missing values", claim, [(one, nothing, [c["name"] for c in every]), *variants])


def extreme_values(subject: Subject) -> Outcome:
    """Judge whether rows with numbers and dates far beyond the known range have answers."""
    columns, chosen = _tried(subject, "numeric", "date")
    rows = subject.rows.iloc[chosen]
    variants = [
        (chosen, _with(rows, {c["name"]: _put(rows[c["name"]], put, c["kind"])}), [c["name"]])
        for c in columns
        for put in _beyond(c)
    ]
    claim = f"numbers and dates {RANGES_BEYOND:g} ranges beyond what is known → a finite answer"
    return _answers(subject, "extreme values", claim, variants)


def _beyond(column: Mapping[str, Any]) -> list[float]:
    """Return two values far below and far above those that a column is known to hold; dates as days since 1970."""
    low, high = column["minimum"], column["maximum"]
    if low is None or high is None:
        return []
    if column["kind"] == "date":
        low, high = ((pd.Timestamp(end) - pd.Timestamp(0)) / pd.Timedelta(days=1) for end in (low, high))
    width = (high - low) or abs(high) or 1.0
    ends = [low - RANGES_BEYOND * width, high + RANGES_BEYOND * width]
    return [float(np.clip(end, _FIRST_DAY, _LAST_DAY)) for end in ends] if column["kind"] == "date" else ends


def _put(values: pd.Series, value: float, kind: str) -> pd.Series:
    """Return a column that holds one number, or one date given in days since 1970."""
    if kind == "date":
        moment = (pd.Timestamp(0) + pd.Timedelta(days=round(value))).as_unit("us")
        return pd.Series([moment] * len(values), values.index, name=values.name)
    return pd.Series(value, values.index, dtype=np.float64, name=values.name)


def absurd_numbers(subject: Subject) -> Outcome:
    """Judge whether rows with numbers beyond all reason have answers; reported only, since arithmetic has its limits."""
    columns, chosen = _tried(subject, "numeric")
    rows = subject.rows.iloc[chosen]
    variants = [
        (chosen, _with(rows, {c["name"]: _put(rows[c["name"]], sign * ABSURD, "numeric")}), [c["name"]])
        for c in columns
        for sign in (-1, 1)
    ]
    return _answers(subject, "absurd numbers", f"a number of ±{ABSURD:g} → a finite answer", variants, hard=False)


def unseen_levels(subject: Subject) -> Outcome:
    """Judge whether rows with levels and texts that were never seen have answers."""
    columns, chosen = _tried(subject, "categorical", "text")
    rows = subject.rows.iloc[chosen]
    put = pd.Series([UNSEEN] * len(rows), rows.index, dtype=object)
    variants = [(chosen, _with(rows, {c["name"]: put}), [c["name"]]) for c in columns]
    return _answers(subject, "unseen levels", "a level that no row had → a finite answer", variants)
