"""Training rows on which one group does worse, whatever it is judged by."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_case, make_frame, make_rows

from gristmill.config.case import Case
from gristmill.modeling.choice.candidates import Choice, candidate
from gristmill.modeling.choice.members import Member
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.mitigation.asked import Asked, asked_of
from gristmill.modeling.training_rows import TrainingRows


def people(task: str = "binary", n_rows: int = 400) -> pd.DataFrame:
    """Return rows with a column ``sex``; in the training data women get the better outcome more seldom."""
    frame = make_frame(task, n_rows)
    sex = np.random.default_rng(1).choice(["f", "m"], n_rows)
    if task == "binary":
        frame["y"] = np.where((sex == "f") & (np.random.default_rng(2).random(n_rows) < 0.6), "no", frame["y"])
    if task == "regression":
        frame["y"] = frame["y"] + 3.0 * (sex == "m")
    return frame.assign(sex=sex.astype(object))


def member_of(rows: TrainingRows, family: str = "linear") -> Member:
    """Return a family's first configuration with its out-of-fold predictions."""
    params = portfolio(family, rows.problem)[0]
    oof = np.full((len(rows.y), 2) if rows.classes else len(rows.y), np.nan)
    for train, valid in rows.folds:
        model = build(family, params, rows.problem).fit(rows.X.iloc[train], rows.y[train])
        X_valid = rows.X.iloc[valid]
        oof[valid] = model.predict_proba(X_valid) if rows.classes else model.predict(X_valid)
    return Member(family, family, params, 1.0, "pipeline", oof)


class Setting:
    """A biased table with one trained family."""

    def __init__(self, task: str = "binary") -> None:
        self.frame = people(task)
        self.rows = make_rows(task, frame=self.frame)
        self.member = member_of(self.rows)
        rows, oof = self.rows, self.member.oof
        metric = self.case().primary_metric
        self.choice = Choice(candidate("linear", metric, rows.y, oof, rows.folds, {"linear": 1.0}, 1.0), "The best.")

    def case(self, **changes: Any) -> Case:
        """Return a case whose sensitive feature is ``sex``."""
        task = "regression" if not self.rows.classes else "binary"
        return make_case(task, sensitive_features=["sex"], fairness={"min_group_size": 20, **changes})

    def asked(self, name: str) -> Asked:
        """Return a mitigation that a case asks for."""
        return asked_of(self.case(mitigation=name), self.rows, {"linear": self.member}, self.frame)

    def named(self, asked: Asked, name: str) -> Asked:
        """Return another mitigation of the same rows."""
        return replace(asked, name=name)


@pytest.fixture(scope="session")
def biased() -> Setting:
    return Setting()


@pytest.fixture(scope="session")
def biased_numbers() -> Setting:
    return Setting("regression")
