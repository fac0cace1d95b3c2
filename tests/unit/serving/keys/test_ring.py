"""The keys in a service's memory: fresh, good for a while without their database, and never revived by a clock set back (R38)."""

import asyncio
import logging
import threading
import time
from pathlib import Path

import pytest

from gristmill.errors import StateError
from gristmill.serving.keys import ring as ring_module
from gristmill.serving.keys.clock import SteadyClock
from gristmill.serving.keys.key import KeyRefused, KeysUnavailable
from gristmill.serving.keys.ring import KeyRing
from gristmill.serving.keys.store import TABLES, KeyStore
from gristmill.serving.keys.tokens import new_token
from gristmill.state_database import StateDatabase


class Clocks:
    """A wall clock and a monotonic clock that are set by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = time.time(), 1_000.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def ring(self, root: Path, trusted_seconds: float = 300.0) -> KeyRing:
        clock = SteadyClock(lambda: self.wall, lambda: self.monotonic)
        made = KeyRing(root, trusted_seconds=trusted_seconds, clock=clock, monotonic=lambda: self.monotonic)
        made.refresh()
        return made


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def refused(ring: KeyRing, token: str) -> KeyRefused:
    with pytest.raises(KeyRefused) as caught:
        ring.verify(token)
    return caught.value


def test_a_key_is_known_by_its_token_and_allows_its_scopes_alone(tmp_path: Path, clocks: Clocks):
    token, key = KeyStore(tmp_path).create("robot", ["predict"], 60)
    found = clocks.ring(tmp_path).verify(token)
    assert found == key
    found.require("predict")
    found.require("any")
    with pytest.raises(KeyRefused, match="admin") as caught:
        found.require("admin")
    assert caught.value.status == 403


def test_every_wrong_key_is_refused_in_the_same_words(tmp_path: Path, clocks: Clocks):
    store = KeyStore(tmp_path)
    token, key = store.create("robot", ["predict"], 60)
    gone, revoked = store.create("gone", ["predict"], 60)
    store.revoke(revoked.id)
    late, _ = store.create("late", ["predict"], 0.5)
    ring = clocks.ring(tmp_path)
    clocks.pass_by(1)
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    wrong = ["", "x", new_token()[0], other, token + "x", token.upper(), f"gm_{key.id}_", gone, late, "\udc80"]
    assert {(refused(ring, one).detail, refused(ring, one).status) for one in wrong} == {(ring_module.REFUSAL, 401)}
    assert ring.verify(token).name == "robot"


def test_a_clock_set_back_revives_no_expired_key(tmp_path: Path, clocks: Clocks):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 60)
    ring = clocks.ring(tmp_path)
    ring.verify(token)
    clocks.pass_by(61)
    assert refused(ring, token).status == 401
    clocks.wall -= 86_400
    ring.refresh()
    assert refused(ring, token).status == 401


def test_a_clock_set_back_does_not_lengthen_a_life(tmp_path: Path, clocks: Clocks):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 60)
    ring = clocks.ring(tmp_path)
    clocks.wall -= 86_400
    clocks.pass_by(59)
    ring.verify(token)
    clocks.pass_by(2)
    assert refused(ring, token).status == 401


def test_a_database_that_is_gone_leaves_the_keys_for_a_while_and_then_none(tmp_path: Path, clocks: Clocks):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 10_000)
    ring = clocks.ring(tmp_path, trusted_seconds=300)
    (tmp_path / "state").rename(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="gone"):
        ring.refresh()
    clocks.pass_by(299)
    assert ring.verify(token).name == "robot"
    clocks.pass_by(2)
    assert isinstance(refused(ring, token), KeysUnavailable)
    (tmp_path / "elsewhere").rename(tmp_path / "state")
    ring.refresh()
    assert ring.verify(token).name == "robot"


def test_before_keys_are_read_nothing_is_let_in(tmp_path: Path):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 60)
    assert refused(KeyRing(tmp_path), token).status == 503


def test_a_key_counts_and_stops_counting_within_the_refresh_time(tmp_path: Path):
    store = KeyStore(tmp_path)

    async def until(wanted: bool, token: str, ring: KeyRing) -> float:
        begun = time.monotonic()
        while time.monotonic() - begun < 30:
            try:
                ring.verify(token)
                known = True
            except KeyRefused:
                known = False
            if known == wanted:
                return time.monotonic() - begun
            await asyncio.sleep(0.005)
        raise AssertionError("never")

    async def lives() -> None:
        async with KeyRing(tmp_path, refresh_seconds=0.05).kept_fresh() as ring:
            token, key = await asyncio.to_thread(store.create, "robot", ["predict"], 60)
            assert await until(wanted=True, token=token, ring=ring) < 10
            await asyncio.to_thread(store.revoke, key.id)
            assert await until(wanted=False, token=token, ring=ring) < 10

    asyncio.run(lives())


def test_a_steady_clock_follows_forward_only():
    clocks = Clocks()
    clock = SteadyClock(lambda: clocks.wall, lambda: clocks.monotonic)
    begun = clock.now()
    clocks.wall += 100
    assert clock.now() == pytest.approx(begun + 100)
    clocks.wall -= 1_000
    assert clock.now() == pytest.approx(begun + 100)
    clocks.pass_by(5)
    assert clock.now() == pytest.approx(begun + 105)


def test_a_database_that_hangs_does_not_keep_the_service_from_ending(tmp_path: Path):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 60)
    asked, answers = threading.Event(), threading.Event()
    ring = KeyRing(tmp_path, refresh_seconds=0.01)
    read = ring.refresh

    def hangs() -> None:
        if ring.age == float("inf"):
            read()
            return
        asked.set()
        answers.wait(30)

    ring.refresh = hangs  # type: ignore[method-assign]

    async def lives() -> None:
        async with ring.kept_fresh():
            while not asked.is_set():
                await asyncio.sleep(0.005)
            assert ring.verify(token).name == "robot"

    begun = time.monotonic()
    asyncio.run(lives())
    assert time.monotonic() - begun < 20
    answers.set()


def swapped(file: Path, content: bytes) -> bytes:
    """Put other content in the place of a file, in one step, and return what it had."""
    before = file.read_bytes()
    file.with_name("other").write_bytes(content)
    file.with_name("other").replace(file)
    return before


def test_a_database_that_was_emptied_leaves_the_keys(tmp_path: Path, clocks: Clocks):
    token, _ = KeyStore(tmp_path).create("robot", ["predict"], 60)
    ring = clocks.ring(tmp_path)
    StateDatabase(tmp_path).file.unlink()
    with pytest.raises(StateError, match="gone"):
        ring.refresh()
    with StateDatabase(tmp_path).transaction(TABLES) as session:
        assert session.execute("SELECT * FROM gristmill_keys") == []
    with pytest.raises(StateError, match="gone"):
        ring.refresh()
    assert ring.verify(token).name == "robot"


def test_a_database_that_goes_and_comes_back_is_said_once_each(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    KeyStore(tmp_path).create("robot", ["predict"], 60)

    async def until(words: str) -> None:
        deadline = time.monotonic() + 20
        while words not in caplog.text:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    async def lives() -> None:
        async with KeyRing(tmp_path, refresh_seconds=0.01).kept_fresh():
            content = swapped(StateDatabase(tmp_path).file, b"this is no database, whatever its name may be" * 100)
            await until("could not be read again")
            swapped(StateDatabase(tmp_path).file, content)
            await until("were read again")

    with caplog.at_level(logging.INFO):
        asyncio.run(lives())
    assert [record.levelname for record in caplog.records if record.name == ring_module.__name__] == ["WARNING", "INFO"]
