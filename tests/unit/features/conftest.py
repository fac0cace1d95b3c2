"""Small cases and contracts for the tests of features."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.data.contract.schema import infer

CaseBuilder = Callable[..., Case]


def make_case(**changes: Any) -> Case:
    settings = {"name": "small", "task": "binary", "source": "rows.csv", "target": "label", "positive_class": "1", **changes}
    return Case.model_validate(settings)


@pytest.fixture
def nasty() -> pd.DataFrame:
    """Return sixty rows of everything that tables hold: gaps, constants, emoji, dates, texts, nullable and mixed types."""
    random = np.random.default_rng(7)
    signal = random.normal(size=60)
    frame = pd.DataFrame(
        {
            "a b": np.where(random.random(60) < 0.3, np.nan, signal),
            "empty": np.nan,
            "constant": 5,
            'quote"d': random.integers(0, 3, 60),
            "🙂": pd.Series(random.choice(["x", "y", "z"], 60), dtype=object).where(random.random(60) < 0.8),
            "flag": pd.array(random.choice([True, False, None], 60), dtype="boolean"),
            "whole": pd.array([None if n % 7 == 0 else n % 9 for n in range(60)], dtype="Int64"),
            "kind": pd.Categorical(random.choice(["u", "v", "w"], 60)),
            "many": [f"level {n % 20}" for n in random.permutation(60)],
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, 60), "D"),
            "huge": random.normal(size=60) * 1e300,
            "label": (signal + random.normal(size=60) > 0).astype(int),
        }
    )
    frame.loc[[0, 1], "when"] = pd.NaT
    return frame


def contract_of(frame: pd.DataFrame, case: Case) -> dict[str, Any]:
    return infer(frame, case)
