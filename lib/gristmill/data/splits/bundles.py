"""Bundles: rows that must stay together, because their features are identical or their group is the same.

A bundle has a number that comes from the rows' content and not from their position, so that a split does not depend on the order
of the rows.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.config.case import GROUP_STRATEGIES
from gristmill.data.hashing import Hashes, content_hashes
from gristmill.errors import DataError

MOST_ROWS_A_COMBINATION = 10
"""Rows that share all their features, on average, above which they are no duplicates but the few things that can happen."""

Integers = NDArray[np.int64]


def feature_hashes(frame: pd.DataFrame, case: Any) -> Hashes:
    """Return a hash of the features of each row, equal for rows that a model could not tell apart; shape ``(n_rows,)``."""
    return content_hashes(frame, feature_columns(frame, case))


def feature_columns(frame: pd.DataFrame, case: Any) -> list[str]:
    """Return the columns by which rows are told apart.

    Under a split by time, the time counts as a feature even if the model does not see it: the same state of affairs at another
    time is another observation.
    """
    hidden = set(case.non_feature_columns) - ({case.time_column} if case.split_strategy == "time" else set())
    return [name for name in frame.columns if name not in hidden]


def bundled(hashes: Hashes) -> bool:
    """Return whether rows with identical features are to be kept together.

    They are duplicates, which must not be trained on and tested on, unless the features have so few combinations that almost
    every row shares its own with many others, as in a table of two categories.
    """
    return len(hashes) <= MOST_ROWS_A_COMBINATION * len(np.unique(hashes))


def bundles(frame: pd.DataFrame, case: Any, *, together: bool | None = None) -> Hashes:
    """Return a number a row, equal for rows that must stay together, shape ``(n_rows,)``.

    Parameters
    ----------
    frame
        Rows indexed by row key.
    case
        The case; its strategy says whether groups count.
    together
        Whether rows with identical features are kept together; decided by :func:`bundled` if None.

    Raises
    ------
    DataError
        A row has no group.
    """
    alike = feature_hashes(frame, case)
    if not (bundled(alike) if together is None else together):
        alike = pd.util.hash_array(frame.index.astype(str).to_numpy(dtype=object))
    if case.split_strategy not in GROUP_STRATEGIES:
        return alike
    return _connected(group_hashes(frame, case), alike)


def group_hashes(frame: pd.DataFrame, case: Any) -> Hashes:
    """Return a hash of each row's group.

    Raises
    ------
    DataError
        A row has none.
    """
    groups = frame[case.group_column]
    if groups.isna().any():
        raise DataError(
            f"The group column {case.group_column!r} is missing in {int(groups.isna().sum())} rows; every row needs its group. "
            "Fill it in the source, or remove `group_column`."
        )
    return content_hashes(frame, [case.group_column])


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


def shuffled(numbers: Hashes, random_state: int) -> Hashes:
    """Return a pseudo-random number for each bundle, from its content and the seed (splitmix64)."""
    mixed = numbers + np.uint64((random_state * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def count(numbers: Hashes, strata: Integers, n_classes: int | None = None) -> tuple[Integers, Hashes, Integers]:
    """Return each row's bundle, the bundles' numbers and their rows by class, shape ``(n_bundles, n_classes)``."""
    values, codes = np.unique(numbers, return_inverse=True)
    counts = np.zeros((len(values), n_classes or int(strata.max()) + 1), dtype=np.int64)
    np.add.at(counts, (codes, strata), 1)
    return codes.astype(np.int64), values, counts
