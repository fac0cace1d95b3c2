"""Requests for a new model, kept until something works them off (R34)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.postgres import started

from gristmill.serving.retrain_requests import WAITING, enqueue, waiting
from gristmill.state_database import URL_VARIABLE


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with started() as server:
        yield server.uri(user="postgres")


@pytest.fixture(params=["sqlite", "postgres"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "postgres":
        monkeypatch.setenv(URL_VARIABLE, request.getfixturevalue("postgres"))
    else:
        monkeypatch.delenv(URL_VARIABLE, raising=False)
    return tmp_path


def test_requests_wait_in_their_order_and_a_repeated_one_is_the_same(root: Path):
    first, place, is_new = enqueue(root, "churn", "key a", "drift")
    second, second_place, _ = enqueue(root, "churn", "key b", "again", "k-1")
    again, again_place, again_new = enqueue(root, "churn", "key c", "other words", "k-1")
    elsewhere, elsewhere_place, _ = enqueue(root, "spend", "key b", "", "k-1")
    assert (place, is_new, second_place) == (0, True, 1)
    assert (again, again_place, again_new) == (second, 1, False)
    assert elsewhere_place == 0
    assert [one.id for one in waiting(root, "churn")] == [first.id, second.id]
    assert {one.state for one in waiting(root)} == {WAITING}
    assert elsewhere in waiting(root)


def test_the_same_request_sent_from_many_at_once_is_written_once(root: Path):
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda turn: enqueue(root, f"{root.name}", f"key {turn}", "", "same"), range(16)))
    assert len({request.id for request, _, _ in made}) == 1
    assert sum(is_new for _, _, is_new in made) == 1


def test_nothing_waits_where_nothing_was_ever_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    assert waiting(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
