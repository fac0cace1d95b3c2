"""``gristmill diagnose`` of what was served: rows and labels out of a real prediction log."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.models import FEATURES, customers, fit
from tests.served import DAY, NOW, built, logged, records_of

from gristmill import cli

N_ROWS = 400
SERVED = "2026-09-11T14:00"  # NOW less ten days, to the hour before


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project with a model whose customers came with their tenure in days, ten days before, half of the later ones too."""
    root = tmp_path_factory.mktemp("served")
    (root / "pipeline.yaml").write_text("tasks: []\n")
    built(root)
    model = fit("binary", customers(900, seed=1))
    wrong, right = customers(N_ROWS, seed=11), customers(N_ROWS, seed=12)
    wrong["tenure"] *= 30
    records = records_of(wrong, model.predict_proba(wrong[FEATURES]))
    records += records_of(wrong, model.predict_proba(wrong[FEATURES]), prefix="s", role="shadow", version="2")
    records += records_of(right, model.predict_proba(right[FEATURES]), at=NOW - 5 * DAY, prefix="r")
    records += records_of(right[:50], model.predict_proba(right[:50][FEATURES]), at=NOW - DAY, prefix="y")
    labels = {
        f"{prefix}{number}": label for prefix, rows in (("p", wrong), ("r", right)) for number, label in enumerate(rows["churn"])
    }
    logged(root, records, labels)
    return root


@pytest.fixture
def run(served: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what runs the command in the project, and gives its exit code."""

    def command(*arguments: str) -> int:
        monkeypatch.chdir(served)
        monkeypatch.setattr("time.time", lambda: NOW)
        monkeypatch.setattr(sys, "argv", ["gristmill", "diagnose", "small", "--model", "artifacts/small/model", *arguments])
        try:
            cli.main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    return command


def test_a_window_of_the_log_is_diagnosed_each_row_once(run, served: Path, capsys):
    assert run("--since", "2026-09-01", "--until", "2026-09-14") == 0
    said = capsys.readouterr().out
    assert f"Window: served from 2026-09-01 00:00 to 2026-09-14 00:00 UTC, {N_ROWS} labelled rows." in said
    assert "1. unit change" in said
    assert "'tenure' looks multiplied by 30" in said
    assert "served from 2026-09-01 00:00" in (served / "reports/small/diagnosis.html").read_text()


def test_days_are_counted_back_from_the_end(run, capsys):
    assert run("--days", "7") == 0
    said = capsys.readouterr().out
    assert f"{N_ROWS} labelled rows." in said
    assert "not worse in this window" in said


def test_labels_may_come_from_a_table(run, served: Path, capsys):
    labels = pd.DataFrame({"prediction_id": [f"p{n}" for n in range(N_ROWS)], "label": customers(N_ROWS, seed=11)["churn"]})
    labels[:250].to_csv(served / "labels.csv", index=False)
    assert run("--until", "2026-09-14", "--days", "60", "--labels", "labels.csv") == 0
    assert "1. unit change" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--days", "2"), "None of the 50 predictions of 'small' from 2026-09-19"),
        (("--since", "2020-01-01", "--until", "2020-02-01"), "the log has none"),
        (("--since", "2026-09-10", "--days", "3"), "Expected --since or --days, got both"),
        (("--since", "2026-09-10", "--until", "2026-09-10"), "begins before it ends"),
        (("--since", "yesterday"), "Expected --since as a time"),
        (("--window", "rows.csv", "--days", "3"), "Expected --window, a file with its labels, or the log"),
    ],
)
def test_what_cannot_be_diagnosed_is_one_sentence(run, served: Path, capsys, arguments, message):
    report = served / "reports/small/diagnosis.html"
    before = report.stat().st_mtime_ns if report.exists() else None
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert (report.stat().st_mtime_ns if report.exists() else None) == before


def test_a_project_without_a_log_is_told_so(run, served: Path, capsys):
    log = served / "state" / "predictions.db"
    hidden = log.rename(log.with_suffix(".away"))
    try:
        assert run("--days", "7") == 2
        assert "There is no prediction log yet" in capsys.readouterr().err
    finally:
        hidden.rename(log)
