"""Releases that move while the service answers: no failed request, no answer of two versions (R34)."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from tests.models import FEATURES
from tests.service import NAME, Running, direct, key, release, service_project, start, until
from tests.service_load import FIRST_LOOK_SECONDS, ROWS, champion, swap, swaps_under_load

from gristmill.registry import releases

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service whose release the tests move, which looks for that ten times a second."""
    root = service_project(tmp_path_factory.mktemp("swaps") / "project", serving={"reload_seconds": 0.1})
    made = start(root)
    yield made
    assert made.stop() == 0


def test_versions_are_swapped_under_load_and_no_answer_is_lost_or_mixed(running: Running):
    load = swaps_under_load(running, 4)
    assert load.wrong == []
    assert load.versions == {"1", "2"}


@pytest.mark.slow
def test_a_hundred_swaps_under_load(running: Running):
    load = swaps_under_load(running, 100)
    assert load.wrong == []
    assert load.answered > 1000


def test_a_challenger_answers_its_share_and_always_the_same_users(running: Running):
    swap(running, 1, challenger=2, share=0.3, mode=releases.LIVE)
    users = [f"user {number}" for number in range(200)]
    with running.client() as client:

        def version(user: str) -> str:
            headers = {"X-Sticky-Key": user}
            return str(
                client.post(f"/v1/models/{NAME}/predict", json={"instances": ROWS[:1]}, headers=headers).json()["model"]["version"]
            )

        first, again = [version(user) for user in users], [version(user) for user in users]
        assert first == again
        assert 0.2 < first.count("2") / len(users) < 0.4
        named = [
            client.post(f"/v1/models/{NAME}/predict", json={"instances": [{**ROWS[0], "customer": user}]}) for user in users[:20]
        ]
        assert {one.json()["model"]["version"] for one in named} == {"1", "2"}
    swap(running, 1)


def test_a_challenger_in_the_shadow_predicts_for_the_log_alone(running: Running):
    swap(running, 1, challenger=2, mode=releases.SHADOW)
    answer = running.predict(ROWS[:1]).json()
    assert answer["model"]["version"] == "1"

    def shadow() -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(running.root / "state" / "predictions.db")) as connection:
            asked = "SELECT version, role, beside, request_id FROM gristmill_predictions WHERE request_id = ? AND role = 'shadow'"
            return connection.execute(asked, (answer["request_id"],)).fetchall()

    until(lambda: bool(shadow()))
    assert shadow() == [("2", "shadow", answer["prediction_ids"][0], answer["request_id"])]
    swap(running, 1)


def test_a_version_that_is_not_what_was_registered_leaves_the_old_one_serving(running: Running):
    files = running.root / "mlruns" / "artifacts" / NAME / "2" / "data" / "model"
    swap(running, 1)
    shutil.copytree(files, running.root / "kept")
    try:
        registered = (files / "model.json").read_bytes()
        altered = registered.replace(b"0.5", b"0.1")
        assert altered != registered
        (files / "model.json").write_bytes(altered)
        release(running.root, 2)
        until(lambda: "release of small" in running.ready()["checks"], FIRST_LOOK_SECONDS)
        assert running.ready()["ready"] is True
        assert running.predict(ROWS).json()["model"]["version"] == "1"
        with running.client() as client:
            assert 'gristmill_reloads_total{outcome="failed"}' in client.get("/metrics").text
    finally:
        shutil.rmtree(files)
        shutil.move(running.root / "kept", files)
    swap(running, 1)
    until(lambda: "release of small" not in running.ready()["checks"], FIRST_LOOK_SECONDS)


def test_a_challenger_that_cannot_be_loaded_is_told_and_the_champion_serves(running: Running):
    swap(running, 1)
    files = running.root / "mlruns" / "artifacts" / NAME / "2" / "data" / "model"
    files.rename(running.root / "away")
    try:
        release(running.root, 1, challenger=2, share=1.0, mode=releases.LIVE)
        until(lambda: "release of small" in running.ready()["checks"], FIRST_LOOK_SECONDS)
        assert running.predict(ROWS).json()["model"]["version"] == "1"
        assert "release of small" in running.ready()["checks"], "it is still told when the release was looked at again"
    finally:
        (running.root / "away").rename(files)
    swap(running, 1)
    until(lambda: "release of small" not in running.ready()["checks"], FIRST_LOOK_SECONDS)


def test_a_model_directory_that_is_deleted_changes_nothing_of_what_serves(running: Running):
    swap(running, 1)
    files = running.root / "mlruns" / "artifacts" / NAME / "1" / "data" / "model"
    expected = direct(running.root, 1, ROWS)["probability"].tolist()
    files.rename(running.root / "elsewhere")
    try:
        answer = running.predict(ROWS)
        assert [one["Yes"] for one in answer.json()["probabilities"]] == pytest.approx(expected, abs=1e-9)
    finally:
        (running.root / "elsewhere").rename(files)


def test_a_key_with_the_scope_rolls_back_and_the_record_names_it(running: Running):
    swap(running, 1)
    token = key(running.root, "admin")
    with running.client(token) as client:
        until(lambda: client.get("/v1/models").status_code == 200)
        promoted = client.post(f"/v1/admin/models/{NAME}/promote", json={"version": 2, "reason": "by hand"})
        assert (promoted.status_code, promoted.json()["champion"]) == (200, 2), promoted.text
        assert champion(running) == "2"
        back = client.post(f"/v1/admin/models/{NAME}/rollback", json={"reason": "complaints", "to": 2})
        assert back.status_code == 422
    last = [entry for entry in releases.history(NAME, running.root) if entry.action == releases.PROMOTED][-1]
    assert last.who.startswith(f"key {token.split('_')[1]}")


def test_the_columns_are_those_that_were_fitted(running: Running):
    with running.client() as client:
        columns = client.get(f"/v1/models/{NAME}").json()["versions"][0]["columns"]
    assert [one["name"] for one in columns] == FEATURES
