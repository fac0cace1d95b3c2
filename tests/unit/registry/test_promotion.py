"""Promotion, rollback and their record (R33), against a real registry and a real state database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from tests.releasing import GOOD, INCOMPARABLE, LOST, UNFAIR, UNTOLD, add_version, model_files

from gristmill import tracking
from gristmill.errors import ArtifactError, GateError, RegistryError, ReleaseConflictError
from gristmill.modeling.artifact.model_directory import write_manifest
from gristmill.paths import ProjectPaths
from gristmill.registry import aliases, inspection, promotion, release_text, releases, versions
from gristmill.registry.references import resolve
from gristmill.serving.predictor import Predictor

Make = Callable[..., str]


@pytest.fixture
def root(tracked: ProjectPaths) -> Path:
    return tracked.root


@pytest.fixture
def make(root: Path, request: pytest.FixtureRequest) -> Make:
    """Return a function that registers versions of a model of this test's own, one for each set of gates, and returns its name."""

    def build(*gates: Any, promote: bool = True) -> str:
        name = request.node.name.partition("[")[0].removeprefix("test_")[:60].rstrip("_")
        for one in gates:
            number = add_version(root, name, one)
            if promote and one is GOOD:
                promotion.promote(name, number, reason="a test", root=root)
        return name

    return build


def state(root: Path, name: str) -> tuple[Any, Any]:
    """Return what must not change when a command is refused: the row, and the aliases."""
    return releases.find(name, root).versions, versions.known_aliases(name, root)


def test_a_promotion_moves_row_and_alias_and_is_recorded(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, promote=False)
    promotion.promote(name, 1, root=root)
    made = promotion.promote(name, reason="it is better", root=root)
    assert (made.release.champion, made.release.token) == (2, 3)
    assert versions.known_aliases(name, root) == {"champion": 2}
    entry = releases.history(name, root)[-1]
    assert (entry.action, entry.alias, entry.before, entry.after, entry.reason) == ("promoted", "champion", 1, 2, "it is better")
    assert entry.who == releases.actor()
    assert entry.at > "2020"
    assert entry.gates["passed"] == 1
    assert entry.digest is not None


def test_a_version_whose_gates_failed_is_refused_and_told_what_would_have_to_change(root: Path, make: Make) -> None:
    name = make(GOOD, UNFAIR)
    before = state(root, name)
    with pytest.raises(GateError, match=r"disparate_impact is 0\.4, needs >= 0\.8\. Change") as refused:
        promotion.promote(name, 2, reason="I want it", root=root)
    assert refused.value.exit_code == 3
    assert state(root, name) == before
    entry = releases.history(name, root)[-1]
    assert (entry.action, entry.before, entry.after) == ("refused", 1, 2)
    assert entry.reason.startswith("I want it; its gates failed")
    assert entry.gates["failed"] == ["disparate_impact"]


def test_staging_asks_no_gates_and_a_challenger_may_have_lost_the_comparison(root: Path, make: Make) -> None:
    name = make(GOOD, UNFAIR, LOST)
    promotion.promote(name, 2, "staging", root=root)
    promotion.promote(name, 3, "challenger", root=root)
    release = releases.find(name, root)
    assert (release.champion, release.challenger, release.staging, release.share, release.mode) == (1, 3, 2, 0.0, "shadow")
    assert versions.known_aliases(name, root) == {"champion": 1, "challenger": 3, "staging": 2}
    with pytest.raises(GateError, match="disparate_impact"):
        promotion.promote(name, 2, "challenger", root=root)
    with pytest.raises(GateError, match="not_worse_than_champion"):
        promotion.promote(name, 3, reason="anyway", root=root)


def test_a_champion_that_could_not_be_compared_with_is_replaced_only_for_a_reason(root: Path, make: Make) -> None:
    name = make(GOOD, INCOMPARABLE)
    with pytest.raises(GateError, match="--reason TEXT"):
        promotion.promote(name, root=root)
    assert promotion.promote(name, reason="the target was renamed", root=root).release.champion == 2


def test_no_reason_overrules_a_comparison_that_was_made_without_a_number(root: Path, make: Make) -> None:
    name = make(GOOD, UNTOLD)
    with pytest.raises(GateError, match="not_worse_than_champion could not be determined"):
        promotion.promote(name, reason="anyway", root=root)
    assert releases.find(name, root).champion == 1


def test_a_version_that_was_compared_with_another_champion_needs_a_reason(root: Path, make: Make) -> None:
    name = make(GOOD, promote=False)
    promotion.promote(name, 1, root=root)
    add_version(root, name, GOOD, **{"gristmill.champion_before": "1"})
    assert promotion.promote(name, 2, root=root).release.champion == 2
    before = state(root, name)
    with pytest.raises(GateError, match="was not compared with version 2, the champion") as refused:
        promotion.promote(name, 1, root=root)
    assert refused.value.exit_code == 3
    assert f"gristmill rollback {name} --reason TEXT" in str(refused.value)
    assert f"gristmill promote {name} --version 1 --reason TEXT" in str(refused.value)
    assert state(root, name) == before
    assert releases.history(name, root)[-1].action == "refused"
    made = promotion.promote(name, 1, reason="it is faster", root=root)
    assert made.release.champion == 1
    assert made.notes == ("Its gates compared it with no champion, not with version 2, which it replaces.",)


def test_a_version_that_holds_the_candidate_of_the_champion_needs_no_reason(root: Path, make: Make) -> None:
    name = make(GOOD, promote=False)
    add_version(root, name, content="model 1")
    promotion.promote(name, 1, root=root)
    assert promotion.promote(name, 2, root=root).release.champion == 2


def test_a_version_has_one_alias_and_a_new_challenger_begins_in_the_shadow(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, promote=False)
    promotion.promote(name, 1, root=root)
    promotion.promote(name, 2, "challenger", root=root)
    before = releases.find(name, root)
    releases.move(before, releases.replace(before, share=0.25, mode="live"), (), root)
    moved = promotion.promote(name, 2, reason="a test", root=root).release
    assert (moved.champion, moved.challenger, moved.share, moved.mode) == (2, None, 0.0, "shadow")
    assert versions.known_aliases(name, root) == {"champion": 2}


def test_what_is_so_already_is_said_and_not_moved(root: Path, make: Make) -> None:
    name = make(GOOD)
    again = promotion.promote(name, root=root)
    assert again.entry is None
    assert "is the champion already" in release_text.outcome_lines(again)[0]
    assert releases.find(name, root).token == again.release.token


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (lambda name, root: promotion.promote("nosuch", root=root), "The registry has no model 'nosuch'; it has"),
        (lambda name, root: promotion.promote("x' OR 1=1", root=root), "The registry has no model"),
        (lambda name, root: promotion.promote(name, 9, root=root), "has no version 9; the registry has 1, 2"),
        (lambda name, root: promotion.promote(name, 2, "production", root=root), "Expected --as champion, challenger or staging"),
        (lambda name, root: promotion.promote(name, 1, "challenger", root=root), "is the champion. Name another version"),
        (lambda name, root: promotion.rollback("nosuch", "bad", root=root), "The registry has no model 'nosuch'"),
        (lambda name, root: promotion.rollback(name, " ", root=root), "Expected a reason"),
        (lambda name, root: promotion.rollback(name, "bad", root=root), "is the first champion; there is nothing to roll back to"),
        (lambda name, root: promotion.rollback(name, "bad", 2, root=root), "version 2 never was champion"),
        (
            lambda name, root: promotion.rollback(name, "bad", 1, root=root),
            "is the champion already; there is nothing to roll back",
        ),
        (lambda name, root: release_text.history_lines("nosuch", root), "The registry has no model 'nosuch'"),
    ],
)
def test_bad_input(root: Path, make: Make, command: Callable[[str, Path], object], words: str) -> None:
    name = "bad_input"
    if versions.known_aliases(name, root) is None:
        make(GOOD, UNFAIR)
    before = state(root, name), releases.history(name, root)
    with pytest.raises(RegistryError) as refused:
        command(name, root)
    assert words in str(refused.value)
    assert refused.value.exit_code == 2
    assert (state(root, name), releases.history(name, root)) == before


def test_without_a_champion_there_is_neither_rollback_nor_challenger(root: Path, make: Make) -> None:
    name = make(GOOD, promote=False)
    with pytest.raises(RegistryError, match="no champion to roll back from"):
        promotion.rollback(name, "bad", root=root)
    with pytest.raises(RegistryError, match="no champion to challenge"):
        promotion.promote(name, 1, "challenger", root=root)


def test_rollbacks_go_back_one_champion_after_another(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, GOOD)
    assert promotion.rollback(name, "too slow", root=root).release.champion == 2
    assert promotion.rollback(name, "unfair", root=root).release.champion == 1
    with pytest.raises(RegistryError, match=r"nothing to roll back to. Former champions: 2, 3"):
        promotion.rollback(name, "worse", root=root)
    assert promotion.rollback(name, "better after all", 3, root=root).release.champion == 3
    assert versions.known_aliases(name, root) == {"champion": 3}
    assert promotion.rollback(name, "no", root=root).release.champion == 1
    assert [entry.reason for entry in releases.history(name, root) if entry.action == "rolled back"][:2] == ["too slow", "unfair"]


def test_a_rollback_asks_no_gates(root: Path, make: Make) -> None:
    name = make(INCOMPARABLE, GOOD, promote=False)
    promotion.promote(name, 1, reason="the first", root=root)
    promotion.promote(name, 2, reason="a test", root=root)
    assert promotion.rollback(name, "worse", root=root).release.champion == 1


def altered_byte(root: Path, name: str) -> None:
    path = model_files(root, name, 2) / "model.json"
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def gates_edited(root: Path, name: str) -> None:
    path = model_files(root, name, 2) / "metrics.json"
    path.write_text(path.read_text().replace("false", "true"))


def gates_edited_with_the_manifest(root: Path, name: str) -> None:
    gates_edited(root, name)
    write_manifest(model_files(root, name, 2), name)


def gates_edited_with_manifest_and_tag(root: Path, name: str) -> None:
    gates_edited(root, name)
    digest = write_manifest(model_files(root, name, 2), name).digest
    tracking.connect(root).set_model_version_tag(name, "2", inspection.MODEL_TAG, digest)


def files_of_another_version(root: Path, name: str) -> None:
    mine, other = model_files(root, name, 2), model_files(root, name, 1)
    for path in other.iterdir():
        (mine / path.name).write_bytes(path.read_bytes())


def candidate_replaced(root: Path, name: str) -> None:
    """As somebody might who registers a version by hand: the digest of the directory fits, that of the candidate does not."""
    (model_files(root, name, 2) / "model.json").write_text("another")
    digest = write_manifest(model_files(root, name, 2), name).digest
    tracking.connect(root).set_model_version_tag(name, "2", inspection.MODEL_TAG, digest)


def files_deleted(root: Path, name: str) -> None:
    directory = model_files(root, name, 2)
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()


def digest_removed(root: Path, name: str) -> None:
    tracking.connect(root).delete_model_version_tag(name, "2", inspection.MODEL_TAG)


TAMPERING = [
    altered_byte, gates_edited, gates_edited_with_the_manifest, gates_edited_with_manifest_and_tag, files_of_another_version,
    candidate_replaced, files_deleted, digest_removed,
]  # fmt: skip


@pytest.mark.parametrize("tamper", TAMPERING)
def test_no_edit_of_files_gets_a_version_past_its_gates(root: Path, tamper: Callable[[Path, str], None]) -> None:
    name = f"tampered_{tamper.__name__}"
    add_version(root, name)
    add_version(root, name, GOOD if tamper is candidate_replaced else UNFAIR)
    promotion.promote(name, 1, root=root)
    if tamper is not candidate_replaced:
        promotion.promote(name, 2, "staging", root=root)  # which records its digest
    tamper(root, name)
    before = state(root, name)
    with pytest.raises(GateError) as refused:
        promotion.promote(name, 2, reason="trust me", root=root)
    assert refused.value.exit_code == 3
    assert "its gates failed" not in str(refused.value), "it has to be found out, not to fail by chance"
    assert state(root, name) == before
    assert releases.history(name, root)[-1].action == "refused"


def test_a_tampered_version_is_not_rolled_back_to(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, GOOD)
    altered_byte(root, name)
    with pytest.raises(GateError, match=r"'model\.json'.*was altered"):
        promotion.rollback(name, "worse", root=root)
    assert releases.find(name, root).champion == 3
    assert promotion.rollback(name, "worse", 1, root=root).release.champion == 1


@pytest.mark.parametrize(
    "tamper", [altered_byte, gates_edited_with_the_manifest, files_of_another_version, gates_edited_with_manifest_and_tag]
)
def test_a_tampered_champion_is_not_loaded(root: Path, tamper: Callable[[Path, str], None]) -> None:
    name = f"loaded_{tamper.__name__}"
    for number in (1, 2):
        add_version(root, name, (*GOOD, {**GOOD[0], "name": "other", "group": f"false {number}"}))
    promotion.promote(name, 2, root=root)
    tamper(root, name)
    with pytest.raises(ArtifactError, match=r"was altered|was replaced|tags were edited"):
        Predictor.named(f"{name}@champion", ProjectPaths(root))


def test_of_two_who_promote_at_once_one_wins_and_the_other_is_told(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, GOOD, promote=False)
    promotion.promote(name, 1, root=root)
    looked = inspection.inspect

    def while_the_first_looks(found: Any, where: Any) -> Any:
        with patch.object(inspection, "inspect", looked):
            promotion.promote(name, 3, reason="a test", root=root)
        return looked(found, where)

    with patch.object(inspection, "inspect", while_the_first_looks), pytest.raises(ReleaseConflictError) as told:
        promotion.promote(name, 2, reason="a test", root=root)
    assert "its champion is version 3 now. Nothing was changed" in str(told.value)
    assert told.value.exit_code == 1
    assert state(root, name) == ({"champion": 3, "challenger": None, "staging": None}, {"champion": 3})
    assert [entry.action for entry in releases.history(name, root)] == ["promoted", "promoted", "refused"]


def test_aliases_edited_by_hand_are_repaired_and_reported(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD)
    client = tracking.connect(root)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "staging", "1")
    client.set_registered_model_alias(name, "mine", "1")
    assert resolve(f"{name}@champion", ProjectPaths(root)).version == 2
    lines = release_text.history_lines(name, root)
    assert f"The alias champion of {name} meant version 1: it was edited by hand." in "\n".join(lines)
    assert versions.known_aliases(name, root) == {"champion": 2, "mine": 1}
    repaired = [(entry.alias, entry.before, entry.after) for entry in releases.history(name, root) if entry.action == "repaired"]
    assert repaired == [("champion", 1, 2), ("staging", 1, None)]
    assert aliases.reconcile(name, root) == []


def test_a_champion_deleted_from_the_registry_is_told_and_can_be_gone_back_from(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD)
    tracking.connect(root).delete_model_version(name, "2")
    (repair,) = aliases.reconcile(name, root)
    assert "is no longer in the registry" in repair.sentence
    assert promotion.rollback(name, "it is gone", root=root).release.champion == 1
    assert versions.known_aliases(name, root) == {"champion": 1}


def test_a_champion_older_than_the_row_is_adopted_with_those_before_it(root: Path) -> None:
    name = "older"
    for before in ("none", "1", "1"):
        add_version(root, name, GOOD, **{"gristmill.champion_before": before})
    client = tracking.connect(root)
    client.set_registered_model_alias(name, "champion", "3")
    client.set_registered_model_alias(name, "staging", "2")
    assert resolve(f"{name}@champion", ProjectPaths(root)).version == 3
    assert releases.find(name, root).versions == {"champion": 3, "challenger": None, "staging": 2}
    assert promotion.rollback(name, "worse", root=root).release.champion == 1
    assert [entry.action for entry in releases.history(name, root)] == ["adopted"] * 3 + ["rolled back"]


def test_looking_for_a_model_that_has_no_champion_makes_no_row(root: Path, make: Make) -> None:
    name = make(GOOD, promote=False)
    with pytest.raises(RegistryError, match="gristmill history"):
        resolve(f"{name}@champion", ProjectPaths(root))
    assert releases.find(name, root).token == 0


def test_the_registry_failing_after_the_row_was_moved_is_told_and_repaired_by_the_next_command(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, promote=False)
    promotion.promote(name, 1, root=root)
    with (
        patch.object(versions, "set_alias", side_effect=RegistryError("It is down.")),
        pytest.raises(RegistryError, match=r"version 2 is champion by the release row.*It is down\. The next command repairs"),
    ):
        promotion.promote(name, 2, reason="a test", root=root)
    assert versions.known_aliases(name, root) == {"champion": 1}
    lines = release_text.history_lines(name, root)
    assert "the command that moved the release did not end" in "\n".join(lines)
    assert versions.known_aliases(name, root) == {"champion": 2}
    assert "repaired" not in {entry.action for entry in releases.history(name, root)}


def test_the_history_reads_newest_first(root: Path, make: Make) -> None:
    name = make(GOOD, GOOD, UNFAIR)
    with pytest.raises(GateError):
        promotion.promote(name, root=root)
    promotion.rollback(name, "too slow", root=root)
    lines = release_text.history_lines(name, root)
    assert lines[0].startswith(f"{name}: champion version 1; moved ")
    assert "rolled back  champion    2 -> 1" in lines[1]
    assert lines[1].endswith("[1 of 1 gates passed]  too slow")
    assert lines[-1].startswith("The model card of a version is card.md")
    assert "refused      champion    2 -> 3" in lines[2]
    assert "[1 of 2 gates passed; failed: disparate_impact]" in lines[2]
    assert "promoted     champion    - -> 1" in lines[-2]
    assert releases.actor() in lines[-2]


def test_metrics_without_gates_promote_nothing(root: Path, make: Make) -> None:
    name = make((), promote=False)
    with pytest.raises(GateError, match="holds no gates"):
        promotion.promote(name, root=root)
    assert json.loads((model_files(root, name, 1) / "metrics.json").read_text()) == {"gates": []}


def test_a_shared_registry_with_a_row_of_its_own_is_remarked(root: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    name = make(GOOD)
    client = tracking.connect(root)
    monkeypatch.setattr(tracking, "connect", lambda *_: client)
    monkeypatch.setattr(tracking, "tracking_uri", lambda _: "http://mlflow.example.org")
    assert any("GRISTMILL_DATABASE_URL" in note for note in promotion.promote(name, root=root).notes)
