"""A small evaluated model of each task, and the evidence a build would leave of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.models import customers, save_model

from gristmill.evaluation.predictions import Scored, encode_truth
from gristmill.modeling.artifact.fitted import FittedModel


@dataclass(frozen=True)
class Evaluated:
    """A model, the rows it was tested on, and what it said of them."""

    model: FittedModel
    test: pd.DataFrame
    scored: Scored


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Evaluated]:
    """Return the builder of an evaluated model of a task."""
    made: dict[str, Evaluated] = {}

    def build(task: str) -> Evaluated:
        if task not in made:
            folder: Path = tmp_path_factory.mktemp(task) / "candidate"
            save_model(folder, task, threshold=0.4 if task == "binary" else None)
            model, test = FittedModel.load(folder), customers(200, seed=1)
            test.index = pd.Index([f"row {number}" for number in range(200)], name="row_key")
            y_true = encode_truth(task, test[model.target], model.classes)
            made[task] = Evaluated(model, test, Scored(task, test.index, y_true, model.predict_values(test)))
        return made[task]

    return build


def scored_numbers(y_true: object, predicted: object) -> Scored:
    """Return a regression's predicted rows."""
    truth = np.asarray(y_true, dtype=float)
    return Scored("regression", pd.Index(range(len(truth))), truth, np.asarray(predicted, dtype=float))


def scored_classes(y_true: object, positive: object) -> Scored:
    """Return the predicted rows of two classes from the probability of the positive one."""
    proba = np.asarray(positive, dtype=float)
    codes = np.asarray(y_true, dtype=np.int64)
    return Scored("binary", pd.Index(range(len(codes))), codes, np.column_stack([1 - proba, proba]))
