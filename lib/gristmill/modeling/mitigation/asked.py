"""The mitigation that a case asks for by name: learnt again out of fold, decided by group, and refitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from gristmill.config.mitigations import GRADIENT, NONE, THRESHOLDS
from gristmill.errors import DataError
from gristmill.features.preparation import preprocessor
from gristmill.features.rows import RowFeatures
from gristmill.modeling.choice.candidates import FASTEST_FIRST, Candidate, Choice, blocks_of, candidate
from gristmill.modeling.choice.ensembling import blend
from gristmill.modeling.choice.members import Member
from gristmill.modeling.choice.selection import refit
from gristmill.modeling.choice.thresholds import ChosenThreshold
from gristmill.modeling.families.catalogue import build, estimator
from gristmill.modeling.mitigation.group_thresholds import GroupThresholds, cross_fitted, fit_thresholds, reference
from gristmill.modeling.mitigation.grouping import Grouping, learn_grouping
from gristmill.modeling.mitigation.reduction import fit_mixture, told_apart
from gristmill.modeling.mitigation.weights import drawn, outcomes, row_weights
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows

Floats = NDArray[np.float64]
Positions = NDArray[np.int64]


@dataclass(frozen=True)
class People:
    """The groups of the training rows.

    Attributes
    ----------
    grouping
        How a row's group is found.
    groups
        Group of each training row: of all sensitive features together.
    smallest
        Groups with fewer rows keep the threshold of all.
    """

    grouping: Grouping
    groups: NDArray[np.object_]
    smallest: int


def people_of(case: Any, train: pd.DataFrame) -> People | None:
    """Return the groups of the training rows; None where the case names no sensitive features.

    Raises
    ------
    DataError
        A mitigation is asked for, and a sensitive column is not in the data contract: nobody could tell the group of a row.
    """
    absent = [name for name in case.sensitive_features if name not in train.columns]
    if absent and case.fairness.mitigation != NONE:
        raise DataError(
            f"Expected the sensitive column {absent[0]!r} in the data contract, for `fairness.mitigation: "
            f"{case.fairness.mitigation}`, but the contract has none. Add the column, or set `fairness.mitigation: none`."
        )
    if not case.sensitive_features or absent:
        return None
    grouping = learn_grouping(train, case.sensitive_features)
    return People(grouping, grouping.of(train), case.fairness.min_group_size)


@dataclass(frozen=True)
class Relearnt:
    """How rows are learnt under a mitigation that changes the model: out of fold, and for good.

    Attributes
    ----------
    name
        Name of the mitigation.
    rows
        The training rows.
    members
        What models are made of.
    people
        Their groups.
    """

    name: str
    rows: TrainingRows
    members: Mapping[str, Member]
    people: People

    @property
    def _words(self) -> list[str]:
        return self.name.split()

    @property
    def fastest(self) -> Member:
        """The best configuration of the family that answers fastest: what a mixture is made of."""
        best = [one for one in self.members.values() if one.is_best]
        return min(best, key=lambda one: FASTEST_FIRST.index(one.family) if one.family in FASTEST_FIRST else len(FASTEST_FIRST))

    def positions(self, train: Positions) -> Positions:
        """Return the rows to learn, of those at ``train``, each as often as it weighs."""
        method, strength = self._words
        outcome = outcomes(self.rows.y, len(self.rows.classes))[train]
        weights = row_weights(method, float(strength), self.people.groups[train], outcome)
        return train[drawn(weights, self.rows.problem.random_state)]

    def member_oof(self, member: Member, most_rows: int | None = None) -> Floats:
        """Return the out-of-fold predictions of a configuration that learns rows by their weights."""
        made = np.full_like(member.oof, np.nan)
        with one_core():
            for train, valid in self.rows.folds:
                model = build(member.family, member.params, self.rows.problem)
                learnt = self.positions(_some(train, most_rows, self.rows.problem.random_state))
                model.fit(self.rows.X.iloc[learnt].reset_index(drop=True), self.rows.y[learnt])
                X_valid = self.rows.X.iloc[valid]
                made[valid] = model.predict_proba(X_valid) if self.rows.classes else model.predict(X_valid)
        return made

    def mixture_oof(self, most_rows: int | None = None) -> Floats:
        """Return the out-of-fold probabilities of the mixture."""
        made = np.full_like(self.fastest.oof, np.nan)
        with one_core():
            for train, valid in self.rows.folds:
                learnt = _some(train, most_rows, self.rows.problem.random_state)
                made[valid] = self.mixture(learnt).predict_proba(self.rows.X.iloc[valid])
        return made

    def mixture(self, learnt: Positions) -> Pipeline:
        """Return the mixture, for row-wise features, fitted on the rows at some positions."""
        member, problem = self.fastest, self.rows.problem
        prepare = preprocessor(problem.plan, member.family, member.params.get("numeric", "standard"))
        matrix = np.asarray(prepare.fit_transform(self.rows.X.iloc[learnt], self.rows.y[learnt]), dtype=np.float64)
        model = estimator(member.family, member.params, problem)
        y = self.rows.y[learnt]
        groups = told_apart(self._words[1], y, self.people.groups[learnt], self.people.smallest)
        mixture = fit_mixture(self._words[1], model, matrix, y, groups, problem.random_state)
        return Pipeline([("prepare", prepare), ("model", mixture)])

    def candidate(self, metric: str, chosen: Candidate) -> Candidate:
        """Return the chosen candidate learnt again, judged out of fold; or the mixture that takes its place."""
        rows = self.rows
        if self._words[0] == GRADIENT:
            member = self.fastest
            oof, row_ms = self.mixture_oof(), max(chosen.row_ms, member.row_ms)
            return candidate(f"{self.name} of {member.family}", metric, rows.y, oof, rows.folds, {member.name: 1.0}, row_ms)
        parts = {name: self.member_oof(self.members[name]) for name in chosen.weights}
        oof = (
            blend(parts, chosen.weights) if chosen.meta is None else chosen.meta.transform([parts[name] for name in chosen.weights])
        )
        made = candidate(f"{chosen.name}, {self.name}", metric, rows.y, oof, rows.folds, dict(chosen.weights), chosen.row_ms)
        return replace(made, meta=chosen.meta, form=chosen.form)


def _some(train: Positions, most_rows: int | None, random_state: int) -> Positions:
    """Return at most so many of the positions, drawn at random."""
    if most_rows is None or len(train) <= most_rows:
        return train
    return np.sort(np.random.default_rng(random_state).choice(train, most_rows, replace=False))


@dataclass(frozen=True)
class Asked:
    """What a case asks for by ``fairness.mitigation``; with ``none`` everything passes through as it came.

    Attributes
    ----------
    name
        The name in the case file.
    rows, members, metric
        The training rows, what models are made of, and the metric that decides.
    people
        The groups; None without sensitive features.
    """

    name: str
    rows: TrainingRows
    members: Mapping[str, Member]
    metric: str
    people: People | None

    @property
    def kind(self) -> str:
        """First word of the name."""
        return self.name.partition(" ")[0]

    def relearnt(self, found: Sequence[Candidate], choice: Choice) -> tuple[list[Candidate], Choice]:
        """Return the candidates and the choice, the mitigated model among them and chosen where the case asks for one."""
        if self.people is None or self.kind in (NONE, THRESHOLDS):
            return list(found), choice
        made = Relearnt(self.name, self.rows, self.members, self.people).candidate(self.metric, choice.candidate)
        reason = f"{choice.reason} The case file asks for the mitigation *{self.name}*, so that {made.name} takes its place."
        return [*found, made], Choice(made, reason, choice.in_time)

    def decided(self, oof: Floats, decision: ChosenThreshold | None) -> tuple[Floats, ChosenThreshold | None]:
        """Return the out-of-fold probabilities and the threshold, moved by group where the case asks for group thresholds."""
        if self.people is None or self.kind != THRESHOLDS or decision is None:
            return oof, decision
        _, rate, strength = self.name.split()
        folds, smallest = blocks_of(self.rows.folds), self.people.smallest
        made = cross_fitted(rate, float(strength), self.rows.y, oof, self.people.groups, folds, decision.value, smallest)
        own = f"Each group has a threshold of its own (*{self.name}*); probabilities are moved so that one decides for all."
        text = f"{decision.reason} {own}"
        return made, replace(decision, value=reference(decision.value), reason=text)

    def recorded(self, record: Mapping[str, Any], oof: Floats, decision: ChosenThreshold | None) -> dict[str, Any]:
        """Return ``model.json`` with what the mitigation adds: its name, thresholds by group, and the columns that these need.

        Parameters
        ----------
        record
            What a predictor has to know of any model.
        oof
            Out-of-fold probabilities before they were moved.
        decision
            The threshold before it was moved.
        """
        if self.name == NONE or self.people is None:
            return dict(record)
        made = {**record, "mitigation": self.name}
        if self.kind != THRESHOLDS or decision is None:
            return made
        _, rate, strength = self.name.split()
        valid = self.rows.validated
        y, positive, groups = self.rows.y[valid], oof[valid, 1], self.people.groups[valid]
        by_group = fit_thresholds(rate, float(strength), y, positive, groups, decision.value, self.people.smallest)
        thresholds = GroupThresholds(self.people.grouping, by_group, decision.value, reference(decision.value))
        columns = dict.fromkeys([*record["feature_columns"], *self.people.grouping.names])
        return {**made, "group_thresholds": thresholds.as_record(), "feature_columns": list(columns)}

    def refit(self, plan: dict[str, Any], model: Any, train: pd.DataFrame) -> Pipeline:
        """Return the final pipeline, fitted once on all training rows, each as often as the mitigation says.

        Parameters
        ----------
        plan
            The plan of features.
        model
            What is fitted; a calibrator around it is kept around a mixture as well.
        train
            Training rows with their raw columns.
        """
        if self.people is None or self.kind in (NONE, THRESHOLDS):
            return refit(plan, model, train, self.rows.y)
        again = Relearnt(self.name, self.rows, self.members, self.people)
        everyone = np.arange(len(self.rows.y), dtype=np.int64)
        if self.kind != GRADIENT:
            learnt = again.positions(everyone)
            drawn_rows = train.iloc[learnt].reset_index(drop=True)  # a row that is learnt twice would have one name twice
            return refit(plan, model, drawn_rows, self.rows.y[learnt])
        with one_core():
            return Pipeline([("rows", RowFeatures(plan).fit(train)), ("model", _calibrated_like(model, again.mixture(everyone)))])


def _calibrated_like(model: Any, mixture: Pipeline) -> Any:
    """Return a fitted mixture with the calibrator of the model whose place it takes, if that has one."""
    if not hasattr(model, "calibrator"):
        return mixture
    made = type(model)(mixture, model.calibrator)
    made.estimator_, made.classes_ = mixture, np.array([0, 1])
    return made


def asked_of(case: Any, rows: TrainingRows, members: Mapping[str, Member], train: pd.DataFrame) -> Asked:
    """Return what a case asks for.

    Parameters
    ----------
    case
        The case; ``fairness``, ``sensitive_features`` and ``primary_metric`` are read.
    rows, members
        The training rows, and what models are made of.
    train
        The same rows with their raw columns.

    Raises
    ------
    DataError
        As :func:`people_of`.
    """
    return Asked(case.fairness.mitigation, rows, members, case.primary_metric, people_of(case, train))
