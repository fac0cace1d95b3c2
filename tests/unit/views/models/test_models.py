"""Versions beside each other, what is to be expected of a promotion, and the record; against a real registry."""

import threading
import time
from pathlib import Path

import pytest
from tests.releasing import GOOD, INCOMPARABLE, UNFAIR, add_version, model_files

from gristmill.errors import RegistryError
from gristmill.paths import ProjectPaths
from gristmill.registry import promotion
from gristmill.registry.listing import listed
from gristmill.serving.keys.key import Key, KeyRefused
from gristmill.views.models import releasing, side_by_side
from gristmill.views.models.listing import Version, mark, read_versions
from gristmill.views.models.shelf import Shelf


def version(number: int, value: float, *gates: dict[str, object], **more: object) -> Version:
    """Return a version with one metric."""
    metrics = {
        "primary_metric": "log_loss",
        "test": {
            "accuracy": {"value": 0.8, "low": 0.7, "high": 0.9},
            "log_loss": {"value": value, "low": value - 0.1, "high": 1.0},
        },
        "baseline": {"test": {"log_loss": {"value": 0.69, "low": 0.6, "high": 0.7}}},
        "gates": list(gates),
    }
    fields = {"created": "", "aliases": (), "tags": {}, "run_id": "", "card": None, "directory": Path(), "digest": None, **more}
    return Version(number=number, metrics=metrics, **fields)  # type: ignore[arg-type]


def test_the_registry_lists_versions_with_evidence_and_says_whose_files_were_edited(tracked: ProjectPaths):
    name, root = "listed", tracked.root
    for gates in (GOOD, UNFAIR, GOOD):
        add_version(root, name, gates)
    promotion.promote(name, 1, reason="a test", root=root)
    (model_files(root, name, 3) / "model.json").write_text("another model")
    found = listed(name, 20, root)
    assert [(one["version"], one["aliases"]) for one in found] == [(3, []), (2, []), (1, ["champion"])]
    assert "model.json" in found[0]["problem"]
    assert found[0]["metrics"] == {}
    assert [gate["name"] for gate in found[1]["metrics"]["gates"]] == ["roc_auc", "disparate_impact"]
    assert abs(found[2]["created"] - time.time()) < 600
    assert [one["version"] for one in listed(name, 1, root)] == [3]
    assert listed("nobody", 20, root) == []


def test_the_best_of_a_row_is_marked_by_the_metrics_own_direction():
    table = side_by_side.scores([version(2, 0.4), version(1, 0.5)])
    assert list(table.index) == ["Log loss", "Accuracy"]
    assert list(table.columns) == ["version 2", "version 1"]
    assert list(table.loc["Log loss"]) == ["0.400 (0.300\u20131.000) ★", "0.500 (0.400\u20131.000)"]
    assert not any("★" in cell for cell in table.loc["Accuracy"])
    assert side_by_side.scores([version(2, 0.4)], "baseline").loc["Log loss", "version 2"] == "0.690 (0.600\u20130.700)"
    assert list(side_by_side.primary_figure([version(2, 0.4)]).iloc[0]) == ["version 2", 0.4, pytest.approx(0.3), 1.0]


def test_gates_stand_with_the_failed_ones_first_and_say_what_to_expect():
    unfair = version(1, 0.5, *UNFAIR)
    assert list(side_by_side.gate_table(unfair)["verdict"]) == ["FAILED", "passed"]
    assert side_by_side.gates_words(unfair) == "1 of 2 failed: Disparate impact"
    assert releasing.expectation(unfair, "champion")[1] == "disparate_impact is 0.4, needs >= 0.8."
    assert releasing.expectation(unfair, "staging") == ["Staging asks no gates; its files are verified."]
    assert "say why" in releasing.expectation(version(1, 0.5, *INCOMPARABLE), "champion")[0]
    assert releasing.expectation(version(1, 0.5, *GOOD), "champion")[0].startswith("Its gates allow it")
    edited = version(1, 0.5, *GOOD, problem="its files were edited.")
    assert releasing.expectation(edited, "champion") == ["It will be refused: its files were edited."]


def test_the_record_and_the_way_back_are_those_of_the_release(tracked: ProjectPaths):
    name, root = "audited", tracked.root
    for _ in range(3):
        add_version(root, name, GOOD)
        promotion.promote(name, reason="newer", root=root)
    before = mark(root, name)
    promotion.rollback(name, "it is worse", root=root)
    assert mark(root, name) != before
    trail = releasing.audit(root, name)
    assert list(trail.loc[0, ["what", "from", "to", "why"]]) == ["rolled back", "3", "2", "it is worse"]
    assert trail.loc[0, "gates"] == "1 of 1 passed"
    assert releasing.former_champions(root, name) == [1, 3]
    assert releasing.now_serving(root, name).startswith("audited: champion version 2; moved ")


def test_a_key_without_the_scope_moves_nothing(tmp_path: Path):
    key = Key("id", "reader", frozenset({"metrics"}), time.time() + 60)
    with pytest.raises(KeyRefused, match="does not allow 'admin'"):
        releasing.promote(tmp_path, "small", 1, "champion", "because", key)
    assert not list(tmp_path.iterdir())


def test_a_shelf_shows_what_it_knows_while_it_reads_anew():
    go, shelf, reads = threading.Event(), Shelf(), []

    def read() -> list[Version]:
        assert go.wait(10)
        reads.append(1)
        return [version(len(reads), 0.5)]

    def settled(mark: int) -> list[int]:
        end = time.monotonic() + 10
        while (shown := shelf.look("small", mark, read)).reading:
            assert time.monotonic() < end
        assert shown.versions is not None
        return [one.number for one in shown.versions]

    first = shelf.look("small", 1, read)
    assert (first.versions, first.reading) == (None, True)
    go.set()
    assert settled(1) == [1]
    assert settled(1) == [1]
    go.clear()
    again = shelf.look("small", 2, read)
    assert ([one.number for one in again.versions or ()], again.reading) == ([1], True)
    go.set()
    assert settled(2) == [2]


def test_a_registry_that_does_not_answer_is_said_and_asked_again():
    shelf = Shelf()

    def broken() -> list[Version]:
        raise RegistryError("The registry is away.")

    end = time.monotonic() + 10
    while (shown := shelf.look("small", 1, broken)).reading:
        assert time.monotonic() < end
    assert (shown.versions, shown.problem) == (None, "The registry is away.")
    assert shelf.look("small", 2, lambda: [version(1, 0.5)]).reading


@pytest.mark.slow
def test_a_process_of_its_own_reads_and_moves_and_the_record_names_the_key(tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch):
    name, root = "moved", tracked.root
    monkeypatch.chdir(root)  # as the app is: a process begins with the store of the project that it stands in
    for gates in (GOOD, UNFAIR, GOOD):
        add_version(root, name, gates)
    key = Key("k1", "Ada", frozenset({"admin"}), time.time() + 60)
    assert [one.number for one in read_versions(root, name)] == [3, 2, 1]
    assert releasing.promote(root, name, 1, "champion", "the first", key).done
    refused = releasing.promote(root, name, 2, "champion", "please", key)
    assert not refused.done
    assert "disparate_impact is 0.4, needs >= 0.8" in refused.sentences[0]
    assert list(releasing.audit(root, name).loc[0, ["what", "who", "to"]]) == ["refused", "key k1 (Ada)", "2"]
