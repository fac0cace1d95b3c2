"""What a compiled model answers for a row is the same to the last bit, however many rows are asked for beside it (R34)."""

import json

import numpy as np
import pytest
from tests.compiled_models import FAMILIES, setting, visits

from gristmill.modeling.choice.stacking import MetaModel, StackedClassifier, StackedRegressor
from gristmill.serving.predictor import Predictor

SIZES = (1, 2, 7, 64, 500)


def differing(predictor: Predictor) -> dict[int, int]:
    """Return how many rows have another answer in batches of each size than in one of all."""
    rows = json.loads(visits(500, seed=9).to_json(orient="records"))
    together = predictor.values_of(rows)
    found = {}
    for size in SIZES:
        said = np.concatenate([predictor.values_of(rows[start : start + size]) for start in range(0, len(rows), size)])
        found[size] = int((said != together).reshape(len(rows), -1).any(axis=1).sum())
    return found


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_answers_a_row_alone_as_among_others(name: str, task: str) -> None:
    made = setting(task)
    predictor = made.predictor(made.fitted(made.member(name)))
    assert predictor.compiled, predictor.why_not_compiled
    assert differing(predictor) == dict.fromkeys(SIZES, 0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_stack_answers_a_row_alone_as_among_others(task: str) -> None:
    made = setting(task)
    rng, n_rows, n_classes = np.random.default_rng(2), len(made.target), len(made.classes)
    names = list(FAMILIES)[:3]
    oof = [rng.dirichlet(np.ones(n_classes), n_rows) if n_classes else rng.normal(size=n_rows) for _ in names]
    meta = MetaModel(n_classes).fit(oof, made.target)
    meta.weights_ = np.array([0.7, 0.4, 0.3])
    kind = StackedClassifier if n_classes else StackedRegressor
    predictor = made.predictor(made.fitted(kind([(name, made.member(name)) for name in names], meta)))
    assert predictor.compiled, predictor.why_not_compiled
    assert differing(predictor) == dict.fromkeys(SIZES, 0)
