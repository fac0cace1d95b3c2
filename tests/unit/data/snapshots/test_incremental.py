"""Sources with a watermark are read on from where they were left (R4)."""

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from gristmill.data.snapshots import snapshot
from gristmill.data.sources.opening import open_source
from gristmill.errors import SourceError
from gristmill.paths import ProjectPaths


def run(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "shop.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    run(tmp_path, "CREATE TABLE orders (id INTEGER, day TEXT, paid REAL)")
    run(tmp_path, "INSERT INTO orders VALUES (1, '2024-01-01', 1.5), (2, '2024-01-02', 2.5), (3, '2024-01-02', 3.5)")
    return tmp_path


def take(folder: Path, watermark: str | None = "day") -> pd.DataFrame:
    source = open_source("sqlite:///shop.db?table=orders", root=folder, watermark=watermark)
    return snapshot.load(folder / snapshot.take(source, ProjectPaths(folder)).path)


def test_earlier_rows_are_kept_as_they_were_and_later_ones_read(folder):
    take(folder)
    run(folder, "UPDATE orders SET paid = 9 WHERE id = 1", "INSERT INTO orders VALUES (4, '2024-01-03', 4.5)")
    frame = take(folder)
    assert frame["id"].tolist() == [1, 2, 3, 4]
    assert frame["paid"].iloc[0] == 1.5


def test_rows_that_come_late_at_the_highest_value_are_not_missed_nor_doubled(folder):
    take(folder)
    run(folder, "INSERT INTO orders VALUES (4, '2024-01-02', 4.5)")
    assert take(folder)["id"].tolist() == [1, 2, 3, 4]
    assert take(folder)["id"].tolist() == [1, 2, 3, 4]


def test_nothing_new_is_the_same_snapshot(folder):
    take(folder)
    take(folder)
    assert len(list(ProjectPaths(folder).snapshots.iterdir())) == 1


def test_a_snapshot_that_is_gone_or_damaged_is_read_anew(folder):
    take(folder)
    run(folder, "UPDATE orders SET paid = 9 WHERE id = 1")
    kept = next(ProjectPaths(folder).snapshots.iterdir())
    kept.chmod(0o644)
    kept.write_bytes(b"damaged")
    assert take(folder)["paid"].iloc[0] == 9


def test_a_column_that_has_come_or_changed_its_kind_has_all_rows_read_anew(folder):
    take(folder)
    run(folder, "ALTER TABLE orders ADD COLUMN note TEXT", "INSERT INTO orders VALUES (4, '2024-01-03', 'free', 'x')")
    frame = take(folder)
    assert frame["note"].tolist() == [None, None, None, "x"]
    assert frame["paid"].tolist() == ["1.5", "2.5", "3.5", "free"]


def test_another_query_begins_anew(folder):
    take(folder, "day")
    run(folder, "UPDATE orders SET paid = 9 WHERE id = 1")
    assert take(folder, "id")["paid"].iloc[0] == 9


@pytest.mark.parametrize(("watermark", "said"), [("dai", "did you mean 'day'?"), ("paid", "rows without a value")])
def test_a_column_that_cannot_be_a_watermark_is_refused(folder, watermark, said):
    run(folder, "INSERT INTO orders VALUES (5, '2024-01-05', NULL)")
    with pytest.raises(SourceError) as caught:
        take(folder, watermark)
    assert said in str(caught.value)
    assert list(ProjectPaths(folder).snapshots.iterdir()) == []


def test_times_of_a_postgres_table_are_read_on_to_the_microsecond(postgres, tmp_path):
    postgres.run(
        "DROP TABLE IF EXISTS visits",
        "CREATE TABLE visits AS SELECT n AS id, timestamptz '2024-01-01 00:00:00.123456+02' + n * interval '1 microsecond' AS at "
        "FROM generate_series(1, 3) AS n",
        "GRANT SELECT ON visits TO reader",
    )
    source = open_source(postgres.uri("&table=visits"), watermark="at")
    paths = ProjectPaths(tmp_path)
    snapshot.take(source, paths)
    postgres.run("UPDATE visits SET id = id + 10 WHERE id < 3", "INSERT INTO visits SELECT 4, max(at) FROM visits")
    frame = snapshot.load(tmp_path / snapshot.take(source, paths).path)
    assert sorted(frame["id"]) == [1, 2, 3, 4]
