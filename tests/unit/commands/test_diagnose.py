"""``gristmill diagnose``: a report of a window of labelled rows."""

import json
import sys
from pathlib import Path

import pytest
from tests.models import customers, save_model

from gristmill import cli
from gristmill.data.products import write_rows

CASE = """
name: small
task: binary
source: customers.csv
target: churn
positive_class: 'Yes'
id_columns: [customer]
features: {exclude: [tier, spend]}
"""


@pytest.fixture
def built(project: Path) -> Path:
    """Give a project with a model of the customers and their test rows."""
    (project / "configs").mkdir(exist_ok=True)
    (project / "configs/small.yaml").write_text(CASE)
    save_model(project / "artifacts/small/model", frame=customers(2000, seed=5))
    write_rows(project / "artifacts/small/test.parquet", customers(1000, seed=1))
    return project


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gristmill", "diagnose", "small", *arguments])
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_causes_are_printed_and_the_report_written(built: Path, monkeypatch, capsys, suffix: str):
    window = customers(1000, seed=2)
    window["tenure"] *= 12
    path = built / f"window.{suffix}"
    window.to_parquet(path) if suffix == "parquet" else window.to_csv(path, index=False)
    assert run(monkeypatch, "--window", str(path), "--model", str(built / "artifacts/small/model")) == 0
    said = capsys.readouterr().out
    assert "First cause: unit change" in said
    assert "1. unit change" in said
    assert "First cause: unit change" in (built / "reports/small/diagnosis.html").read_text()
    assert json.loads((built / "artifacts/small/diagnosis.json").read_text())["causes"][0]["columns"] == ["tenure"]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("window.parquet", None, "There is no file"),
        ("window.parquet", "no parquet", "cannot be read as Parquet"),
        ("window.csv", "", "is empty; expected a header line and rows"),
        ("window.csv", "customer,tenure\n1,2\n", "lacks the column 'churn'"),
    ],
)
def test_a_window_that_cannot_be_read_is_one_sentence(built: Path, monkeypatch, capsys, file, content, message):
    if content is not None:
        (built / file).write_text(content)
    assert run(monkeypatch, "--window", str(built / file), "--model", str(built / "artifacts/small/model")) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (built / "reports/small/diagnosis.html").exists()


def test_a_case_that_was_never_built_is_refused(built: Path, monkeypatch, capsys):
    (built / "artifacts/small/test.parquet").unlink()
    customers(300).to_parquet(built / "window.parquet")
    assert run(monkeypatch, "--window", str(built / "window.parquet"), "--model", str(built / "artifacts/small/model")) == 2
    assert "ploomber build --env--case small" in capsys.readouterr().err
