"""Builds to compare, made as a completed build makes them."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gristmill.paths import ProjectPaths
from gristmill.reporting.builds.entry import BuildRun, entry_of
from gristmill.reporting.builds.history import append_build, read_history
from gristmill.reporting.record import read_record

RUN = BuildRun(
    build_id="b1",
    finished="2026-01-31T12:00:00+00:00",
    ran=("06_select", "11_register"),
    seconds={"06_select": 20.04, "11_register": 6.0},
    code={"06_select.ipynb": "aaaa", "gristmill.modeling.search": "bbbb"},
    test_rows="7e57" * 16,
)

Builds = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def entry(fill: Callable[..., Path]) -> dict[str, Any]:
    """One build of the churn case, without a number."""
    return entry_of(read_record(ProjectPaths(fill()), "churn"), RUN)


@pytest.fixture
def builds(entry: dict[str, Any], project: Path) -> Builds:
    """Enter one more build for each function, which alters what the build before it was; return all of them."""

    def enter(*changes: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
        path = ProjectPaths(project).case("churn").build_history
        made = copy.deepcopy(entry)
        append_build(path, made)
        for change in changes:
            made = copy.deepcopy(made)
            change(made)
            append_build(path, made)
        return [dict(one) for one in read_history(path)]

    return enter


def better(entry: dict[str, Any]) -> None:
    """Other rows, one more column, other code, twice the budget, and a ROC-AUC that is higher by more than noise."""
    entry["data"] |= {"digest": "d16e57" * 10, "rows": 7500, "types": {**entry["data"]["types"], "<b>new</b>": "int64"}}
    entry["code"]["parts"] |= {"gristmill.modeling.search": "cccc"}
    entry["parameters"]["training.budget_seconds"] = 120.0
    entry["metrics"]["test"]["roc_auc"] = [0.906, 0.89, 0.92]
    entry["gates"][0] |= {"passed": False, "value": "0.5"}
    entry["finished"] = "2026-02-01T12:00:00+00:00"


def same(entry: dict[str, Any]) -> None:
    """The same but for its time."""
    entry["finished"] = "2026-02-02T12:00:00+00:00"
