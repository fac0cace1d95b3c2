"""Every family finds a model of tables that are tiny, lopsided, or lack a class in a fold, and answers what it has never seen."""

import numpy as np
import pandas as pd
import pytest
from tests.unit.modeling.conftest import make_frame, make_rows

from gristmill.modeling.families.catalogue import build
from gristmill.modeling.search.budget import Budget
from gristmill.modeling.search.folds import PreparedFolds
from gristmill.modeling.search.tuning import Search, search
from gristmill.modeling.training_rows import TrainingRows

every_family = pytest.mark.parametrize("family", ["linear", "forest", "boosting", "neural"])


def first_trial(rows: TrainingRows, family: str, metric: str) -> Search:
    return search(PreparedFolds(family, rows.problem, rows.X, rows.y, rows.folds), metric, Budget(None, 1))


def require_whole(found: Search, rows: TrainingRows) -> None:
    """Require a finished trial with a finite answer for every row that was left out once."""
    assert found.best is not None
    assert np.isfinite(found.best.score)
    assert np.isfinite(found.oof[rows.validated]).all()
    assert np.allclose(found.oof[rows.validated].sum(axis=1), 1)


@every_family
def test_a_table_of_twenty_rows(family: str):
    rows = make_rows("binary", 20)
    require_whole(first_trial(rows, family, "log_loss"), rows)


@every_family
def test_one_row_in_fifty_is_positive(family: str):
    frame = make_frame("binary", 400)
    rank = (2 * frame["x"].fillna(0) + (frame["c"] == "a")).rank()
    frame["y"] = np.where(rank > 392, "yes", "no")
    rows = make_rows(frame=frame)
    found = first_trial(rows, family, "roc_auc")
    require_whole(found, rows)
    assert found.best.score > 0.8


@every_family
def test_a_class_that_most_folds_lack(family: str):
    frame = make_frame("multiclass", 80)
    frame["y"] = frame["y"].where(np.arange(80) > 0, "seldom")
    rows = make_rows("multiclass", frame=frame)
    require_whole(first_trial(rows, family, "log_loss"), rows)
    assert rows.classes == ("high", "low", "middle", "seldom")


@every_family
def test_levels_never_seen_and_gaps_are_answered(family: str):
    rows = make_rows("binary", 60)
    model = build(family, first_trial(rows, family, "log_loss").best.params, rows.problem).fit(rows.X, rows.y)
    odd = pd.concat([rows.X.head(1).assign(c="never seen"), rows.X.head(1).assign(x=np.nan, noise=np.nan)])
    assert np.isfinite(model.predict_proba(odd)).all()
