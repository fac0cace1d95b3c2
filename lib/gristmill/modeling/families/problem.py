"""What a family has to know of the table and the task to build an estimator."""

from dataclasses import dataclass
from typing import Any

Params = dict[str, Any]
"""A configuration: flat and JSON-able."""


@dataclass(frozen=True)
class Problem:
    """What a family has to know to build an estimator.

    Parameters
    ----------
    plan
        The plan of features.
    n_rows
        Number of training rows.
    rarest
        Rows of the rarest class; the number of rows for a regression.
    skewed
        Whether the target of a regression is worth learning on a logarithmic scale.
    random_state
        Seed of every estimator.
    """

    plan: dict[str, Any]
    n_rows: int
    rarest: int
    skewed: bool = False
    random_state: int = 42

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for a regression."""
        return int(self.plan["n_classes"])
