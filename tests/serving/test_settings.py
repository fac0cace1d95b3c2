"""A service of numbers, with a cache, strict about what it knows; and a log that cannot be written (R34, R43)."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from tests.models import FEATURES
from tests.service import NAME, Running, direct, rows_of, service_project, start, until

ROW = {"customer": "0001", "tenure": 30, "charge": 70.0, "plan": "01"}
STRICT = {"cache_rows": 100, "out_of_range": "refuse", "missing": "as_trained", "log": {"wait_seconds": 0.5}}


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = service_project(tmp_path_factory.mktemp("numbers") / "project", "regression", versions=1, serving=STRICT)
    running = start(root)
    yield running
    assert running.stop() == 0


def test_numbers_are_answered_with_intervals_and_without_probabilities(numbers: Running):
    answer = numbers.predict([ROW], "?interval=0.9").json()
    assert answer["predictions"] == pytest.approx(direct(numbers.root, 1, [ROW])["prediction"].tolist(), abs=1e-9)
    assert "probabilities" not in answer
    (ends,) = answer["intervals"]
    assert ends["lower"] < answer["predictions"][0] < ends["upper"]


def test_what_was_asked_before_comes_from_the_cache_and_is_logged_all_the_same(numbers: Running):
    row = {**ROW, "tenure": 31}
    answers = [numbers.predict([row | {"customer": str(turn)}, {**row, "tenure": 32 + turn}]).json() for turn in range(3)]
    assert len({answer["predictions"][0] for answer in answers}) == 1
    assert answers[0]["predictions"] == pytest.approx(
        direct(numbers.root, 1, [row, {**row, "tenure": 32}])["prediction"].tolist(), abs=1e-9
    )
    with numbers.client() as client:
        text = client.get("/metrics").text
    hits = float(text.split('gristmill_cache_lookups_total{outcome="hit"} ')[1].split("\n")[0])
    assert hits >= 2
    ids = [name for answer in answers for name in answer["prediction_ids"]]
    with closing(sqlite3.connect(numbers.root / "state" / "predictions.db")) as connection:
        found = {name for (name,) in connection.execute("SELECT prediction_id FROM gristmill_predictions")}
    assert len(set(ids)) == 6
    assert set(ids) <= found


def test_rows_unlike_those_that_were_learnt_from_are_refused_where_the_case_says_so(numbers: Running):
    answer = numbers.predict([ROW, ROW | {"tenure": 9999}])
    assert answer.status_code == 422
    assert [(one["row"], one["column"]) for one in answer.json()["errors"]] == [(1, "tenure")]


def test_null_is_refused_where_no_row_lacked_a_value(numbers: Running):
    answer = numbers.predict([ROW | {"tenure": None, "charge": None}])
    assert [one["column"] for one in answer.json()["errors"]] == ["tenure"]


def test_labels_of_numbers_are_numbers(numbers: Running):
    (name,) = numbers.predict([ROW]).json()["prediction_ids"]
    with numbers.client() as client:
        wrong = client.post("/v1/feedback", json={"feedback": [{"prediction_id": name, "label": "much"}]})
        right = client.post("/v1/feedback", json={"feedback": [{"prediction_id": name, "label": 12.5}]})
    assert (wrong.status_code, right.json()["recorded"]) == (422, [name])


def test_nothing_is_answered_that_cannot_be_logged_and_the_service_is_not_ready(numbers: Running):
    with closing(sqlite3.connect(numbers.root / "state" / "predictions.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = numbers.predict([ROW])
        assert (answer.status_code, answer.json()["title"]) == (503, "Log Unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        until(lambda: httpx.get(f"{numbers.url}/readyz", trust_env=False, timeout=30).status_code == 503)
        assert numbers.ready()["checks"]["prediction log"] == "cannot be written"
        other.execute("ROLLBACK")
    until(lambda: numbers.predict([ROW]).status_code == 200)
    until(lambda: numbers.ready().get("ready") is True)


def test_a_request_for_a_new_model_is_queued_once(numbers: Running):
    with numbers.client() as client:
        path = f"/v1/admin/models/{NAME}/retrain"
        first, again = (client.post(path, json={"reason": "drift", "idempotency_key": "one"}) for _ in range(2))
        other = client.post(path)
    assert (first.status_code, first.json()["repeated"], again.json()["repeated"]) == (202, False, True)
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]
    assert other.json()["place"] == 1


def test_the_rows_of_the_builders_have_every_column():
    assert set(rows_of(1)[0]) == {"customer", *FEATURES}
