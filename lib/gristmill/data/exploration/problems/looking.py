"""All that rules find wrong with the training rows, ranked."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.exploration.problems.columns import column_findings
from gristmill.data.exploration.problems.finding import Finding, ranked
from gristmill.data.exploration.problems.gaps import gap_findings
from gristmill.data.exploration.problems.pairs import following, marking_the_same_rows, proxies, repeated
from gristmill.data.exploration.problems.rows import row_findings
from gristmill.data.exploration.problems.target import size_findings, target_findings
from gristmill.data.exploration.problems.time import time_findings


def problems(train: pd.DataFrame, case: Any, contract: Contract, pairs: pd.DataFrame | None = None) -> list[Finding]:
    """Return the problems of the training rows, the most severe first, and of those the ones about most rows.

    Parameters
    ----------
    train
        Training rows.
    case, contract
        The case and the data contract.
    pairs
        What :func:`gristmill.data.exploration.exploration.associations` returned; columns that repeat another one, or tell of a
        sensitive one, are told from it.
    """
    return ranked(_all(train, case, contract, pairs))


def _all(train: pd.DataFrame, case: Any, contract: Contract, pairs: pd.DataFrame | None) -> Iterator[Finding]:
    """Yield every finding, in no order."""
    yield from target_findings(train[case.target], case)
    yield from size_findings(train, contract)
    yield from row_findings(train, case, contract)
    for column in contract["columns"]:
        if column["used"] and column["name"] != case.target:
            yield from column_findings(train[column["name"]], column, case.features)
    yield from gap_findings(train, case, contract)
    yield from marking_the_same_rows(train, contract, case)
    yield from following(train, contract, case)
    if pairs is not None:
        yield from repeated(pairs, case)
        yield from proxies(pairs, case)
    yield from time_findings(train, case, contract)
