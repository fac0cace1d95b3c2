"""What makes the trials of a search comparable with each other, and a search the same search."""

import functools
import hashlib
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.modeling.search.folds import PreparedFolds

LIBRARIES = ("catboost", "lightgbm", "numpy", "optuna", "pandas", "scikit-learn", "scipy", "torch")
"""Distributions whose version decides what a configuration becomes; those that are not installed are left out."""

_PACKAGE = Path(__file__).resolve().parents[2]
_CODE = ("features", "metrics", "modeling/families", "modeling/search")


def comparable(prepared: PreparedFolds, metric: str, method: str) -> dict[str, Any]:
    """Return what decides the outcome of a trial beside its configuration, each as text: equal values mean the same search.

    Parameters
    ----------
    prepared
        The rows in folds, for one family.
    metric
        The metric that decides.
    method
        How configurations are proposed.
    """
    return {
        "family": prepared.family,
        "rows": _rows_digest(prepared),
        "plan": hashlib.sha256(json.dumps(prepared.problem.plan, sort_keys=True, default=str).encode()).hexdigest(),
        "metric": metric,
        "method": method,
        "seed": prepared.problem.random_state,
        "versions": _versions(),
        "code": _code_digest(),
    }


def _rows_digest(prepared: PreparedFolds) -> str:
    """Return a digest of the features, the target and the folds."""
    digest = hashlib.sha256(repr([(str(name), str(kind)) for name, kind in prepared.X.dtypes.items()]).encode())
    digest.update(pd.util.hash_pandas_object(prepared.X, index=True).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(prepared.y).tobytes())
    for train, valid in prepared.folds:
        digest.update(np.ascontiguousarray(train).tobytes() + b"|" + np.ascontiguousarray(valid).tobytes())
    return digest.hexdigest()


@functools.cache
def _versions() -> dict[str, str]:
    """Return the versions of Python and of what trains."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@functools.cache
def _code_digest() -> str:
    """Return a digest of the code that prepares, fits and scores."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in _CODE for path in (_PACKAGE / folder).rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
