"""Which rows train, which validate, which test: decided once, the same whatever the order of the rows.

Rows whose features are all identical form a bundle and stay on one side and in one fold, so that a duplicate can never be
trained on and tested on. A strategy adds its own condition: groups stay together, or later rows test models trained on earlier.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.data.hashing import Hashes, content_hashes
from gristmill.data.products import ROW_KEY
from gristmill.data.splits.allocation import allocate
from gristmill.data.splits.chronology import blocks, moments
from gristmill.data.targets import class_text
from gristmill.errors import DataError

TRAIN, TEST = "train", "test"
NEVER_VALIDATED = -1
"""The fold of rows that every model trains on and none is validated on."""

FEWEST_OF_A_CLASS = 3
"""Rows of a class that are needed: one to test on, one to validate on, one to train on."""

MOST_ROWS_A_COMBINATION = 10
"""Rows that share all their features, on average, above which they are no duplicates but the few things that can happen."""

_NO_FOLD = pd.NA

Integers = NDArray[np.int64]


def row_keys(frame: pd.DataFrame, id_columns: Sequence[str] = (), prefix: str = "") -> pd.Index:
    """Return the index that identifies rows through all products, named ``row_key``.

    The identifiers themselves where every row has them and no two rows the same; otherwise a hash of the row's content, with
    identical rows numbered. A row's key does not depend on where it stands nor on the rows around it.

    Parameters
    ----------
    frame
        The rows.
    id_columns
        Columns that name rows.
    prefix
        Put before every key, to tell the rows of a second table from those of the first.
    """
    keys = _identifier_keys(frame, id_columns)
    if keys is None:
        hashes = pd.Series(content_hashes(frame), index=range(len(frame)))
        number = hashes.groupby(hashes).cumcount()
        texts = hashes.map("{:016x}".format)
        keys = texts.where(number == 0, texts + "-" + (number + 1).astype(str))
    return pd.Index(prefix + keys.to_numpy(dtype=object), dtype=object, name=ROW_KEY)


def _identifier_keys(frame: pd.DataFrame, id_columns: Sequence[str]) -> pd.Series | None:
    """Return the identifiers as text, or None where they are missing or shared."""
    names = [name for name in id_columns if name in frame.columns]
    if not names or frame[names].isna().to_numpy().any() or frame.duplicated(names).any():
        return None
    texts = [class_text(frame[name]).str.replace("|", "||", regex=False) for name in names]
    keys = texts[0]
    for text in texts[1:]:
        keys = keys + "|" + text
    return None if keys.duplicated().any() else keys.reset_index(drop=True)


def assign(frame: pd.DataFrame, case: Any, test: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return ``split`` ("train" or "test") and ``fold`` of each row, with the index of ``frame``.

    Parameters
    ----------
    frame
        Rows with a target, indexed by row key.
    case
        The case; its ``split``, columns and task say how.
    test
        The rows of ``split.test_source``, indexed by row key: they are the test set, and all of ``frame`` is for training.

    Returns
    -------
    DataFrame
        ``split`` and ``fold``: null for test rows, -1 for rows that are never validated, else the fold that validates the row.

    Raises
    ------
    DataError
        A class has too few rows, a time or group is missing, or there are too few of them to split.
    """
    classes = class_text(frame[case.target]).to_numpy() if case.task != "regression" else None
    _refuse_rare_classes(classes, case)
    if case.split_strategy == "time":
        sides, folds = _by_time(frame, classes, case, with_test=test is None)
    else:
        sides, folds = _by_bundles(_bundles(frame, case), classes, case, with_test=test is None)
    split = pd.DataFrame({"split": np.where(sides == 1, TEST, TRAIN)}, index=frame.index)
    split["fold"] = pd.array(np.where(sides == 1, NEVER_VALIDATED, folds), dtype="Int64")
    split.loc[split["split"] == TEST, "fold"] = _NO_FOLD
    if test is None:
        return split
    given = pd.DataFrame({"split": TEST, "fold": pd.array([_NO_FOLD] * len(test), dtype="Int64")}, index=test.index)
    return pd.concat([split, given])


def _refuse_rare_classes(classes: NDArray[Any] | None, case: Any) -> None:
    """Refuse a class that cannot be in the test rows, a fold and the rows that fold's model trains on at the same time."""
    if classes is None:
        return
    names, counts = np.unique(classes.astype(str), return_counts=True)
    if counts.min() < FEWEST_OF_A_CLASS:
        rare = str(names[counts.argmin()])
        raise DataError(
            f"The class {rare!r} of the target column {case.target!r} has {counts.min()} row{'s' if counts.min() > 1 else ''}; "
            f"at least {FEWEST_OF_A_CLASS} are needed, to train, validate and test on it. Collect more, merge it with another "
            "class, or remove its rows."
        )


def feature_hashes(frame: pd.DataFrame, case: Any) -> Hashes:
    """Return a hash of the features of each row, equal for rows that a model could not tell apart; shape ``(n_rows,)``.

    Under a split by time, the time counts as a feature even if the model does not see it: the same state of affairs at another
    time is another observation.
    """
    hidden = set(case.non_feature_columns) - ({case.time_column} if case.split_strategy == "time" else set())
    return content_hashes(frame, [name for name in frame.columns if name not in hidden])


def bundled(hashes: Hashes) -> bool:
    """Return whether rows with identical features are to be kept together.

    They are duplicates, which must not be trained on and tested on, unless the features have so few combinations that almost
    every row shares its own with many others, as in a table of two categories.
    """
    return len(hashes) <= MOST_ROWS_A_COMBINATION * len(np.unique(hashes))


def _bundles(frame: pd.DataFrame, case: Any) -> Hashes:
    """Return a number a row, equal for rows that must stay together; numbers come from content, not from position."""
    alike = feature_hashes(frame, case)
    if not bundled(alike):
        alike = pd.util.hash_array(frame.index.astype(str).to_numpy(dtype=object))
    if case.split_strategy != "group":
        return alike
    groups = frame[case.group_column]
    if groups.isna().any():
        raise DataError(
            f"The group column {case.group_column!r} is missing in {int(groups.isna().sum())} rows; every row needs its group. "
            "Fill it in the source, or remove `group_column`."
        )
    return _connected(content_hashes(frame, [case.group_column]), alike)


def _connected(groups: Hashes, same_features: Hashes) -> Hashes:
    """Return bundles that keep groups whole, and identical rows together where that does not chain everything into one."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415 - only groups need it
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    group_codes, group_values = pd.factorize(groups)
    row_codes, _ = pd.factorize(same_features)
    n_groups, n_rows = len(group_values), int(row_codes.max()) + 1
    links = coo_matrix((np.ones(len(groups)), (group_codes, n_groups + row_codes)), shape=(n_groups + n_rows,) * 2)
    component = connected_components(links, directed=False)[1][:n_groups]
    joined = pd.Series(group_values).groupby(component).transform("min").to_numpy()
    largest = np.bincount(component[group_codes]).max()
    limit = max(np.bincount(group_codes).max(), 0.1 * len(groups))
    return joined[group_codes] if largest <= limit else groups


def _shuffled(bundles: Hashes, random_state: int) -> Hashes:
    """Return a pseudo-random number a bundle, from its content and the seed (splitmix64)."""
    mixed = bundles + np.uint64((random_state * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _count(bundles: Hashes, strata: Integers) -> tuple[Integers, Hashes, Integers]:
    """Return each row's bundle number, the bundles' hashes and their rows by class, shape ``(n_bundles, n_classes)``."""
    values, codes = np.unique(bundles, return_inverse=True)
    counts = np.zeros((len(values), int(strata.max()) + 1), dtype=np.int64)
    np.add.at(counts, (codes, strata), 1)
    return codes.astype(np.int64), values, counts


def _by_bundles(bundles: Hashes, classes: NDArray[Any] | None, case: Any, *, with_test: bool) -> tuple[Integers, Integers]:
    """Return side (1: test) and fold of each row, bundles whole."""
    stratified = classes is not None and case.split_strategy != "random"
    strata = np.unique(classes.astype(str), return_inverse=True)[1] if stratified and classes is not None else None
    strata = np.zeros(len(bundles), dtype=np.int64) if strata is None else strata.astype(np.int64)
    seed = case.split.random_state
    sides = np.zeros(len(bundles), dtype=np.int64)
    if with_test:
        sides = _divide(bundles, strata, np.array([1 - case.split.test_size, case.split.test_size]), seed)
    training = sides == 0
    folds = np.full(len(bundles), NEVER_VALIDATED, dtype=np.int64)
    if case.split.validation_size is not None:
        shares = np.array([1 - case.split.validation_size, case.split.validation_size])
        folds[training] = _divide(bundles[training], strata[training], shares, seed + 1) - 1
    else:
        n_folds = _possible_folds(bundles[training], strata[training], case)
        folds[training] = _divide(bundles[training], strata[training], np.full(n_folds, 1 / n_folds), seed + 1)
    _refuse_absent_classes(classes, sides, folds, case, with_test=with_test)
    return sides, folds


def _divide(bundles: Hashes, strata: Integers, shares: NDArray[np.float64], seed: int) -> Integers:
    """Return the side of each row."""
    codes, values, counts = _count(bundles, strata)
    return allocate(counts, _shuffled(values, seed), shares)[codes]


def _possible_folds(bundles: Hashes, strata: Integers, case: Any) -> int:
    """Return the number of folds: that of the case, fewer where a class has not enough bundles, never below two."""
    _, _, counts = _count(bundles, strata)
    scarcest: int = (counts > 0).sum(axis=0).min()
    if len(counts) < 2:
        raise DataError(
            f"Expected at least two {'groups' if case.split_strategy == 'group' else 'different rows'} to train and validate on, "
            f"found {len(counts)}. Check `split` and the columns in the case file."
        )
    return int(max(2, min(case.split.folds, scarcest)))


def _refuse_absent_classes(classes: NDArray[Any] | None, sides: Integers, folds: Integers, case: Any, *, with_test: bool) -> None:
    """Refuse a split in which some model would train, or be tested, without a class."""
    if classes is None:
        if with_test and not (sides == 1).any():
            raise DataError("No row is left to test on; the rows of the table are all alike. Check `source` and `id_columns`.")
        return
    every = set(classes)
    lacking = _lacking(classes, sides == 1, every) if with_test else set()
    place = "the test rows"
    for fold in np.unique(folds[(sides == 0) & (folds >= 0)]):
        if not lacking:
            lacking, place = _lacking(classes, (sides == 0) & (folds != fold), every), f"the training rows of fold {fold}"
    if lacking:
        raise DataError(
            f"The class {min(lacking)!r} of {case.target!r} is absent from {place}: its rows have too few different features or "
            f"groups for a {case.split_strategy} split. Collect more of them, merge the class with another, or change `split`."
        )


def _lacking(classes: NDArray[Any], rows: NDArray[np.bool_], every: set[str]) -> set[str]:
    return every - set(classes[rows])


def _by_time(frame: pd.DataFrame, classes: NDArray[Any] | None, case: Any, *, with_test: bool) -> tuple[Integers, Integers]:
    """Return side (1: test) and fold of each row: the latest rows test, earlier blocks validate models of those before them."""
    rank = pd.factorize(moments(frame[case.time_column]), sort=True)[0].astype(np.int64)
    sides = np.zeros(len(frame), dtype=np.int64)
    if with_test:
        sides = blocks(rank, np.array([1 - case.split.test_size, case.split.test_size]), case.time_column)
    training = sides == 0
    folds = np.full(len(frame), NEVER_VALIDATED, dtype=np.int64)
    n_folds = min(case.split.folds, len(np.unique(rank[training])) - 1)
    size = case.split.validation_size
    shares = np.array([1 - size, size]) if size is not None else np.full(n_folds + 1, 1 / (n_folds + 1))
    folds[training] = blocks(rank[training], shares, case.time_column) - 1
    return sides, _first_block_with_all_classes(folds, training, classes, case)


def _first_block_with_all_classes(
    folds: Integers, training: NDArray[np.bool_], classes: NDArray[Any] | None, case: Any
) -> Integers:
    """Join the earliest blocks until every class is among the rows that the first model trains on."""
    if classes is None:
        return folds
    every = set(classes[training])
    while (folds[training] >= 0).any() and _lacking(classes, training & (folds == NEVER_VALIDATED), every):
        folds[training] = np.maximum(folds[training] - 1, NEVER_VALIDATED)
    if set(classes) - every or not (folds[training] >= 0).any():
        late = min(set(classes) - every) if set(classes) - every else min(_lacking(classes, training & (folds < 0), every) or every)
        raise DataError(
            f"The class {late!r} of {case.target!r} appears too late for a split by time: a model has to train on every class "
            "before it is validated or tested. Collect earlier rows, merge the class, or use another `split.strategy`."
        )
    return folds


def cross_validation(fold: pd.Series | NDArray[Any], strategy: str) -> list[tuple[Integers, Integers]]:
    """Return the positions of training and validation rows, one pair a fold, in the order of the folds.

    Parameters
    ----------
    fold
        Fold of each training row, shape ``(n_rows,)``; -1 where a row is never validated.
    strategy
        The case's split strategy. With ``time``, a fold's model trains on earlier folds only.
    """
    numbers = np.asarray(fold, dtype=np.int64)
    pairs = []
    for number in np.unique(numbers[numbers >= 0]):
        trains = numbers < number if strategy == "time" else numbers != number
        pairs.append((np.flatnonzero(trains), np.flatnonzero(numbers == number)))
    return pairs
