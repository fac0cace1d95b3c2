import json
from pathlib import Path

import pytest

from gristmill.reporting.builds import history
from gristmill.reporting.builds.history import append_build, read_history


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "builds" / "churn" / "history.jsonl"


def test_builds_are_numbered_as_they_come(path: Path) -> None:
    assert read_history(path) == []
    assert [append_build(path, {"build": name})["number"] for name in "ab"] == [1, 2]
    assert [(one["number"], one["build"]) for one in read_history(path)] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("torn", [b'{"format":1,"number":2,"bui', b"\xff\xfe\n", b"[]\n", b'{"format":9,"number":7}\n'])
def test_what_a_crash_left_half_written_is_passed_over(path: Path, torn: bytes) -> None:
    append_build(path, {"build": "a"})
    with path.open("ab") as file:
        file.write(torn)
    assert [one["build"] for one in read_history(path)] == ["a"]
    append_build(path, {"build": "b"})
    assert [(one["number"], one["build"]) for one in read_history(path)] == [(1, "a"), (2, "b")]


def test_the_oldest_builds_go_and_numbers_go_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BUILDS", 3)
    for name in "abcde":
        append_build(path, {"build": name})
    assert [(one["number"], one["build"]) for one in read_history(path)] == [(3, "c"), (4, "d"), (5, "e")]
    assert [file.name for file in path.parent.iterdir()] == ["history.jsonl"]


def test_a_line_is_one_json_text_whatever_is_in_it(path: Path) -> None:
    append_build(path, {"build": "one\ntwo\u2028three"})
    assert path.read_bytes().count(b"\n") == 1
    assert json.loads(path.read_bytes())["build"] == "one\ntwo\u2028three"
