"""Small tables and cases for the tests of the first stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.conftest import write_case

from gristmill.config.case import Case
from gristmill.data import history, snapshot
from gristmill.data.snapshot import Snapshot
from gristmill.data.sources import open_source
from gristmill.data.splits import row_keys
from gristmill.paths import CasePaths, case_paths

CaseMaker = Callable[..., Case]


@pytest.fixture
def make_case() -> CaseMaker:
    """Return a builder of cases: binary, with the target ``y`` whose positive class is ``yes``, unless told otherwise."""

    def build(**keys: Any) -> Case:
        content: dict[str, Any] = {"name": "small", "task": "binary", "source": "rows.csv", "target": "y", **keys}
        if content["task"] == "binary":
            content.setdefault("positive_class", "yes")
        return Case.model_validate(content)

    return build


@pytest.fixture
def customers() -> pd.DataFrame:
    """Return two hundred customers with an identifier, numbers, levels, a gap and a target that follows from them in part."""
    random = np.random.default_rng(7)
    n_rows = 200
    spend = random.normal(50, 10, n_rows).round(2)
    leaves = spend + random.normal(0, 10, n_rows) > 55
    frame = pd.DataFrame(
        {
            "customer": [f"C{number:04d}" for number in range(n_rows)],
            "spend": spend,
            "visits": random.poisson(3, n_rows),
            "plan": random.choice(["basic", "plus", "pro"], n_rows),
            "member": random.random(n_rows) < 0.4,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n_rows), unit="D"),
            "y": np.where(leaves, "yes", "no"),
        }
    )
    frame.loc[::10, "spend"] = np.nan
    return frame


def keyed(frame: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Return the rows indexed by their keys, as ``02_validate`` does."""
    return frame.set_axis(row_keys(frame, case.id_columns))


@pytest.fixture
def small(project: Path) -> CasePaths:
    """Return the case ``small`` of an empty project, whose source is ``rows.csv``."""
    write_case(project, "name: small\ntask: binary\nsource: rows.csv\ntarget: y\npositive_class: yes\n")
    return case_paths("small")


def take_version(paths: CasePaths, text: str) -> Snapshot:
    """Let the source of a case hold ``text``, and take it as ``01_ingest`` does."""
    (paths.root / "rows.csv").write_text(text)
    taken = snapshot.take(open_source("rows.csv", root=paths.root), paths.project)
    history.record(paths, taken)
    return taken
