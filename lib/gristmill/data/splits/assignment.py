"""Which rows train, which validate, which test: decided once, the same whatever the order of the rows.

Rows whose features are all identical form a bundle and stay on one side and in one fold, so that a duplicate can never be
trained on and tested on. A strategy adds its own condition: groups stay together, or later rows test models trained on earlier.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.case import GROUP_STRATEGIES
from gristmill.data.hashing import Hashes, content_hashes
from gristmill.data.products import ROW_KEY
from gristmill.data.splits.allocation import allocate
from gristmill.data.splits.bundles import count, shuffled
from gristmill.data.splits.chronology import block_starts, clock, gap_length, in_gaps
from gristmill.data.splits.line import FIRST_FOLD, TESTED, UNKNOWN, Line, places
from gristmill.data.targets import class_text
from gristmill.errors import DataError

TRAIN, TEST, GAP, UNUSED = "train", "test", "gap", "unused"
"""Sides of a split: rows in a gap of a split by time, and rows that would be on two sides, are used by no stage."""

SIDES = np.array([TRAIN, TEST, GAP, UNUSED], dtype=object)
TRAIN_SIDE, TEST_SIDE, GAP_SIDE, UNUSED_SIDE = range(4)
NOWHERE = -1
NEVER_VALIDATED = -1
"""The fold of rows that every model trains on and none is validated on."""

FEWEST_OF_A_CLASS = 3
"""Rows of a class that are needed: one to test on, one to validate on, one to train on."""

MOST_SET_ASIDE = 0.05
"""Share of the rows that may be left out because they were changed since they were assigned."""

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


def assign(frame: pd.DataFrame, case: Any, test: pd.DataFrame | None = None, line: Line | None = None) -> pd.DataFrame:
    """Return ``split`` and ``fold`` of each row, with the index of ``frame``.

    Parameters
    ----------
    frame
        Rows with a target, indexed by row key.
    case
        The case; its ``split``, columns and task say how.
    test
        The rows of ``split.test_source``, indexed by row key: they are the test set, and all of ``frame`` is for training.
    line
        What earlier snapshots have decided; nothing if not given.

    Returns
    -------
    DataFrame
        ``split``: "train"; "test"; "gap" (before a block of a split by time) or "unused" (changed since it was assigned, so that
        it would be on two sides), which no stage uses. ``fold``: -1 for training rows that are never validated, else the fold that
        validates the row; null for all others.

    Raises
    ------
    DataError
        A class has too few rows, a time or group is missing, or there are too few of them to split.
    """
    line = line or Line()
    classes = class_text(frame[case.target]).to_numpy() if case.task != "regression" else None
    _refuse_rare_classes(classes, case)
    if case.split_strategy == "time":
        sides, folds = _by_time(frame, classes, case, line, test)
    else:
        sides, folds = _by_bundles(frame, classes, case, line, with_test=test is None)
    split = pd.DataFrame({"split": SIDES[sides]}, index=frame.index)
    split["fold"] = pd.array(np.where(sides == TRAIN_SIDE, folds, NEVER_VALIDATED), dtype="Int64")
    split.loc[split["split"] != TRAIN, "fold"] = _NO_FOLD
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


def _by_bundles(
    frame: pd.DataFrame, classes: NDArray[Any] | None, case: Any, line: Line, *, with_test: bool
) -> tuple[Integers, Integers]:
    """Return side and fold of each row, bundles whole, old rows where they are."""
    found = places(frame, case, line)
    _refuse_upheaval(found.aside, case)
    strata = _strata(classes, case, len(frame))
    sides = np.where(found.aside, UNUSED_SIDE, np.where(found.given == TESTED, TEST_SIDE, TRAIN_SIDE)).astype(np.int64)
    new, seed = found.given == UNKNOWN, case.split.random_state
    if with_test:
        shares = np.array([1 - case.split.test_size, case.split.test_size])
        sides[new] = _divide(found.bundles, strata, shares, seed, new, sides)
    folds = found.given - FIRST_FOLD
    training, size = sides == TRAIN_SIDE, case.split.validation_size
    if size is not None:
        shares, first = np.array([1 - size, size]), NEVER_VALIDATED
    else:
        n_folds = line.n_folds or _possible_folds(found.bundles[training], strata[training], case)
        shares, first = np.full(n_folds, 1 / n_folds), 0
    places_in = np.where(training, folds - first, NOWHERE)
    folds[new & training] = _divide(found.bundles, strata, shares, seed + 1, new & training, places_in) + first
    _refuse_absent_classes(classes, sides, folds, case, with_test=with_test)
    return sides, folds


def _strata(classes: NDArray[Any] | None, case: Any, n_rows: int) -> Integers:
    """Return the number of each row's class where the strategy balances classes, else 0."""
    if classes is None or case.split_strategy not in ("stratified", "stratified_group"):
        return np.zeros(n_rows, dtype=np.int64)
    return np.unique(classes.astype(str), return_inverse=True)[1].astype(np.int64)


def _refuse_upheaval(aside: NDArray[np.bool_], case: Any) -> None:
    """Refuse to leave out more than a few rows because they were changed."""
    if aside.mean() > MOST_SET_ASIDE:
        raise DataError(
            f"{int(aside.sum()):,} of {len(aside):,} rows were changed since they were assigned, and now have the features or "
            "the group of rows on another side. Draw a new line: give `split.random_state` another number than "
            f"{case.split.random_state}."
        )


def _divide(
    numbers: Hashes, strata: Integers, shares: NDArray[np.float64], seed: int, new: NDArray[np.bool_], placed: Integers
) -> Integers:
    """Return the side of each new row, so that old and new rows together have the given shares."""
    if not new.any():
        return np.empty(0, dtype=np.int64)
    n_classes = int(strata.max()) + 1
    codes, values, counts = count(numbers[new], strata[new], n_classes)
    there = np.zeros((len(shares), n_classes), dtype=np.int64)
    old = ~new & (placed >= 0) & (placed < len(shares))
    np.add.at(there, (placed[old], strata[old]), 1)
    return allocate(counts, shuffled(values, seed), shares, there)[codes]


def _possible_folds(numbers: Hashes, strata: Integers, case: Any) -> int:
    """Return the number of folds: that of the case, fewer where a class has not enough bundles, never below two."""
    _, _, counts = count(numbers, strata)
    scarcest: int = (counts > 0).sum(axis=0).min()
    if len(counts) < 2:
        raise DataError(
            f"Expected at least two {'groups' if case.split_strategy in GROUP_STRATEGIES else 'different rows'} to train and "
            f"validate on, found {len(counts)}. Check `split` and the columns in the case file."
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


def _by_time(
    frame: pd.DataFrame, classes: NDArray[Any] | None, case: Any, line: Line, test: pd.DataFrame | None
) -> tuple[Integers, Integers]:
    """Return side and fold of each row: the latest rows test, earlier blocks validate models of those before them."""
    times = clock(frame[case.time_column])
    length = gap_length(case.split.gap, frame[case.time_column])
    starts = line.starts or block_starts(times, case, with_test=test is None)
    tested = times >= starts[-1] if test is None else np.zeros(len(times), dtype=bool)
    if test is None and not tested.any():
        raise DataError(
            f"No row is as late as the test rows of earlier snapshots by {case.time_column!r}, so none is left to test on. Draw a "
            f"new line: give `split.random_state` another number than {case.split.random_state}."
        )
    validated = starts[:-1] if test is None else starts
    first_test = starts[-1:] if test is None else (clock(test[case.time_column]).min().item(),)
    while True:
        apart = in_gaps(times, (*validated, *first_test), length) & ~tested
        block = np.searchsorted(np.array(validated), times, side="right")
        folds = np.where(tested | apart, NEVER_VALIDATED, block - 1).astype(np.int64)
        training = ~tested & ~apart
        _refuse_wide_gap(block[~tested], block[training], case)
        if not validated or _first_model_knows_all(folds, training, tested, classes):
            break
        validated = validated[1:]
    if not validated or not (folds[training] >= 0).any():
        _refuse_late_class(classes, training, case)
    return np.where(tested, TEST_SIDE, np.where(apart, GAP_SIDE, TRAIN_SIDE)).astype(np.int64), folds


def _first_model_knows_all(
    folds: Integers, training: NDArray[np.bool_], tested: NDArray[np.bool_], classes: NDArray[Any] | None
) -> bool:
    """Return whether the rows before the first validated block are there, and have every class."""
    first = training & (folds == NEVER_VALIDATED)
    return bool(first.any()) and (classes is None or not _lacking(classes, first, set(classes[training | tested])))


def _refuse_wide_gap(before: Integers, left: Integers, case: Any) -> None:
    """Refuse a gap that takes every row of a block."""
    if set(before) - set(left):
        raise DataError(
            f"`split.gap: {case.split.gap}` leaves no row of a block of the split by time: each block has to be longer than the "
            "gap before the next one. Shorten the gap, or use fewer `split.n_splits`."
        )


def _refuse_late_class(classes: NDArray[Any] | None, training: NDArray[np.bool_], case: Any) -> None:
    """Say that there is nothing to validate on after rows that every class is among."""
    if classes is None:
        raise DataError(
            f"There are too few rows before the test rows by {case.time_column!r} to train and validate on. Use another "
            "`split.strategy`, or draw a new line with another `split.random_state`."
        )
    late = set(classes) - set(classes[training])
    counts = pd.Series(classes[training]).value_counts()
    name = min(late) if late else counts.index[-1]
    raise DataError(
        f"The class {name!r} of {case.target!r} appears too late for a split by time: a model has to train on every class "
        "before it is validated or tested. Collect earlier rows, merge the class, or use another `split.strategy`."
    )


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
