"""Contracts of small tables, kept as Parquet files such as snapshots are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gristmill.data.contract.checks import Check
from gristmill.data.contract.inference import infer
from gristmill.data.contract.terms import Terms
from gristmill.data.contract.validation import validate


class Bench:
    """Stores tables, and holds them against contracts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables = 0

    def store(self, frame: pd.DataFrame) -> Path:
        """Write a table as a snapshot would be."""
        self.tables += 1
        path = self.folder / f"{self.tables}.parquet"
        frame.to_parquet(path, index=False)
        return path

    def infer(self, frame: pd.DataFrame, case: Any, **options: Any) -> Terms:
        """Return the contract that a table suggests."""
        return infer(self.store(frame), case, **options)

    def checks(self, frame: pd.DataFrame, terms: Terms | None, case: Any, taken_at: str | None = None) -> list[Check]:
        """Return the verdicts on a table; on a contract of its own if none is given."""
        path = self.store(frame)
        return validate(path, terms or infer(path, case), case, taken_at)

    def found(self, frame: pd.DataFrame, terms: Terms | None, case: Any, **options: Any) -> dict[tuple[str, str | None], Check]:
        """Return the verdicts by rule and column."""
        return {(check.rule, check.column): check for check in self.checks(frame, terms, case, **options)}

    def broken(self, frame: pd.DataFrame, terms: Terms | None, case: Any, **options: Any) -> dict[tuple[str, str | None], str]:
        """Return the severity of each broken rule."""
        return {place: check.severity for place, check in self.found(frame, terms, case, **options).items() if not check.passed}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


ContractMaker = Callable[..., Terms]


@pytest.fixture
def make_terms() -> ContractMaker:
    """Return a builder of contracts: of columns by name, and of further sections."""

    def build(columns: dict[str, Any], **sections: Any) -> Terms:
        return Terms.model_validate({"columns": columns, **sections})

    return build
