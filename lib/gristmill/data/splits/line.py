"""What earlier snapshots have decided about rows, and what follows from it for a new one.

A line begins with the first split of a case and goes on with every snapshot after it. A row that was given a place, a side and a
fold, keeps it: a model of today is judged by no row that one of yesterday was trained on. New rows of an old group, or with the
features of an old row, join it; all others fill the quotas.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.case import GROUP_STRATEGIES
from gristmill.data.hashing import Hashes, content_hashes
from gristmill.data.products import ROW_KEY
from gristmill.data.splits.bundles import bundled, bundles, feature_columns, feature_hashes, group_hashes

UNKNOWN, TESTED = -1, 0
"""Places: not yet given; among the test rows. The place of a training row is its fold + 2."""

FIRST_FOLD = 2

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The places that one snapshot added.

    Attributes
    ----------
    columns
        The columns that ``features`` was computed over.
    rows
        ``row_key``, ``features`` and ``group`` (hashes; 0 without groups), ``place``.
    """

    columns: tuple[str, ...]
    rows: pd.DataFrame


@dataclass(frozen=True)
class Line:
    """The line of splits that a snapshot belongs to; nothing has been drawn yet where only the name is known.

    Attributes
    ----------
    name
        Digest of the settings that a place depends on.
    together
        Whether rows with identical features are kept together.
    n_folds
        Number of folds, 1 for a hold-out set.
    starts
        Of a split by time: where each validation block and, last, the test rows begin.
    parts
        The places given so far, oldest first.
    """

    name: str = ""
    together: bool | None = None
    n_folds: int | None = None
    starts: tuple[float, ...] | None = None
    parts: tuple[Part, ...] = ()

    @property
    def drawn(self) -> bool:
        """Whether there was a split before."""
        return self.n_folds is not None


@dataclass(frozen=True)
class Places:
    """What a line says of the rows of a snapshot, each shape ``(n_rows,)``.

    Attributes
    ----------
    bundles
        Numbers, equal for rows that must stay together.
    given
        The place of each row's bundle, or :data:`UNKNOWN`.
    aside
        Rows that can neither stay where they were nor go where their bundle is: they were changed, and now have the features or
        the group of rows elsewhere.
    """

    bundles: Hashes
    given: Integers
    aside: NDArray[np.bool_]


def places(frame: pd.DataFrame, case: Any, line: Line) -> Places:
    """Return what a line says of the rows of ``frame``, indexed by row key.

    A bundle is where its old rows are; where they are in several places, at the test rows first, else where most of them are.

    Raises
    ------
    DataError
        A row has no group.
    """
    numbers = bundles(frame, case, together=line.together)
    if not line.parts:
        return Places(numbers, np.full(len(frame), UNKNOWN), np.zeros(len(frame), dtype=bool))
    own = _by_key(frame, line)
    if case.split_strategy in GROUP_STRATEGIES:
        groups = group_hashes(frame, case)
        own = np.where(own == UNKNOWN, _looked_up(groups, line, "group"), own)
        numbers = np.where(_several_places(numbers, own), groups, numbers)
    given = _of_bundles(numbers, own)
    if line.together and (given == UNKNOWN).any():
        alike = np.where(given == UNKNOWN, _by_features(frame, line), UNKNOWN)
        given = np.where(given == UNKNOWN, _of_bundles(numbers, alike), given)
    return Places(numbers, given, (own != UNKNOWN) & (own != given))


def _by_key(frame: pd.DataFrame, line: Line) -> Integers:
    """Return the place that each row itself was given."""
    known = pd.concat([part.rows[[ROW_KEY, "place"]] for part in line.parts]).drop_duplicates(ROW_KEY)
    found = known.set_index(ROW_KEY)["place"].reindex(frame.index)
    return np.asarray(found.fillna(UNKNOWN), dtype=np.int64)


def _looked_up(numbers: Hashes, line: Line, column: str) -> Integers:
    """Return the place of the rows that had the same hash in a column of all parts."""
    rows = pd.concat([part.rows[[column, "place"]] for part in line.parts])
    return _at(numbers, _places_by(rows[column].to_numpy(), rows["place"].to_numpy()))


def _by_features(frame: pd.DataFrame, line: Line) -> Integers:
    """Return the place of the rows that had the same features, as far as there were such columns then."""
    found = np.full(len(frame), UNKNOWN)
    for columns in dict.fromkeys(part.columns for part in line.parts):
        if set(columns) <= set(frame.columns):
            rows = pd.concat([part.rows[["features", "place"]] for part in line.parts if part.columns == columns])
            by_hash = _places_by(rows["features"].to_numpy(), rows["place"].to_numpy())
            found = np.where(found == UNKNOWN, _at(content_hashes(frame, columns), by_hash), found)
    return found


def _several_places(numbers: Hashes, own: Integers) -> NDArray[np.bool_]:
    """Return for each row whether the old rows of its bundle are in several places."""
    known = own != UNKNOWN
    different = pd.Series(own[known]).groupby(numbers[known]).nunique()
    return np.isin(numbers, different.index[different > 1].to_numpy(dtype=np.uint64))


def _of_bundles(numbers: Hashes, own: Integers) -> Integers:
    """Return for each row the place of its bundle."""
    known = own != UNKNOWN
    return _at(numbers, _places_by(numbers[known], own[known]))


def _places_by(numbers: Hashes, own: Integers) -> "pd.Series[int]":
    """Return the one place of each number: among the test rows if any of its rows is there, else where most are."""
    counted = pd.DataFrame({"number": numbers, "place": own}).value_counts(sort=False).reset_index(name="rows")
    counted["trained"] = counted["place"] != TESTED
    best = counted.sort_values(["trained", "rows", "place"], ascending=[True, False, True]).drop_duplicates("number")
    return best.set_index("number")["place"]


def _at(numbers: Hashes, by_number: "pd.Series[int]") -> Integers:
    """Return the place of each number, or :data:`UNKNOWN`."""
    return np.asarray(by_number.reindex(numbers).fillna(UNKNOWN), dtype=np.int64)


def new_part(frame: pd.DataFrame, split: pd.DataFrame, case: Any, line: Line) -> Part:
    """Return the places that a snapshot adds to its line: of training and test rows that had none.

    Parameters
    ----------
    frame
        Rows of the case's source, indexed by row key.
    split
        What :func:`gristmill.data.splits.assignment.assign` returned for them.
    case, line
        The case, and the line as it was before.
    """
    mine = split.loc[frame.index]
    known = pd.Index([]) if not line.parts else pd.concat([part.rows[ROW_KEY] for part in line.parts])
    new = mine["split"].isin(["train", "test"]).to_numpy() & ~frame.index.isin(known)
    fold = mine["fold"].fillna(UNKNOWN - 1).to_numpy(dtype=np.int64)  # of a test row, so that its place is TESTED
    groups = group_hashes(frame, case) if case.split_strategy in GROUP_STRATEGIES else np.zeros(len(frame), dtype=np.uint64)
    rows = pd.DataFrame(
        {
            ROW_KEY: frame.index.to_numpy(),
            "features": feature_hashes(frame, case),
            "group": groups,
            "place": fold + FIRST_FOLD,
        }
    )
    return Part(tuple(feature_columns(frame, case)), rows[new].reset_index(drop=True))


def begun(frame: pd.DataFrame, split: pd.DataFrame, case: Any, line: Line, starts: tuple[float, ...] | None) -> Line:
    """Return a line as its first split leaves it, without a part yet; a line that was begun is returned as it is."""
    if line.drawn:
        return line
    n_folds = 1 if case.split.validation_size is not None else int(split["fold"].max()) + 1
    return Line(line.name, bundled(feature_hashes(frame, case)), n_folds, starts)
