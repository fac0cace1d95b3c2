"""Behaviour tests of a case file, tried on test rows: invariance, direction, and answers that must be given.

The three kinds are those of Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing of NLP Models with CheckList", for tables: an
answer that must not move, one that must not move in a direction, and one that must be given at all.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract import behaviour as stated
from gristmill.data.contract.behaviour import ReadTest, read_tests
from gristmill.data.contract.changes import Change
from gristmill.data.contract.conditions import members
from gristmill.evaluation.behaviour import edge_cases
from gristmill.evaluation.behaviour.answers import CASE, Outcome, Subject, conclusion, not_finite, outcome_table, verdict
from gristmill.metrics.scores import Floats, decide

MARGIN = 0.01
"""Largest move that does not count: of a probability, or in standard deviations of the truth."""


def require(behaviour: Any, contract: Mapping[str, Any]) -> None:
    """Refuse a case whose behaviour tests or critical segments do not fit its table, before anything is made of them.

    Raises
    ------
    DataError
        A test or a segment names a column, level or class that the table does not have.
    """
    stated.require(behaviour, contract)


@dataclass(frozen=True)
class Tried:
    """What came of all tests, those of the case file first; and by name what came of them with other models."""

    outcomes: tuple[Outcome, ...]
    others: Mapping[str, tuple[Outcome, ...]] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return in Markdown how many tests passed, and which failed by how much."""
        return conclusion(self.outcomes)

    def table(self) -> pd.DataFrame:
        """Return the tests as a reader would want them; see :func:`gristmill.evaluation.behaviour.answers.outcome_table`."""
        return outcome_table(self.outcomes, self.others)

    def as_product(self) -> list[dict[str, Any]]:
        """Return the outcomes as the JSON-able part of ``evaluation.json``; ``others`` says how often other models broke a test."""
        told = {name: {one.name: one for one in outcomes} for name, outcomes in self.others.items()}
        return [
            one.as_dict() | {"others": {name: by_name[one.name].counts() for name, by_name in told.items() if one.name in by_name}}
            for one in self.outcomes
        ]


def run_tests(subject: Subject, behaviour: Any, train: pd.DataFrame, others: Mapping[str, Subject] | None = None) -> Tried:
    """Return what came of every test: those of the case file in its order, then the built-in ones.

    Parameters
    ----------
    subject
        The candidate and the test rows.
    behaviour
        The case's ``behaviour``.
    train
        Training rows, among which near-duplicates are looked for as well.
    others
        Name of another model -> that model with the same rows. It is put to the same tests, those about labels left out, and
        decides nothing.

    Raises
    ------
    DataError
        A test names what the table does not have.
    """
    tests = read_tests(behaviour, subject.model.contract)

    def asked(one: Subject) -> list[Outcome]:
        return [run_test(one, test, behaviour.tolerance) for test in tests]

    beside = {name: (*asked(one), *edge_cases.of_model(one)) for name, one in (others or {}).items()}
    return Tried((*asked(subject), *edge_cases.built_in(subject, train, behaviour.tolerance)), beside)


def run_test(subject: Subject, test: ReadTest, tolerance: float) -> Outcome:
    """Return what came of one test of the case file; one without a row to try has failed."""
    settings = test.settings
    allowed = tolerance if settings.tolerance is None else settings.tolerance
    chosen = subject.sample(np.flatnonzero(members(subject.rows, test.where)))
    rng = np.random.default_rng([subject.random_state, zlib.crc32(test.name.encode())])
    before_rows = subject.rows.iloc[chosen]
    changes = tuple(change.resolved(subject.rows[change.column]) for change in test.changes)
    after_rows, moved = changed(before_rows, changes, rng)
    if settings.expect is not None:  # a row that is as it was tells nothing about a move
        chosen, before_rows, after_rows = chosen[moved], before_rows[moved], after_rows[moved]
    claim = replace(test, changes=changes).claim
    if not len(chosen):
        note = "no test row could be tried: none fulfils `where`" + (", or none can be changed so" if changes else "")
        return Outcome(test.name, claim, CASE, hard=True, tried=0, broke=0, tolerance=allowed, passed=False, note=note)
    before, (after, error) = subject.scored.predicted[chosen], subject.ask(after_rows)
    excess = _excess(subject, settings, before, after)
    broke = excess > 0
    place = int(np.argmax(excess))
    output = subject.output(settings.answer or settings.of)
    pairs = {one.column: (before_rows[one.column].iloc[place], after_rows[one.column].iloc[place]) for one in changes}
    said = partial(subject.said, place=place, output=output)
    worst = subject.example(int(chosen[place]), said(before), said(after), pairs, broke=bool(broke[place]))
    n_broke, unseen = int(broke.sum()), [one.column for one in changes if one.column not in subject.model.feature_columns]
    note = error or (f"the model does not see {', '.join(unseen)}" if unseen else "")
    passed = verdict(n_broke, len(chosen), allowed)
    return Outcome(test.name, claim, CASE, hard=True, tried=len(chosen), broke=n_broke, tolerance=allowed, passed=passed,
                   worst=worst, note=note)  # fmt: skip


def changed(rows: pd.DataFrame, changes: Sequence[Change], rng: np.random.Generator) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return rows with some columns changed, and which rows are others than before."""
    made, moved = rows.copy(), np.zeros(len(rows), dtype=bool)
    for change in changes:
        made[change.column], different = change.apply(rows[change.column], rng)
        moved |= different
    return made, moved


def _excess(subject: Subject, settings: Any, before: Floats, after: Floats) -> Floats:
    """Return by how much each row breaks a test; not above zero for rows that keep it."""
    output = subject.output(settings.of)
    if settings.answer is not None:
        code = subject.model.classes.index(settings.answer)
        given = decide(np.nan_to_num(after), subject.model.threshold)
        found = np.where(given == code, after[:, code] - 1 - 1e-12, 1 - after[:, code] + 1e-12)
    elif settings.expect is None:
        values = after if output is None else after[:, output]
        lacks = [] if settings.minimum is None else [settings.minimum - values]
        lacks += [] if settings.maximum is None else [values - settings.maximum]
        found = np.max(lacks, axis=0)
    else:
        found = _moved_wrongly(subject, settings, before, after, output)
    return np.where(not_finite(after), np.inf, found)


def _moved_wrongly(subject: Subject, settings: Any, before: Floats, after: Floats, output: int | None) -> Floats:
    """Return by how much each answer moves that must not, or fails to move that must."""
    margin = settings.margin
    if margin is None:
        margin = MARGIN * (1.0 if subject.model.classes else float(np.std(subject.scored.y_true)) or 1.0)
    moves = after - before
    if settings.expect == "same":
        if moves.ndim > 1:
            moves = np.abs(moves).max(axis=1) if settings.of is None else np.abs(moves[:, output])
        return np.asarray(np.abs(moves) - margin)
    up = moves if output is None else moves[:, output]
    if settings.expect in ("not up", "not down"):
        return np.asarray((up if settings.expect == "not up" else -up) - margin)
    towards = up if settings.expect == "up" else -up
    return np.where(towards > margin, np.minimum(margin - towards, -1e-12), margin - towards + 1e-12)
