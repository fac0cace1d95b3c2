"""The state database: SQLite in the project's folder, or a real PostgreSQL; and the release row in both (R33)."""

import sqlite3
from contextlib import closing, suppress
from multiprocessing.pool import ThreadPool
from pathlib import Path
from unittest.mock import patch

import pytest
from tests.postgres import Postgres
from tests.releasing import Crash, add_version, check_whole, crashing, make_project, stop

from gristmill.errors import GristmillError, ReleaseConflictError, StateError
from gristmill.registry import promotion, releases
from gristmill.registry.releases import Entry, Release
from gristmill.state_database import URL_VARIABLE, StateDatabase


@pytest.fixture(scope="module")
def postgres(server: Postgres) -> str:
    """Return the URL of an empty PostgreSQL database."""
    server.run("CREATE DATABASE state")
    return f"postgresql+psycopg2://postgres@/state?host={server.folder}"


@pytest.fixture(params=["sqlite", "postgres"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose state is in a fresh SQLite file, or in PostgreSQL."""
    if request.param == "postgres":
        monkeypatch.setenv(URL_VARIABLE, request.getfixturevalue("postgres"))
    return tmp_path


def entry(model: str, version: int) -> Entry:
    return Entry(model, releases.PROMOTED, "champion", None, version, "why", {"passed": 1, "failed": []}, "digest")


def test_a_row_and_its_record_come_back_as_they_were_written(root: Path):
    before = releases.find("there", root)
    assert before == Release("there")
    made = releases.move(before, Release("there", champion=3, challenger=4, share=0.25, mode="live"), (entry("there", 3),), root)
    assert releases.find("there", root) == made
    assert (made.token, made.who, made.staging) == (1, releases.actor(), None)
    (found,) = releases.history("there", root)
    assert (found.after, found.gates, found.token, found.before) == (3, {"passed": 1, "failed": []}, 1, None)
    assert releases.settle(made, root)
    assert releases.find("there", root).aliased == 1


def test_of_many_who_move_the_same_row_one_wins(root: Path):
    for turn in range(2):  # the first makes the row
        before = releases.find("raced", root)

        def attempt(version: int, before: Release = before) -> bool:
            try:
                releases.move(before, before.with_version("champion", version), (entry("raced", version),), root)
            except ReleaseConflictError:
                return False
            return True

        with ThreadPool(6) as pool:
            won = pool.map(attempt, range(1, 7))
        assert sum(won) == 1
        assert releases.find("raced", root).champion == won.index(True) + 1
        assert len(releases.history("raced", root)) == turn + 1


def test_a_move_that_is_interrupted_leaves_neither_row_nor_record(root: Path):
    made = releases.move(Release("cut"), Release("cut", champion=1), (entry("cut", 1),), root)
    for at in range(20):
        with crashing(at, stop), suppress(Crash):
            releases.move(made, made.with_version("champion", 2), (entry("cut", 2),), root)
            break
        assert releases.find("cut", root) == made
        assert len(releases.history("cut", root)) == 1
    assert at > 2
    assert releases.find("cut", root).champion == 2


@pytest.mark.parametrize("statement", ["UPDATE gristmill_release_history SET who = 'me'", "DELETE FROM gristmill_release_history"])
def test_the_record_can_only_be_added_to(root: Path, statement: str):
    releases.record(entry("kept", 1), root)
    with pytest.raises(StateError, match="only added"), StateDatabase(root).transaction(releases.TABLES) as session:
        session.execute(statement)
    assert releases.history("kept", root)[0].who == releases.actor()


def test_a_share_beyond_the_traffic_is_refused(root: Path):
    with pytest.raises(StateError, match="refuses"):
        releases.move(Release("much"), Release("much", champion=1, challenger=2, share=1.5), (), root)
    assert releases.find("much", root).token == 0


@pytest.mark.slow
def test_promotion_and_rollback_with_crashes_in_postgresql(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(URL_VARIABLE, postgres)
    root = make_project(tmp_path / "project")
    for _ in range(2):
        add_version(root, "served")
    promotion.promote("served", 1, root=root)
    assert not (root / "state" / "gristmill.db").exists()
    for at in range(0, 40, 3):
        with crashing(at, stop), suppress(Crash):
            promotion.promote("served", 2, reason="better", root=root)
        if check_whole(root, "served", {1, 2}) == 2:
            promotion.rollback("served", "worse", root=root)
    assert [one.action for one in releases.history("served", root)].count("rolled back") > 1


def test_writing_is_ahead_and_reaches_the_disk(tmp_path: Path):
    releases.record(entry("wal", 1), tmp_path)
    with closing(sqlite3.connect(StateDatabase(tmp_path).file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root@localhost/x", r"Expected GRISTMILL_DATABASE_URL as postgresql://.*got 'mysql://root@localhost/x'"),
        ("postgresql://me:secret@127.0.0.1:1/x", r"postgresql://me@127\.0\.0\.1:1/x does not answer"),
    ],
)
def test_a_database_that_does_not_answer_is_one_sentence_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
):
    monkeypatch.setenv(URL_VARIABLE, url)
    with pytest.raises(StateError, match=words) as told:
        releases.find("any", tmp_path)
    assert "secret" not in str(told.value)
    assert told.value.exit_code == 2


def test_a_damaged_file_is_one_sentence(tmp_path: Path):
    file = StateDatabase(tmp_path).file
    file.parent.mkdir()
    file.write_bytes(b"no database" * 100)
    with pytest.raises(GristmillError, match=r"gristmill\.db cannot be opened: file is not a database"):
        releases.find("any", tmp_path)


def test_a_driver_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(URL_VARIABLE, "postgresql://h/x")
    with patch.dict("sys.modules", {"adbc_driver_postgresql": None}), pytest.raises(StateError, match=r"gristmill\[postgres\]"):
        releases.find("any", tmp_path)
