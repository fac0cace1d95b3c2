"""A table of former rows becomes a prediction log, as a service would have written it."""

import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from tests.models import customers
from tests.service import NAME, release, service_project
from typer.testing import CliRunner

from gristmill.cli import app
from gristmill.errors import DataError, ParameterError
from gristmill.monitoring.windows import window_of
from gristmill.paths import ProjectPaths
from gristmill.serving.prediction_log.reader import LogReader
from gristmill.serving.prediction_log.store import log_file, open_store
from gristmill.serving.predictor import Predictor
from gristmill.serving.replay.moments import DAY, moments
from gristmill.serving.replay.replaying import Replay, replay
from gristmill.state_postgres import URL_VARIABLE

UNTIL = 1_790_000_000.0
ROWS = customers(60, seed=5).assign(customer=[f"c{number}" for number in range(60)])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = service_project(tmp_path_factory.mktemp("replayed"), versions=1)
    ROWS.to_parquet(made / "rows.parquet", index=False)
    return made


def test_moments_lie_in_their_days_in_order_and_more_of_them_by_day_than_by_night():
    at = moments(20_000, 7, UNTIL, np.random.default_rng(0))
    assert (np.diff(at) >= 0).all()
    assert UNTIL - 7 * DAY <= at[0] < at[-1] <= UNTIL
    hours = np.bincount((at % DAY / 3600).astype(int), minlength=24)
    assert hours.argmax() in (14, 15)
    assert hours.max() > 7 * hours.min()
    assert np.ptp(np.histogram(at, 7, (UNTIL - 7 * DAY, UNTIL))[0]) < 60


def test_the_log_holds_what_the_champion_says_of_each_row_and_the_labels_that_have_come(root: Path):
    done = replay(ProjectPaths(root).case(NAME), "rows.parquet", Replay(10, UNTIL, labels_after=4))
    (batch,) = LogReader(root).batches(NAME)
    logged = batch.to_pandas()
    proba = Predictor.named(f"{NAME}@champion", ProjectPaths(root)).predict_proba(ROWS)
    assert np.allclose(np.vstack(logged["probabilities"]), proba, atol=1e-12)
    assert list(logged["subject"]) == [f'{{"customer":"c{number}"}}' for number in range(60)]
    labelled = logged["label"].notna()
    assert (logged["label"] == ROWS["churn"])[labelled].all()
    assert "churn" not in logged["features"].iloc[0]
    assert labelled.sum() == done.labels == (logged["at"] < datetime.fromtimestamp(UNTIL - 4 * DAY, UTC)).sum()
    assert 30 < done.labels < 40

    again = replay(ProjectPaths(root).case(NAME), "rows.parquet", Replay(10, UNTIL, labels_after=4))
    assert (again.predictions, again.labels, again.new) == (60, done.labels, 0)
    assert len(LogReader(root).last(1000)) == 60


@pytest.mark.parametrize(
    ("table", "how", "error", "said"),
    [
        ("unfit.parquet", Replay(0), ParameterError, "--days above 0"),
        ("unfit.parquet", Replay(3), DataError, "charge"),
        ("classes.parquet", Replay(3, labels_after=1), DataError, "Maybe"),
    ],
)
def test_a_table_that_cannot_be_replayed_whole_leaves_the_log_alone(
    root: Path, table: str, how: Replay, error: type[Exception], said: str
):
    ROWS.drop(columns="charge").to_parquet(root / "unfit.parquet", index=False)
    ROWS.assign(churn=[*["Yes"] * 59, "Maybe"])[::-1].to_parquet(root / "classes.parquet", index=False)
    before = log_file(root).read_bytes() if log_file(root).exists() else b""
    with pytest.raises(error, match=said):
        replay(ProjectPaths(root).case(NAME), table, how)
    assert (log_file(root).read_bytes() if log_file(root).exists() else b"") == before


def test_the_command_says_what_the_log_holds(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(root)
    done = CliRunner().invoke(app, ["log", "replay", NAME, "rows.parquet", "--days", "3", "--until", "2026-05-04", "--seed", "2"])
    assert done.exit_code == 0, done.output
    times = "from 2026-05-01 00:00 to 2026-05-04 00:00 UTC"
    assert done.output == f"The log holds 60 predictions of small/1 {times}, and 0 labels of them; all new.\n"


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project with an empty log, in both databases by turns."""
    if request.param == "postgres":
        server, name = request.getfixturevalue("server"), f"replay_{uuid4().hex}"
        server.run(f"CREATE DATABASE {name}")
        monkeypatch.setenv(URL_VARIABLE, f"postgresql://postgres@/{name}?host={server.folder}")
        release(root, champion=1)
    for file in log_file(root).parent.glob("predictions.db*"):
        file.unlink()
    return root


def test_a_replay_that_was_ended_half_way_goes_on_another_day_and_labels_follow_their_predictions(fresh: Path):
    paths, how = ProjectPaths(fresh).case(NAME), Replay(6, labels_after=2, seed=5)
    first = replay(paths, "rows.parquet", how)
    assert (first.predictions, first.new) == (60, 60 + first.labels)
    with closing(open_store(fresh, 30)) as store, store.transaction() as session:
        lost = session.execute("DELETE FROM gristmill_predictions WHERE seq % 4 = 0 RETURNING prediction_id")
        for (name,) in lost:
            session.execute("DELETE FROM gristmill_feedback WHERE prediction_id = ?", name)
        session.execute("UPDATE gristmill_predictions SET at = at - ?", 9 * DAY)
        session.execute("UPDATE gristmill_feedback SET at = at - ?", 9 * DAY)
        ((kept,),) = session.execute("SELECT count(*) FROM gristmill_feedback")

    again = replay(paths, "rows.parquet", how)
    assert (again.predictions, again.new) == (60, 15 + again.labels - kept)
    assert 45 < again.labels < 60
    window = window_of(paths, first.since - 10 * DAY, time.time() + 1, ("No", "Yes"))
    assert (window.predictions, window.champion, window.served.labelled.sum()) == (60, "1", again.labels)
    assert (window.at < first.until - 9 * DAY).sum() == 45
    rows = window.served.rows[window.served.labelled]
    assert (rows["label_at"] - rows["at"]).to_numpy(dtype=float) == pytest.approx(2 * DAY)
    assert again.since == pytest.approx(window.at.min())
    assert replay(paths, "rows.parquet", how).new == 0
