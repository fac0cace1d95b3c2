"""Runs that are killed: the next one goes on, and what comes out is what an undisturbed run writes, byte for byte."""

import random
import signal
import time
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.models import customers, save_model
from tests.scoring_run import ROWS_A_PORTION, started

from gristmill.errors import SourceError
from gristmill.paths import ProjectPaths
from gristmill.serving.batch import scoring, tables
from gristmill.serving.batch.interrupted import unfinished, unfinished_folder

N_ROWS = 2_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model")
    save_model(folder / "model")
    return str(folder / "model")


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(REPOSITORY)  # where the processes that are killed find their module
    monkeypatch.setattr(tables, "ROWS_A_PORTION", ROWS_A_PORTION)


def table(folder: Path, suffix: str) -> Path:
    """Write a table of which some rows are bad."""
    rows = customers(N_ROWS).astype({"tenure": object})
    rows.loc[[7, 777, 1500], "tenure"] = "soon"
    source = folder / f"in{suffix}"
    if suffix == ".parquet":
        rows.astype({"tenure": str}).to_parquet(source, index=False, row_group_size=300)
        return source
    lines = rows.to_csv(index=False).splitlines()
    lines[100] += ',"more'
    source.write_text("\n".join(lines), encoding="utf-8")
    return source


def killed_at_random(source: Path, target: Path, model: str, chance: random.Random) -> int:
    """Start a run, kill it at some moment, and return how many portions are done; -1 if it ended before."""
    before = len(list(unfinished_folder(target).glob("part-*")))
    wanted = before + chance.randint(1, 6)
    process = started(str(source), target, model, target.parent)
    end = time.monotonic() + 120
    while process.is_alive() and len(list(unfinished_folder(target).glob("part-*"))) < wanted and time.monotonic() < end:
        process.join(0.002)
    process.join(chance.random() * 0.01)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return -1 if process.exitcode == 0 else len(list(unfinished_folder(target).glob("part-*")))


def check_kills(tmp_path: Path, model: str, read: str, write: str, times: int) -> None:
    """Kill runs some times, let the last one end, and compare its files with those of an undisturbed run."""
    source, chance = table(tmp_path, read), random.Random(f"{read}{write}{times}")
    for folder in ("calm", "rough"):
        (tmp_path / folder).mkdir()
    calm, rough = tmp_path / "calm" / f"out{write}", tmp_path / "rough" / f"out{write}"
    expected = scoring.score(source, calm, model, ProjectPaths(tmp_path))
    killed = 0
    while killed < times:
        done = killed_at_random(source, rough, model, chance)
        killed += done >= 0
        assert rough.exists() or done >= 0
        assert not rough.exists() or rough.read_bytes() == calm.read_bytes()  # whole or not at all
        rough.unlink(missing_ok=True)
    scored = scoring.score(source, rough, model, ProjectPaths(tmp_path))
    assert (scored.rows, scored.quarantined, scored.counts) == (expected.rows, expected.quarantined, expected.counts)
    files = {path.name: path.read_bytes() for path in calm.parent.iterdir()}
    assert {path.name: path.read_bytes() for path in rough.parent.iterdir()} == files
    assert set(files) == {f"out.quarantine{write}", f"out{write}"}


@pytest.mark.parametrize(("read", "write"), [(".csv", ".csv"), (".parquet", ".parquet")])
def test_killed_runs_end_as_an_undisturbed_one(tmp_path: Path, model: str, read: str, write: str) -> None:
    check_kills(tmp_path, model, read, write, times=5)


@pytest.mark.slow
@pytest.mark.parametrize(("read", "write"), [(".csv", ".parquet"), (".parquet", ".csv")])
def test_runs_killed_twenty_times_end_as_an_undisturbed_one(tmp_path: Path, model: str, read: str, write: str) -> None:
    check_kills(tmp_path, model, read, write, times=20)


def stopped_after(portions: int) -> scoring.Progress:
    """Return a progress that ends the run as Ctrl-C does."""

    def progress(_share: float, rows: int) -> None:
        if rows >= portions * ROWS_A_PORTION:
            raise KeyboardInterrupt

    return progress


def interrupt(source: Path, target: Path, model: str, **options: float) -> None:
    with pytest.raises(KeyboardInterrupt):
        scoring.score(source, target, model, ProjectPaths(target.parent), progress=stopped_after(4), **options)  # type: ignore[arg-type]


def test_the_next_run_goes_on_behind_what_is_done_and_says_so(tmp_path: Path, model: str) -> None:
    source, target = table(tmp_path, ".csv"), tmp_path / "out.csv"
    interrupt(source, target, model)
    shares: list[tuple[float, int]] = []
    scored = scoring.score(source, target, model, ProjectPaths(tmp_path), progress=lambda share, rows: shares.append((share, rows)))
    assert (scored.resumed_after, scored.rows) == (4 * ROWS_A_PORTION, N_ROWS)
    assert "Went on behind row 200" in scored.sentence
    assert shares[0][1] == 5 * ROWS_A_PORTION
    assert shares[-1] == (1.0, N_ROWS)
    assert not unfinished_folder(target).exists()


def test_what_is_put_together_when_a_run_is_killed_is_removed_by_the_next(tmp_path: Path, model: str, monkeypatch) -> None:
    source, target = table(tmp_path, ".csv"), tmp_path / "out" / "out.csv"
    target.parent.mkdir()
    replace = Path.replace

    def killed(made: Path, path: Path) -> Path:
        if path == target:
            raise KeyboardInterrupt
        return replace(made, path)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_args, **_kept: None)  # a killed run removes nothing
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            scoring.score(source, target, model, ProjectPaths(tmp_path))
    scoring.score(source, target, model, ProjectPaths(tmp_path))
    assert {path.name for path in target.parent.iterdir()} == {"out.csv", "out.quarantine.csv"}


def test_another_input_model_or_option_begins_anew(tmp_path: Path, model: str) -> None:
    source, target = table(tmp_path, ".csv"), tmp_path / "out.csv"
    save_model(tmp_path / "other", threshold=0.9)
    interrupt(source, target, model)
    assert scoring.score(source, target, str(tmp_path / "other"), ProjectPaths(tmp_path)).resumed_after == 0
    interrupt(source, target, model)
    source.write_bytes(source.read_bytes().replace(b"01", b"02", 1))
    assert scoring.score(source, target, model, ProjectPaths(tmp_path)).resumed_after == 0


def test_two_runs_do_not_write_one_output(tmp_path: Path, model: str) -> None:
    source, target = table(tmp_path, ".csv"), tmp_path / "out.csv"
    with unfinished(target, {}), pytest.raises(SourceError, match="being written by another run"):
        scoring.score(source, target, model, ProjectPaths(tmp_path))
    assert not target.exists()
