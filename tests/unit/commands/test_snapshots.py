"""``gristmill data``: what it prints, and how it refuses."""

import sys

import pytest
from tests.unit.data.conftest import small, take_version  # noqa: F401 - a fixture
from typer.testing import CliRunner

from gristmill import cli
from gristmill.data.setup.preview import preview
from gristmill.data.snapshots import history

OLD = "id,spend,plan,y\n" + "".join(f"{n},{n % 7},{'basic' if n % 2 else 'pro'},{'yes' if n % 3 else 'no'}\n" for n in range(120))
NEW = OLD.replace("basic", "plus") + "500,60,pro,yes\n"


@pytest.fixture(autouse=True)
def identified(small):  # noqa: F811
    small.case_file.write_text(small.case_file.read_text() + "id_columns: [id]\n")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, ["data", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(monkeypatch, capsys, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["gristmill", "data", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_the_log_lists_the_newest_version_first_and_says_which_is_current(small):  # noqa: F811
    first, second = take_version(small, OLD), take_version(small, NEW)
    header, *lines = run("log", "small").splitlines()
    assert header.split() == ["version", "taken", "rows", "columns", "source"]
    assert [line.split()[0] for line in lines] == [second.digest[:12], first.digest[:12]]
    assert lines[0].split()[-4:] == ["121", "4", "rows.csv", "current"]
    (small.root / first.path).unlink()
    assert "its file is missing" in run("log", "small")


def test_a_version_is_shown_with_its_columns(small):  # noqa: F811
    first = take_version(small, OLD)
    take_version(small, NEW)
    shown = run("show", "small", first.digest[:6])
    assert f"Version   {first.digest}" in shown
    assert "Rows      120 in 4 columns" in shown
    plan = next(line for line in shown.splitlines() if line.startswith("plan"))
    assert plan.split()[:4] == ["plan", "text", "0.0%", "2"]


def test_two_versions_are_compared_in_words(small):  # noqa: F811
    take_version(small, OLD)
    take_version(small, NEW)
    said = run("diff", "small")
    assert "Rows      1 added, 0 removed, 60 changed, 60 unchanged, told apart by their identifiers" in said
    assert "0.500  plan   moved far: 'basic' is gone, from 50.0% of the rows" in said


def test_a_restored_version_is_what_check_looks_at(small):  # noqa: F811
    first = take_version(small, OLD)
    take_version(small, NEW)
    assert "uses version" in run("restore", "small", first.digest[:6])
    assert "do not read the source" in run("log", "small")
    assert f"Version     {first.digest[:12]}, restored" in preview(small)
    assert "120 rows" in preview(small)
    run("restore", "small", "source")
    assert "121 rows" in preview(small)


def test_an_unknown_version_is_one_sentence(small, monkeypatch, capsys):  # noqa: F811
    taken = take_version(small, OLD)
    assert f"it has {taken.digest[:12]}" in refused(monkeypatch, capsys, "show", "small", "zzz")
    assert "nothing to compare it with" in refused(monkeypatch, capsys, "diff", "small")
    assert "reads its source already" in refused(monkeypatch, capsys, "restore", "small", "source")


def test_the_test_table_has_commands_of_its_own(small):  # noqa: F811
    small.case_file.write_text(small.case_file.read_text() + "split: {test_source: rows.csv}\n")
    first, second = (take_version(small.own_test, text) for text in (OLD, NEW))
    assert len(run("log", "small", "--test").splitlines()) == 3
    assert "1 added, 0 removed, 60 changed, 60 unchanged, told apart by their identifiers" in run("diff", "small", "--test")
    assert f"gristmill data restore small --test {history.SOURCE}" in run("restore", "small", first.digest[:9], "--test")
    assert f"Version   {first.digest}" in run("show", "small", "--test")
    assert "reads its source again" in run("restore", "small", "--test", history.SOURCE)
    assert f"Version   {second.digest}" in run("show", "small", second.digest[:9], "--test")


def test_a_push_without_a_remote_and_a_pull_without_a_pointer_are_refused(small, monkeypatch, capsys):  # noqa: F811
    assert "No version of the source of 'small'" in refused(monkeypatch, capsys, "push", "small")
    assert "No pointer file in" in refused(monkeypatch, capsys, "pull", "small")
