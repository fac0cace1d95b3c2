"""How well one column alone foretells the target, and whether it is an identifier in disguise."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.kinds import is_numeric, parse_dates
from gristmill.data.targets import class_text

MOST_ROWS = 10_000
"""Rows that are looked at; classes with fewer rows than :data:`FEW_ROWS` are looked at in full."""

FEW_ROWS = 500
DENSE = 0.5
"""Share of the whole numbers in its range that an identifier has, each once; rows may have been left out."""

_LEAF_ROWS = 5
_LARGEST = 1e30
"""Numbers are clipped to this size, as they are for the models: trees read single precision, and squares stay finite."""

_SMALLEST_IDENTIFIED = 20
_ID_NAME = re.compile(
    r"^(id|ids|index|idx|key|uuid|guid|row|rownames?|row_?(id|num|number|no|names?)|unnamed.*|record|serial(_?(no|number))?)$"
    r"|[_ .-](id|uuid|guid|key|nr|no|number)$|^id[_ .-]", re.IGNORECASE,
)  # fmt: skip
_CAMEL_ID = re.compile(r"[a-z](ID|Id)$")

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Power:
    """How well one column foretells the target, out of fold.

    ``skill`` is the share of the error of a constant guess that the column removes: of wrong classes, or of squared error (then
    it is R2). ``auc`` is that of two classes, else None.
    """

    skill: float
    auc: float | None

    def __str__(self) -> str:
        """Say it in words."""
        return f"ROC-AUC {self.auc:.4f}" if self.auc is not None else f"{self.skill:.1%} of the error removed"


def looked_at(frame: pd.DataFrame, target: str, task: str, random_state: int = 0) -> pd.DataFrame:
    """Return at most about ten thousand rows, rare classes whole."""
    if len(frame) <= MOST_ROWS:
        return frame
    picked = frame.sample(MOST_ROWS, random_state=random_state)
    if task == "regression":
        return picked
    counts = frame[target].value_counts()
    rare = frame[frame[target].isin(counts[counts < FEW_ROWS].head(50).index)]
    return frame.loc[picked.index.union(rare.index)] if frame.index.is_unique else pd.concat([picked, rare])


def power(values: pd.Series, target: pd.Series, column: dict[str, Any], task: str) -> Power:
    """Return how well a column alone foretells the target, on rows it was not learnt from (two folds).

    Numbers and dates are read by a decision tree, levels by the classes or the mean seen with them; a missing value is a value.

    Parameters
    ----------
    values, target
        The column and the target, shape ``(n_rows,)``.
    column
        The column's entry in the data contract.
    task
        Kind of target.
    """
    if column["kind"] in ("numeric", "date"):
        numbers = as_numbers(values, column)
        outcome, guess = _by_tree(numbers, target, task)
        if task == "regression":
            return Power(max(_r2(outcome, guess), _correlation(numbers, outcome)), None)
    else:
        outcome, guess = _by_levels(values, target, task)
        if task == "regression":
            return Power(_r2(outcome, guess), None)
    return _class_power(outcome.astype(np.int64), guess)


def _halves(n_rows: int) -> NDArray[np.bool_]:
    """Return which of two random halves each row is in."""
    return np.asarray(np.random.default_rng(0).permutation(n_rows) % 2 == 0)


def as_numbers(values: pd.Series, column: dict[str, Any]) -> Floats:
    """Return numbers, or dates as days."""
    if column["kind"] == "date":
        dates = parse_dates(values, column.get("format"))
        return (dates - pd.Timestamp(0)).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)
    return np.clip(np.where(np.isfinite(numbers), numbers, np.nan), -_LARGEST, _LARGEST)


def outcome_of(target: pd.Series, task: str) -> NDArray[Any]:
    """Return the target as codes of classes, or as numbers."""
    if task == "regression":
        numbers = pd.to_numeric(target, errors="coerce").to_numpy(dtype=np.float64)
        return numbers / largest if (largest := np.abs(numbers).max(initial=0)) > _LARGEST else numbers
    return pd.factorize(class_text(target), sort=True)[0].astype(np.int64)


def _by_tree(numbers: Floats, target: pd.Series, task: str) -> tuple[NDArray[Any], Floats]:
    """Return the outcome and its out-of-fold guess: probabilities of classes, or numbers."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor  # noqa: PLC0415 - a second to import

    outcome, X = outcome_of(target, task), numbers.reshape(-1, 1)
    half = _halves(len(outcome))
    n_classes = 1 if task == "regression" else int(outcome.max()) + 1
    guess = np.zeros((len(outcome), n_classes))
    kind = DecisionTreeRegressor if task == "regression" else DecisionTreeClassifier
    for trains in (half, ~half):
        if np.isnan(X[trains]).all():
            continue
        tree = kind(min_samples_leaf=_LEAF_ROWS, max_leaf_nodes=128, random_state=0).fit(X[trains], outcome[trains])
        if task == "regression":
            guess[~trains, 0] = tree.predict(X[~trains])
        else:
            guess[np.ix_(~trains, tree.classes_)] = tree.predict_proba(X[~trains])
    return outcome, guess[:, 0] if task == "regression" else guess


def _by_levels(values: pd.Series, target: pd.Series, task: str) -> tuple[NDArray[Any], Floats]:
    """Return the outcome and its out-of-fold guess from the level: what was seen with it, drawn a little towards the average."""
    outcome = outcome_of(target, task)
    levels = pd.factorize(values.astype(object).where(values.notna(), "\x1fmissing").astype(str))[0]
    seen = outcome.reshape(-1, 1).astype(float) if task == "regression" else np.eye(int(outcome.max()) + 1)[outcome]
    half, guess = _halves(len(outcome)), np.zeros_like(seen)
    for trains in (half, ~half):
        counts = np.bincount(levels[trains], minlength=levels.max() + 1)[:, None]
        sums = np.zeros((levels.max() + 1, seen.shape[1]))
        np.add.at(sums, levels[trains], seen[trains])
        average = seen[trains].mean(axis=0)
        guess[~trains] = ((sums + 0.1 * average) / (counts + 0.1))[levels[~trains]]
    return outcome, guess[:, 0] if task == "regression" else guess


def _r2(outcome: Floats, guess: Floats) -> float:
    """Return the share of the variance that a guess removes, not below 0."""
    spread = float(((outcome - outcome.mean()) ** 2).sum())
    return max(0.0, 1 - float(((outcome - guess) ** 2).sum()) / spread) if spread > 0 else 0.0


def _correlation(numbers: Floats, outcome: Floats) -> float:
    """Return the square of the correlation where both are known; 0 if hardly ever."""
    known = np.isfinite(numbers) & np.isfinite(outcome)
    if known.mean() < 0.9 or np.ptp(numbers[known]) == 0 or np.ptp(outcome[known]) == 0:
        return 0.0
    ranks = pd.Series(numbers[known]).rank().to_numpy(), pd.Series(outcome[known]).rank().to_numpy()
    straight = np.corrcoef(numbers[known], outcome[known])[0, 1] ** 2
    return float(max(straight, np.corrcoef(*ranks)[0, 1] ** 2))


def _class_power(outcome: Codes, proba: Floats) -> Power:
    """Return skill, and ROC-AUC of two classes."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    wrong = float((proba.argmax(axis=1) != outcome).mean())
    base = 1 - np.bincount(outcome).max() / len(outcome)
    auc = float(roc_auc_score(outcome, proba[:, 1])) if proba.shape[1] == 2 and len(np.unique(outcome)) == 2 else None
    return Power(max(0.0, 1 - wrong / base) if base > 0 else 0.0, auc)


def is_copy(values: pd.Series, target: pd.Series) -> bool:
    """Return whether a column holds the target, value for value."""
    if is_numeric(values) and is_numeric(target):
        return bool(((values == target) | (values.isna() & target.isna())).all())
    return bool((class_text(values).fillna("") == class_text(target).fillna("")).all())


def is_id_name(name: str) -> bool:
    """Return whether a column's name says that it names rows."""
    return bool(_ID_NAME.search(name.strip())) or bool(_CAMEL_ID.search(name.strip()))


def identifier_evidence(values: pd.Series, column: dict[str, Any]) -> str | None:
    """Return why a column looks like an identifier, or None.

    Measurements may well be different in every row; what gives an identifier away is text without a repetition, whole numbers
    that count the rows, or different whole numbers in a column that is called an identifier.
    """
    present = values.dropna()
    if len(present) < max(_SMALLEST_IDENTIFIED, 0.99 * len(values)) or column["kind"] in ("boolean", "date", "text"):
        return None
    if present.nunique() < len(present):
        return None
    if column["kind"] == "categorical":
        return f"every one of its {len(present):,} texts is different"
    numbers = pd.to_numeric(present).to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all() or (numbers % 1).any():
        return None
    if np.ptp(numbers) < len(numbers) / DENSE:
        return f"it counts rows, from {int(numbers.min())} to {int(numbers.max())}"
    return f"it is called an identifier and all its {len(present):,} numbers differ" if is_id_name(column["name"]) else None
