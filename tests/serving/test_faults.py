"""What the running service does when the disk is full, its log locked or gone, its model swapped, or the clock set back."""

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from tests.service import NAME, Running, direct, key, release, rows_of, service_project, start, until

from gristmill.serving.keys.key import PREDICT

pytestmark = pytest.mark.slow

ROWS = rows_of(3)
LOCKED_SECONDS = 5


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service whose records wait for half a second at most."""
    root = service_project(tmp_path_factory.mktemp("faults") / "project", serving={"log": {"wait_seconds": 0.5}})
    made = start(root)
    yield made
    assert made.stop() == 0, "it ends as ever after all of this"


def log_file(running: Running) -> Path:
    return running.root / "state" / "predictions.db"


def logged(running: Running) -> list[str]:
    with closing(sqlite3.connect(log_file(running))) as connection:
        return [name for (name,) in connection.execute("SELECT prediction_id FROM gristmill_predictions")]


def answered(running: Running) -> list[str]:
    """Return the ids of predictions that were answered, and see that they are in the log."""
    answer = running.predict(ROWS)
    assert answer.status_code == 200, answer.text
    ids: list[str] = answer.json()["prediction_ids"]
    assert set(ids) <= set(logged(running))
    return ids


def refused(running: Running) -> None:
    """See that a request is refused without a prediction, and that the service says that it is not ready, and is alive."""
    answer = running.predict(ROWS)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert "predictions" not in answer.json()
    until(lambda: httpx.get(f"{running.url}/readyz", trust_env=False).status_code == 503)  # a look at the log holds for a second
    assert running.ready()["checks"]["prediction log"] == "cannot be written"
    assert httpx.get(f"{running.url}/healthz", trust_env=False).status_code == 200


def well_again(running: Running) -> None:
    """Wait until predictions are answered again, all by itself."""
    until(lambda: running.predict(ROWS).status_code == 200)
    until(lambda: running.ready().get("ready") is True)


@contextmanager
def full_disk(running: Running) -> Iterator[None]:
    """Let no file of the service grow beyond a page, as on a disk that is full: its log, and what it writes on standard error."""
    before = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_nothing_is_predicted_that_nobody_could_find_again(running: Running):
    before = answered(running)
    with full_disk(running):
        refused(running)
        refused(running)
    well_again(running)
    found = logged(running)
    assert set(before) <= set(found)
    assert len(found) == len(set(found))


def test_a_log_that_another_program_locks_refuses_in_time_and_is_used_again_when_it_is_free(running: Running):
    before = answered(running)
    with closing(sqlite3.connect(log_file(running), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = running.predict(ROWS)
        assert began.elapsed.total_seconds() < LOCKED_SECONDS
        refused(running)
        other.execute("ROLLBACK")
    well_again(running)
    assert set(before) <= set(logged(running))


def test_a_log_that_is_deleted_is_begun_anew_before_anything_is_answered(running: Running):
    answered(running)
    for file in log_file(running).parent.glob("predictions.db*"):
        file.unlink()
    well_again(running)
    answered(running)


def test_a_model_that_is_swapped_for_another_in_its_place_changes_no_answer(running: Running):
    models = running.root / "mlruns" / "artifacts" / NAME
    expected = [direct(running.root, version, ROWS)["probability"].tolist() for version in (1, 2)]
    assert expected[0] != pytest.approx(expected[1], abs=1e-6)
    swapped = [("1", "away"), ("2", "1"), ("away", "2")]
    for before, after in swapped:
        (models / before).rename(models / after)
    try:
        answer = running.predict(ROWS, "?explain=shap").json()
        assert [one["Yes"] for one in answer["probabilities"]] == pytest.approx(expected[0], abs=1e-9)
        assert len(answer["explanations"]) == len(ROWS)
        assert running.ready()["ready"] is True
    finally:
        for before, after in swapped:
            (models / before).rename(models / after)


def test_without_its_state_database_it_goes_on_with_the_keys_and_the_version_it_knows(running: Running):
    state = log_file(running).parent
    files = list(state.glob("gristmill.db*"))
    for file in files:
        file.rename(running.root / file.name)
    try:
        until(lambda: said(running, "The keys could not be read again"))
        answered(running)
    finally:
        for file in state.glob("gristmill.db*"):
            file.unlink()
        for file in files:
            (running.root / file.name).rename(file)
    until(lambda: said(running, "The keys were read again"))
    answered(running)


def said(running: Running, words: str) -> bool:
    return any(words in line["message"] for line in running.log())


CLOCK = """
import sys, time
from pathlib import Path
ahead, wall, nanoseconds = Path("ahead"), time.time, time.time_ns
time.time = lambda: wall() + float(ahead.read_text())
time.time_ns = lambda: nanoseconds() + int(float(ahead.read_text()) * 1e9)
from gristmill.cli import main
main()
"""
"""The command, with a clock of which a file says how far it is ahead."""


@pytest.mark.slow
def test_a_clock_that_is_set_back_revives_no_key_and_stops_nothing(tmp_path: Path):
    root = service_project(tmp_path / "project", serving={"reload_seconds": 0.1})
    (root / "ahead").write_text("7200")
    short = key(root, PREDICT, lifetime=3600)
    running = start(root, program=("-c", CLOCK))
    try:
        first = answered(running)
        assert _status(running, short) == 401, "it has expired by that clock"
        (root / "ahead").write_text("0")
        second = answered(running)
        assert len({*first, *second}) == 2 * len(ROWS)
        assert _status(running, short) == 401, "it stays expired"
        release(root, 2)
        until(lambda: running.predict(ROWS).json()["model"]["version"] == "2", 180)
        sent = {"feedback": [{"prediction_id": first[0], "label": "No"}, {"prediction_id": second[0], "label": "Yes"}]}
        with running.client() as client:
            assert client.post("/v1/feedback", json=sent).status_code == 200
    finally:
        assert running.stop() == 0
    with closing(sqlite3.connect(log_file(running))) as connection:
        times = dict(connection.execute("SELECT prediction_id, at FROM gristmill_predictions").fetchall())
    assert 7000 < times[first[0]] - times[second[0]] < 7200 + 600, "a prediction has the time of the clock as it was"


def _status(running: Running, token: str) -> int:
    with running.client(token) as client:
        return client.post(f"/v1/models/{NAME}/predict", json={"instances": ROWS}).status_code
