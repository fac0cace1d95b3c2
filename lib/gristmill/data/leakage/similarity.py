"""How much test rows are like training rows: too much, row by row, or too little, on the whole. Both only warn."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.contract.checks import Check
from gristmill.data.contract.schema import Contract
from gristmill.data.hashing import Hashes, content_hashes
from gristmill.data.leakage.proxies import as_numbers

NEAR_RULE, UNLIKE_RULE = "no near-duplicates", "test rows like training rows"

MANY_NEAR = 0.02
"""Share of the test rows with a near-duplicate in training from which it is worth a warning."""

TOLD_APART = 0.6
"""ROC-AUC from which a model can tell test rows from training rows."""

MOST_TRAINING, MOST_TEST, MOST_COLUMNS = 20_000, 5_000, 60
FEWEST_COLUMNS = 4
FEW_SHARE, RARE_SHARE = 3, 0.001
"""A value is rare that so many training rows have, or this share of them: rows that share none are alike by chance."""


_CELL = 0.02
"""Width of the cells that numbers are put in, in interquartile ranges."""

_MODEL_ROWS = 2_000
_FEWEST_ROWS = 100


def near_duplicates(train: pd.DataFrame, test: pd.DataFrame, contract: Contract) -> Check:
    """Judge whether test rows repeat training rows in all features but one, or with numbers that hardly differ.

    Numbers are put into cells, twice, so that two numbers on either side of a border meet in the other grid; rows are then compared
    by hashes, and values leaving out one column at a time. Rows count that share a rare value: in tables of few combinations many
    rows are alike by chance. At most 20,000 training and 5,000 test rows are looked at.

    Parameters
    ----------
    train, test
        Rows of both sides, indexed by row key.
    contract
        The data contract, which says what the features are.
    """
    columns = [one for one in contract["columns"] if one["used"] and one["name"] != contract["target"]][:MOST_COLUMNS]
    train, test = _some(train, MOST_TRAINING), _some(test, MOST_TEST)
    names = [column["name"] for column in columns]
    new = ~np.isin(content_hashes(test, names), content_hashes(train, names)) if names else np.zeros(len(test), dtype=bool)
    near, pair = np.zeros(len(test), dtype=bool), None
    for sums, telling in _comparable(pd.concat([train, test]), columns, len(train)) if len(columns) >= FEWEST_COLUMNS else ():
        trained, tested = sums[: len(train)], sums[len(train) :]
        found = new & telling & np.isin(tested, trained)
        if found.any() and pair is None:
            first = int(found.argmax())
            pair = (test.index[first], train.index[int((trained == tested[first]).argmax())])
        near |= found
    count = int(near.sum())
    few = count <= MANY_NEAR * len(test)
    said = f"{count:,} of {len(test):,} test rows looked at differ from a training row in one feature or hardly at all"
    example = f", such as the rows {pair[0]!r} and {pair[1]!r}" if pair is not None else ""
    advice = ". If such rows are of one person or thing, name it in `group_column`." if not few else "."
    return Check(NEAR_RULE, None, "warn", few, count, said + example + advice, tuple(map(str, pair or ())))


def _some(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many rows."""
    return frame if len(frame) <= most else frame.sample(most, random_state=0)


def _comparable(frame: pd.DataFrame, columns: list[dict[str, Any]], n_train: int) -> Iterator[tuple[Hashes, NDArray[np.bool_]]]:
    """Give hashes of all rows that are equal for near-duplicates, and which test rows have something rare in what is compared.

    Compared are all cells, in both grids, and all values but one.
    """
    for shift in (0.0, 0.5):
        cells = _hashes(frame, columns, n_train, shift)
        yield cells.sum(axis=1, dtype=np.uint64), np.asarray(_rare(cells, n_train).any(axis=1))
    exact = _hashes(frame, columns, n_train, None)
    whole, rare = exact.sum(axis=1, dtype=np.uint64), _rare(exact, n_train)
    for place in range(len(columns)):
        yield whole - exact[:, place], rare.sum(axis=1) > rare[:, place]


def _rare(hashes: NDArray[np.uint64], n_train: int) -> NDArray[np.bool_]:
    """Return which values of the test rows few training rows have, shape ``(n_test, n_columns)``."""
    few = max(FEW_SHARE, RARE_SHARE * n_train)
    rare = np.zeros((len(hashes) - n_train, hashes.shape[1]), dtype=bool)
    for place in range(hashes.shape[1]):
        values, counts = np.unique(hashes[:n_train, place], return_counts=True)
        rare[:, place] = np.isin(hashes[n_train:, place], values[counts <= few])
    return rare


def _hashes(frame: pd.DataFrame, columns: list[dict[str, Any]], n_train: int, shift: float | None) -> NDArray[np.uint64]:
    """Return a hash of each value, or of the cell it lies in, shape ``(n_rows, n_columns)``.

    Parameters
    ----------
    frame, columns
        Rows, those of training first, and the entries of their features in the contract.
    n_train
        How many are training rows; the width of the cells comes from them.
    shift
        Where the cells' borders are; None for the values themselves.
    """
    made = np.empty((len(frame), len(columns)), dtype=np.uint64)
    for place, column in enumerate(columns):
        values = frame[column["name"]].reset_index(drop=True)
        if shift is not None and column["kind"] in ("numeric", "date"):
            numbers = as_numbers(values, column)
            values = pd.Series(np.floor(numbers / _width(numbers[:n_train]) + shift))
        seed = np.uint64((place + 1) * 0x9E3779B97F4A7C15 % 2**64)
        made[:, place] = _mixed(content_hashes(values.to_frame("value")) + seed)
    return made


def _width(numbers: NDArray[np.float64]) -> float:
    """Return the width of a column's cells: a share of the interquartile range, or of the spread where that is zero."""
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, [0.25, 0.75])
    return float(max((high - low) * _CELL, np.std(known) * _CELL / 10, 1e-12))


def _mixed(hashes: Hashes) -> Hashes:
    """Return hashes that can be added up without telling patterns (splitmix64)."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(31))


def unlike(train: pd.DataFrame, test: pd.DataFrame, contract: Contract) -> Check:
    """Judge whether a model can tell the rows of a given test table from training rows; not if both come from the same place.

    A small forest learns the side of at most 2,000 rows of each, and is judged on rows that a tree has not seen (out of bag).
    """
    columns = [one for one in contract["columns"] if one["used"] and one["kind"] != "text" and one["name"] != contract["target"]]
    names = [column["name"] for column in columns]
    train, test = train.drop_duplicates(names), test.drop_duplicates(names)  # a repeated row would be known by heart
    size = min(len(train), len(test), _MODEL_ROWS)
    if size < _FEWEST_ROWS or not columns:
        return Check(UNLIKE_RULE, None, "warn", passed=True, count=0, message="There are too few rows to tell the sides apart.")
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - a second to import
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    rows = pd.concat([train.sample(size, random_state=0), test.sample(size, random_state=0)])
    X, y = np.column_stack([_codes(rows[column["name"]], column) for column in columns]), np.repeat([0, 1], size)
    forest = RandomForestClassifier(40, min_samples_leaf=5, max_features="sqrt", oob_score=True, random_state=0, n_jobs=1)
    told = forest.fit(X, y).oob_decision_function_[:, 1]
    auc = float(roc_auc_score(y, np.nan_to_num(told, nan=0.5)))
    best = columns[int(forest.feature_importances_.argmax())]["name"]
    text = f"A model tells test rows from training rows with ROC-AUC {auc:.2f}"
    text += (
        f", most by {best!r}: the sides differ, and the test says less about rows like those trained on."
        if auc > TOLD_APART
        else "."
    )
    return Check(UNLIKE_RULE, best if auc > TOLD_APART else None, "warn", auc <= TOLD_APART, 2 * size, text)


def _codes(values: pd.Series, column: dict[str, Any]) -> NDArray[np.float64]:
    """Return numbers for a tree: as they are, or the frequency order of levels; missing values below all others."""
    if column["kind"] in ("numeric", "date"):
        return np.nan_to_num(as_numbers(values, column), nan=-1e30)
    texts = values.astype(object).where(values.notna(), "\x1fmissing").astype(str)
    return texts.map({level: place for place, level in enumerate(texts.value_counts().index)}).to_numpy(dtype=np.float64)
