"""The tracking store in a project's folder: made once, and movable."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gristmill.tracking_store import LOCATIONS, EmbeddedStore


def create(store: EmbeddedStore) -> None:
    with closing(sqlite3.connect(store.database)) as connection, connection:
        for table in dict(LOCATIONS):
            columns = ", ".join(f"{column} TEXT" for name, column in LOCATIONS if name == table)
            connection.execute(f"CREATE TABLE {table} ({columns})")


def test_tables_are_created_once(tmp_path: Path) -> None:
    calls = []
    for _ in range(2):
        store = EmbeddedStore(tmp_path)
        store.prepare(lambda: (calls.append(1), create(store)))  # noqa: B023
    assert calls == [1]


def test_write_ahead_logging_is_on(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    store.prepare(lambda: create(store))
    with closing(sqlite3.connect(store.database)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_creation_that_failed_is_tried_again(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path)
    with pytest.raises(ZeroDivisionError):
        store.prepare(lambda: 1 / 0)
    store.prepare(lambda: create(store))
    assert store.database.exists()


def test_a_moved_project_keeps_its_artifacts(tmp_path: Path) -> None:
    old = EmbeddedStore(tmp_path / "old")
    old.prepare(lambda: create(old))
    elsewhere = "s3://bucket/model"
    with closing(sqlite3.connect(old.database)) as connection, connection:
        connection.executemany("INSERT INTO runs VALUES (?)", [(f"{old.artifacts_uri}/case/r1",), (elsewhere,), (None,)])
    new = EmbeddedStore((tmp_path / "old").rename(tmp_path / "new place"))
    new.prepare(lambda: None)
    with closing(sqlite3.connect(new.database)) as connection:
        assert connection.execute("SELECT artifact_uri FROM runs").fetchall() == [
            (f"{(tmp_path / 'new place').as_uri()}/mlruns/artifacts/case/r1",),
            (elsewhere,),
            (None,),
        ]
