"""Keys in the state database, SQLite and a real PostgreSQL: kept as hashes, rotated with an overlap, every step recorded (R38)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres import Postgres

from gristmill.errors import KeyStoreError, StateError
from gristmill.registry.releases import actor
from gristmill.serving.keys.store import TABLES, KeyStore
from gristmill.serving.keys.tokens import hash_of, id_of, new_token
from gristmill.state_database import URL_VARIABLE, StateDatabase


@pytest.fixture(params=["sqlite", "postgres"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("server")
        server.run(f"CREATE DATABASE {tmp_path.name.lower().replace('-', '_')}")
        url = f"postgresql+psycopg2://postgres@/{tmp_path.name.lower().replace('-', '_')}?host={server.folder}"
        monkeypatch.setenv(URL_VARIABLE, url)
    return tmp_path


def test_a_key_comes_back_without_its_secret(root: Path):
    store = KeyStore(root)
    token, key = store.create("robot", ["predict", "feedback"], 60, 5.5)
    (stored,) = store.all()
    assert stored.key == key
    assert (stored.key.scopes, stored.key.requests_per_second, stored.revoked) == ({"predict", "feedback"}, 5.5, None)
    assert stored.hash == hash_of(token) != token
    assert id_of(token) == key.id
    assert stored.key.expires - stored.created == pytest.approx(60)


def test_the_secret_is_in_no_file(tmp_path: Path):
    secret = KeyStore(tmp_path).create("robot", ["predict"], 60)[0].split("_", 2)[2]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in path.read_bytes() for path in files)


def test_a_revoked_key_stays_so_and_is_recorded_once(root: Path):
    store = KeyStore(root)
    _, key = store.create("robot", ["predict"], 60)
    assert store.revoke(key.id) == key
    when = store.all()[0].revoked
    store.revoke(key.id)
    assert store.all()[0].revoked == when is not None
    assert [(event.action, event.key) for event in store.history()] == [("created", key.id), ("revoked", key.id)]
    assert {event.who for event in store.history()} == {actor()}


def test_a_rotated_key_ends_after_the_overlap_and_its_follower_lasts_as_long(root: Path):
    store = KeyStore(root)
    _, old = store.create("robot", ["metrics"], 10_000, 7)
    token, new = store.rotate(old.id, 100)
    stored = {one.key.id: one for one in store.all()}
    assert stored[old.id].key.expires - stored[new.id].created == pytest.approx(100, abs=1)
    assert stored[new.id].key.expires - stored[new.id].created == pytest.approx(10_000)
    assert (new.name, new.scopes, new.requests_per_second) == ("robot", {"metrics"}, 7)
    assert stored[new.id].hash == hash_of(token)
    assert [event.action for event in store.history()] == ["created", "rotated", "created"]


def test_an_overlap_never_lengthens_a_life(root: Path):
    store = KeyStore(root)
    _, old = store.create("robot", ["metrics"], 50)
    store.rotate(old.id, 10_000)
    assert store.all()[0].key.expires == pytest.approx(old.expires)


def test_a_revoked_or_unknown_key_is_not_rotated(root: Path):
    store = KeyStore(root)
    _, key = store.create("robot", ["predict"], 60)
    store.revoke(key.id)
    with pytest.raises(KeyStoreError, match="revoked"):
        store.rotate(key.id, 10)
    for nobody in (store.rotate, lambda identity, _: store.revoke(identity)):
        with pytest.raises(KeyStoreError, match="gristmill keys list"):
            nobody("0" * 12, 1.0)
    assert len(store.all()) == 1


@pytest.mark.parametrize(
    ("name", "scopes", "lifetime", "rate"),
    [
        ("", ["predict"], 60, None),
        ("a\nb", ["predict"], 60, None),
        ("x" * 101, ["predict"], 60, None),
        ("a", [], 60, None),
        ("a", ["root"], 60, None),
        ("a", ["any"], 60, None),
        ("a", ["predict"], 0, None),
        ("a", ["predict"], float("nan"), None),
        ("a", ["predict"], 60, 0.0),
    ],
)
def test_a_key_that_cannot_be_is_not_made(tmp_path: Path, name: str, scopes: list[str], lifetime: float, rate: float | None):
    with pytest.raises(KeyStoreError, match="Expected"):
        KeyStore(tmp_path).create(name, scopes, lifetime, rate)
    assert KeyStore(tmp_path).all() == []


@pytest.mark.parametrize("statement", ["DELETE FROM gristmill_key_history", "UPDATE gristmill_key_history SET who = 'nobody'"])
def test_the_record_cannot_be_rewritten(root: Path, statement: str):
    KeyStore(root).create("robot", ["predict"], 60)
    with pytest.raises(StateError, match="only added"), StateDatabase(root).transaction(TABLES) as session:
        session.execute(statement)
    assert len(KeyStore(root).history()) == 1


def test_listing_makes_no_database(tmp_path: Path):
    assert KeyStore(tmp_path).all() == KeyStore(tmp_path).history() == []
    assert list(tmp_path.iterdir()) == []


def test_tokens_do_not_repeat_and_have_256_random_bits():
    tokens = {new_token()[0] for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(len(token.split("_", 2)[2]) * 6 >= 256 for token in tokens)


@pytest.mark.parametrize(
    "text", ["", "gm_", "gm_0123456789ab_short", "xx_0123456789ab_" + "a" * 43, "gm_0123456789AB_" + "a" * 43, "\ud800"]
)
def test_what_is_no_token_has_no_id(text: str):
    assert id_of(text) is None
    assert len(hash_of(text)) == 64


def test_a_key_of_an_older_table_is_read_as_it_stands(tmp_path: Path):
    store = KeyStore(tmp_path)
    _, key = store.create("robot", ["predict"], 60)
    with closing(sqlite3.connect(StateDatabase(tmp_path).file)) as connection:
        connection.execute("UPDATE gristmill_keys SET scopes = 'predict strange'")
        connection.commit()
    assert store.all()[0].key.scopes == {"predict", "strange"}
    assert store.all()[0].key.id == key.id
