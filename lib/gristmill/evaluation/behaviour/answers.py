"""A model that is asked about changed rows, and what came of a test of its answers, in the words of the table."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gristmill.evaluation.predictions import Scored
from gristmill.metrics.scores import Floats, decide
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.reporting.wording import count, figure, share, shorten

MOST_SHOWN = 40
"""Columns of the worst row that are kept."""

CASE, BUILT_IN = "case file", "built in"


@dataclass(frozen=True)
class Outcome:
    """What came of one test.

    Attributes
    ----------
    name, claim
        Its name, and what is expected in one line.
    source
        ``case file`` or ``built in``.
    hard
        Whether the gate fails with it.
    tried, broke
        How many rows were tried, and how many broke it.
    tolerance
        Share of the tried rows that may break it.
    passed
        The verdict; None where there was nothing to try.
    worst
        The row that broke it most, or came nearest to it: ``row_key``, ``change`` (column -> before and after), ``before`` and
        ``after`` (the answers), ``row`` (its columns), ``broke``.
    note
        What else a reader has to know.
    """

    name: str
    claim: str
    source: str
    hard: bool
    tried: int
    broke: int
    tolerance: float
    passed: bool | None
    worst: Mapping[str, Any] | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as the JSON-able part of ``evaluation.json``."""
        return asdict(self)

    def counts(self) -> dict[str, Any]:
        """Return rows tried and broken, and the verdict."""
        return {"tried": self.tried, "broke": self.broke, "passed": self.passed}


@dataclass(frozen=True)
class Subject:
    """A model under test, and the rows it is tried on.

    Attributes
    ----------
    model
        The candidate, or another model that is put to the same tests.
    rows
        Test rows with their raw columns.
    scored
        What the model said of them, in the same order.
    most_rows
        Most rows that one test tries.
    random_state
        Seed of every draw.
    """

    model: FittedModel
    rows: pd.DataFrame
    scored: Scored
    most_rows: int = 2000
    random_state: int = 0

    def beside(self, model: FittedModel, scored: Scored) -> "Subject":
        """Return another model, and what it said, to be put to the same tests on the same rows."""
        return replace(self, model=model, scored=scored)

    def sample(self, inside: NDArray[np.intp] | None = None, most: int | None = None) -> NDArray[np.intp]:
        """Return positions of at most ``most`` rows, in order, of those at ``inside`` (all by default)."""
        among = np.arange(len(self.rows)) if inside is None else inside
        size = self.most_rows if most is None else min(most, self.most_rows)
        if len(among) <= size:
            return among
        return np.sort(np.random.default_rng(self.random_state).choice(among, size, replace=False))

    def ask(self, frame: pd.DataFrame) -> tuple[Floats, str]:
        """Return the answers about some rows, and no text; or not-a-number for all of them, and the error that was raised."""
        with threadpool_limits(limits=1), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # what a warning would be about is looked at below: the answers
            try:
                return self.model.predict_values(frame), ""
            except Exception as error:  # noqa: BLE001 - a model that raises has failed the test that asked it
                shape = (len(frame), len(self.model.classes)) if self.model.classes else (len(frame),)
                return np.full(shape, np.nan), f"{type(error).__name__}: {shorten(error, 160)}"

    def output(self, of: str | None) -> int | None:
        """Return the code of the class whose probability is meant: that of ``of``, or the positive one of two; else None."""
        if not self.model.classes:
            return None
        if of is not None:
            return self.model.classes.index(of)
        return 1 if self.model.task == "binary" else None

    def said(self, values: Floats, place: int, output: int | None = None) -> str:
        """Return the answer about one row in words."""
        if not self.model.classes:
            return f"{self.model.target} {figure(float(values[place]))}"
        if output is None:
            output = 1 if self.model.task == "binary" else None
        if output is None:
            finite = bool(np.isfinite(values[place]).all())
            output = int(decide(values[[place]], self.model.threshold)[0]) if finite else 0
        return f"probability of {self.model.classes[output]} {figure(float(values[place, output]))}"

    def example(
        self, position: int, before: str, after: str, change: Mapping[str, tuple[Any, Any]] | None = None, *, broke: bool
    ) -> dict[str, Any]:
        """Return one tried row in the words of its table; see :class:`Outcome`."""
        row = self.rows.iloc[position]
        return {
            "row_key": str(self.rows.index[position]),
            "change": {name: [value_text(one), value_text(other)] for name, (one, other) in (change or {}).items()},
            "before": before,
            "after": after,
            "row": {str(name): value_text(row[name]) for name in self.rows.columns[:MOST_SHOWN]},
            "broke": broke,
        }


def value_text(value: Any) -> str:
    """Return a cell as a reader of the table would write it."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "missing"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    return str(value)


def seen_columns(subject: Subject, *kinds: str) -> list[Mapping[str, Any]]:
    """Return the contract's entries of the columns that the model sees, of some kinds or of all."""
    seen = [one for one in subject.model.contract["columns"] if one["name"] in subject.model.feature_columns]
    return [one for one in seen if not kinds or one["kind"] in kinds]


def not_finite(values: Floats) -> NDArray[np.bool_]:
    """Return which answers are no finite number, or no probabilities that lie between 0 and 1 and add up to 1."""
    if values.ndim == 1:
        return np.asarray(~np.isfinite(values))
    valid = np.isfinite(values).all(axis=1) & (values >= 0).all(axis=1) & (values <= 1).all(axis=1)
    return np.asarray(~(valid & (np.abs(values.sum(axis=1) - 1) <= 1e-6)))


def difference(before: Floats, after: Floats) -> Floats:
    """Return how far each answer is from another one: of classes the largest difference of a probability; infinite if unknown."""
    apart = np.abs(np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64))
    apart = apart if apart.ndim == 1 else apart.max(axis=1)
    return np.where(np.isnan(apart), np.inf, apart)


def verdict(broke: int, tried: int, tolerance: float) -> bool | None:
    """Return whether few enough of the tried rows broke a test; None where none was tried."""
    return broke <= tolerance * tried if tried else None


def example_text(worst: Mapping[str, Any] | None) -> str:
    """Return the worst row of a test as one line; nothing where there is none."""
    if worst is None:
        return ""
    changed = ", ".join(f"{name} {one} → {other}" for name, (one, other) in list(worst["change"].items())[:4])
    more = f" and {len(worst['change']) - 4} more" if len(worst["change"]) > 4 else ""
    rows = f"row {worst['row_key']}" if "twin" not in worst else f"row {worst['row_key']} and row {worst['twin']}"
    asked = rows + (f", {changed}{more}" if changed else "")
    said = f"{worst['before']} → {worst['after']}" if worst["before"] and worst["before"] != worst["after"] else worst["after"]
    return f"{asked}: {said}"


VERDICTS = {True: "passed", False: "FAILED", None: "nothing to try"}


def outcome_table(outcomes: Sequence[Outcome], others: Mapping[str, Sequence[Outcome]] | None = None) -> pd.DataFrame:
    """Return the tests as a reader would want them: what is expected, rows tried and broken, verdict, and the worst row.

    For each of ``others`` a column says how many rows broke the test with that model; it is empty where that was not tried.
    """
    told = {name: {one.name: one for one in found} for name, found in (others or {}).items()}
    lines = [
        {
            "test": one.name,
            "by": one.source,
            "expected": one.claim,
            "tried": count(one.tried),
            "broke it": _broken(one),
            **{name: _broken(by_name[one.name]) if one.name in by_name else "" for name, by_name in told.items()},
            "may": share(one.tolerance, 1) if one.tolerance else "none",
            "verdict": VERDICTS[one.passed] + ("" if one.hard or one.passed is not False else " (reported)"),
            "worst row": "; ".join(part for part in (example_text(one.worst), one.note) if part),
        }
        for one in outcomes
    ]
    columns = ["test", "by", "expected", "tried", "broke it", *told, "may", "verdict", "worst row"]
    return pd.DataFrame(lines, columns=columns).set_index("test").rename_axis(None)


def _broken(one: Outcome) -> str:
    """Return how many rows broke a test, and which share of those tried."""
    return f"{count(one.broke)} ({share(one.broke / one.tried, 1)})" if one.tried and one.broke else count(one.broke)


def conclusion(outcomes: Sequence[Outcome]) -> str:
    """Return in Markdown how many tests passed, and which failed by how much."""
    parts = []
    for source in (CASE, BUILT_IN):
        judged = [one for one in outcomes if one.source == source and one.passed is not None]
        if judged:
            passed = sum(bool(one.passed) for one in judged)
            named = "of the case file" if source == CASE else "built in"
            parts.append(f"**{passed}** of {len(judged)} tests {named} passed")
    if not any(one.source == CASE for one in outcomes):
        parts.append("the case file states none of its own (`behaviour.tests`)")
    broken = [one for one in outcomes if one.passed is False]
    failed = "; ".join(
        f"**{one.name}** ({count(one.broke)} of {count(one.tried)} rows{'' if one.hard else ', reported only'})" for one in broken
    )
    text = ", ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." + (f" Failed: {failed}." if failed else "")
