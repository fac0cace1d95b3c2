"""Tables and queries of SQLite and DuckDB files, and what all databases have in common (R4)."""

import datetime as dt
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from gristmill.data.sources import sqlite_database
from gristmill.data.sources.opening import open_source
from gristmill.data.sources.retries import UnreachableError, with_retries
from gristmill.data.sources.sql_text import bind
from gristmill.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the same orders in ``shop.db`` and ``shop.duckdb``."""
    rows = [(1, 9.5, "a", "2024-01-01"), (2, 3.0, None, "2024-01-02"), (3, None, "c", "2024-01-03")]
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute('CREATE TABLE orders (id INTEGER, price REAL, "say ""x""" TEXT, day DATE)')
    connection.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
    connection.execute("CREATE VIEW dear AS SELECT * FROM orders WHERE price > 5")
    connection.commit()
    connection.close()
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as other:
        other.execute('CREATE TABLE orders (id INTEGER, price DECIMAL(9, 2), "say ""x""" TEXT, day DATE)')
        other.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", rows)
        other.execute("CREATE VIEW dear AS SELECT * FROM orders WHERE price > 5")
        other.execute("CREATE SCHEMA old; CREATE TABLE old.orders AS SELECT 9 AS id")
    return tmp_path


URIS = ("sqlite:///shop.db", "duckdb:///shop.duckdb")


def read(folder: Path, uri: str, query: str | None = None, **options: Any) -> pd.DataFrame:
    return open_source(uri, options, folder, query).read()


def refusal(folder: Path, uri: str, query: str | None = None, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(folder, uri, query, **options)
    return str(caught.value)


@pytest.mark.parametrize("uri", URIS)
def test_a_table_is_read_in_plain_types(folder, uri):
    frame = read(folder, f"{uri}?table=orders")
    assert frame.columns.tolist() == ["id", "price", 'say "x"', "day"]
    assert frame["id"].dtype == "int64"
    assert frame["price"].iloc[:2].tolist() == [9.5, 3.0]
    assert frame['say "x"'].tolist() == ["a", None, "c"]
    assert pd.to_datetime(frame["day"]).iloc[2] == pd.Timestamp("2024-01-03")


@pytest.mark.parametrize("uri", URIS)
def test_a_view_is_a_table(folder, uri):
    assert read(folder, f"{uri}?table=dear")["id"].tolist() == [1]


def test_a_table_of_another_schema_is_named_with_it(folder):
    assert read(folder, "duckdb:///shop.duckdb?table=old.orders")["id"].tolist() == [9]


@pytest.mark.parametrize("uri", URIS)
def test_a_query_has_its_parameters_bound(folder, uri):
    query = "WITH cheap AS (SELECT * FROM orders WHERE price < :most) -- :not_one\nSELECT id, ':most' AS text FROM cheap;"
    frame = read(folder, uri, query, params={"most": 5})
    assert frame["id"].tolist() == [2]
    assert frame["text"].tolist() == [":most"]


@pytest.mark.parametrize("uri", URIS)
def test_a_parameter_is_a_value_whatever_is_in_it(folder, uri):
    query = 'SELECT * FROM orders WHERE "say ""x""" = :name OR id = 1'
    assert len(read(folder, uri, query, params={"name": "'; DROP TABLE orders; --"})) == 1


def test_parameters_are_those_of_the_query(folder):
    query = "SELECT * FROM orders WHERE id = :id"
    assert "did you mean 'idd'" in refusal(folder, URIS[0], query, params={"idd": 1})
    assert "does not name :more" in refusal(folder, URIS[0], query, params={"id": 1, "more": 2})
    assert "names with values" in refusal(folder, URIS[0], query, params="id")
    assert "not given" in refusal(folder, URIS[0] + "?table=orders", params={"id": 1})


@pytest.mark.parametrize(
    ("names", "query", "bound"),
    [
        ("ab", "SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("b", "SELECT ':a', \":a\", :b::text /* :a */ || $$ :a $$", "SELECT ':a', \":a\", $1::text /* :a */ || $$ :a $$"),
        ("b", "SELECT 'it''s :a' -- :a\n, :b;  ", "SELECT 'it''s :a' -- :a\n, $1"),
    ],
)
def test_a_colon_is_a_parameter_only_where_sql_would_have_a_value(names, query, bound):
    assert bind(query, dict.fromkeys(names, 1), lambda number, _: f"${number}")[0] == bound


@pytest.mark.parametrize("uri", URIS)
def test_an_unknown_table_is_refused_with_the_nearest(folder, uri):
    assert "did you mean 'orders'?" in refusal(folder, f"{uri}?table=order")
    assert "names no table" in refusal(folder, uri)
    assert "Keep one of the two" in refusal(folder, f"{uri}?table=orders", "SELECT 1")


@pytest.mark.parametrize("uri", URIS)
@pytest.mark.parametrize("query", ["DELETE FROM orders", "DELETE FROM orders RETURNING *", "SELEC 1", "SELECT nothing FROM orders"])
def test_a_query_can_only_read(folder, uri, query):
    assert refusal(folder, uri, query).startswith(str(folder))
    assert len(read(folder, f"{uri}?table=orders")) == 3


def test_a_query_of_duckdb_reaches_no_file_beside_it(folder):
    (folder / "secret.csv").write_text("a\n1\n")
    assert "refuses the query" in refusal(
        folder, URIS[1], "SELECT * FROM read_csv(:file)", params={"file": str(folder / "secret.csv")}
    )


@pytest.mark.parametrize("uri", URIS)
def test_two_columns_of_one_name_are_refused(folder, uri):
    assert "2 columns called 'id'" in refusal(folder, uri, "SELECT id, id FROM orders")


@pytest.mark.parametrize("uri", URIS)
def test_a_query_without_rows_is_refused(folder, uri):
    assert "has no rows" in refusal(folder, uri, "SELECT * FROM orders WHERE id > 9")


def test_a_value_of_another_kind_far_down_an_sqlite_table_is_kept(folder, monkeypatch):
    monkeypatch.setattr(sqlite_database, "_CELLS_A_BATCH", 1)
    connection = sqlite3.connect(folder / "shop.db")
    connection.execute("CREATE TABLE mixed (a INTEGER, b REAL)")
    connection.executemany("INSERT INTO mixed VALUES (?, ?)", [(number, number) for number in range(2_500)])
    connection.execute("INSERT INTO mixed VALUES ('many', NULL)")
    connection.commit()
    connection.close()
    frame = read(folder, "sqlite:///shop.db?table=mixed")
    assert frame["a"].iloc[[0, 2_499, 2_500]].tolist() == ["0", "2499", "many"]
    assert frame["b"].iloc[2_499] == 2_499.0


@pytest.mark.parametrize("uri", URIS)
def test_a_file_that_is_no_database_is_refused(folder, uri):
    (folder / "shop.db").write_bytes(b"no database" * 1_000)
    (folder / "shop.duckdb").write_bytes(b"no database" * 1_000)
    assert "damaged or of another kind" in refusal(folder, f"{uri}?table=orders")


@pytest.mark.parametrize("uri", ["sqlite:///shp.db?table=orders", "sqlite://shop.db?table=orders", "duckdb:///?table=orders"])
def test_a_file_that_is_not_there_is_refused(folder, uri):
    assert any(said in refusal(folder, uri) for said in ("did you mean 'shop.db'?", "three slashes"))


@pytest.mark.slow
@pytest.mark.parametrize("uri", URIS)
def test_a_database_that_another_program_holds_is_tried_again_and_then_refused(folder, uri):
    hold = {
        "sqlite": "import sqlite3; c = sqlite3.connect('shop.db'); c.execute('BEGIN EXCLUSIVE')",
        "duckdb": "import duckdb; c = duckdb.connect('shop.duckdb')",
    }[uri.split(":")[0]]
    script = f"{hold}; print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert "after 2 attempts: another program" in refusal(folder, f"{uri}?table=orders", retries=1)
        holder.communicate("\n")
    assert len(read(folder, f"{uri}?table=orders")) == 3


def test_attempts_come_at_growing_distances_and_end():
    waits: list[float] = []
    outcomes = iter([UnreachableError("no"), UnreachableError("no"), "open"])

    def connect() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    assert with_retries(connect, "shop", 4, waits.append) == "open"
    assert waits == [0.5, 1.0]

    def never() -> str:
        raise UnreachableError("refused")

    with pytest.raises(SourceError, match="shop cannot be reached after 7 attempts: refused"):
        with_retries(never, "shop", 6, waits.append)
    assert waits[2:] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


@pytest.mark.parametrize(("options", "said"), [({"retries": "many"}, "from 0 to 20"), ({"param": {}}, "did you mean 'params'?")])
def test_a_wrong_option_is_refused(folder, options, said):
    assert said in refusal(folder, "sqlite:///shop.db?table=orders", **options)


def test_a_version_is_what_is_asked_and_opens_nothing(folder):
    first = open_source("postgresql://reader@nowhere.invalid/shop?table=orders").version()
    assert first != open_source("postgresql://reader@nowhere.invalid/shop?table=customers").version()
    code = (
        "import sys; from gristmill.data.sources.opening import open_source; open_source('sqlite:///shop.db?table=orders').version();"
        "print([name for name in ('pandas', 'duckdb', 'pyarrow', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("uri", URIS)
def test_rows_from_a_watermark_on_can_be_asked_for(folder, uri):
    source = open_source(f"{uri}?table=orders", root=folder, watermark="id")
    assert source.since(2).read()["id"].tolist() == [2, 3]
    day = "2024-01-03" if uri.startswith("sqlite") else dt.datetime(2024, 1, 3)
    assert open_source(f"{uri}?table=orders", root=folder, watermark="day").since(day).read()["id"].tolist() == [3]


def test_no_rows_from_a_watermark_on_are_no_error(folder):
    assert list(open_source("sqlite:///shop.db?table=orders", root=folder, watermark="id").since(9).batches()) == []
