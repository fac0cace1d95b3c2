"""Verdicts and how they are read (R32)."""

from dataclasses import asdict
from pathlib import Path

import pytest

from gristmill.data.products import write_json
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths
from gristmill.registry.gates import Gate, all_passed, at_least, at_most, failures, frame, measured, not_measured, read, table


@pytest.mark.parametrize(("value", "passed"), [(0.79, False), (0.8, True), (0.81, True)])
def test_a_value_at_its_limit_passes(value: float, passed: bool) -> None:
    assert at_least("g", "data", value, 0.8, "Share").passed is passed
    assert at_most("g", "data", -value, -0.8, "Share").passed is passed


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_value_that_could_not_be_computed_fails(value: float | None) -> None:
    gate = at_most("g", "data", value, 1.0, "Spread")
    assert gate.failed
    assert gate.value is None
    assert "could not be computed" in gate.message


def test_a_failed_gate_says_what_it_needs() -> None:
    assert at_least("g", "data", 0.5, 0.8, "Ratio of rates").message == "Ratio of rates: 0.5, needs >= 0.8."


def test_what_was_not_measured_is_neither_passed_nor_failed() -> None:
    gates = [at_least("a", "data", 1, 1, ""), not_measured("b", "data", "later")]
    assert all_passed(gates)
    assert measured(gates) == gates[:1]
    assert not gates[1].failed


def test_one_failed_gate_fails_all() -> None:
    assert not all_passed([at_least("a", "data", 1, 1, ""), at_least("b", "data", 0, 1, "")])


def test_a_gate_of_the_metrics_has_the_five_agreed_keys() -> None:
    assert set(at_least("a", "data", 1, 1, "").as_metric()) == {"name", "group", "passed", "value", "limit"}


def written(root: Path, gates: list[Gate]) -> CasePaths:
    paths = CasePaths(root, "small")
    unknown = [asdict(gate) for gate in gates if gate.passed is None]
    write_json(
        paths.artifacts / "registration.json", {"gates": [asdict(g) for g in measured(gates)], "gates_not_measured": unknown}
    )
    return paths


def test_gates_are_read_as_they_were_written(tmp_path: Path) -> None:
    gates = [at_least("a", "data", 1, 1, "A"), at_most("b", "training", 2, 1, "B"), not_measured("c", "monitoring", "later")]
    assert read(written(tmp_path, gates)) == gates


def test_a_case_that_was_not_built_has_no_gates(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="ploomber build --env--case small"):
        read(CasePaths(tmp_path, "small"))


@pytest.mark.parametrize("content", [{}, {"gates": [{"name": "a"}], "gates_not_measured": []}])
def test_a_damaged_record_is_a_sentence(tmp_path: Path, content: dict) -> None:
    write_json(tmp_path / "artifacts" / "small" / "registration.json", content)
    with pytest.raises(ArtifactError, match="holds no gates"):
        read(CasePaths(tmp_path, "small"))


def test_the_table_groups_gates_and_counts_those_measured() -> None:
    text = table(
        [at_least("b", "training", 0, 1, "Score"), at_least("a", "data", 1, 1, "Share"), not_measured("c", "data", "Later.")]
    )
    assert [line.split()[0] for line in text.splitlines()] == ["data", "A", "C", "training", "B", "what", "B:", "1"]
    assert text.splitlines()[-4] == "  B [b]  FAILED        0  \u2265 1  Score"
    assert text.endswith("1 of 2 measured gates passed.")


def test_a_value_close_to_its_limit_is_written_apart_from_it() -> None:
    assert at_least("g", "data", 0.79996, 0.8, "Share").message == "Share: 0.79996, needs >= 0.8."


def test_gates_are_shown_in_the_words_of_the_pages() -> None:
    gates = [at_least("success_roc_auc", "training", 0.8533, 0.82, "Success"), at_most("no_leakage", "data", 0, 0, "Signs")]
    assert frame(gates).to_numpy().tolist() == [
        ["data", "No leakage", "passed", "0", "\u2264 0", "Signs"],
        ["training", "Success ROC-AUC", "passed", "0.853", "\u2265 0.82", "Success"],
    ]


def test_the_table_has_the_words_of_the_pages_and_the_key() -> None:
    gates = [at_least("success_roc_auc", "training", 0.8533, 0.82, "Success"), not_measured("drift", "monitoring", "Later.")]
    words, line = frame(gates).iloc[0], table(gates).splitlines()[1]
    assert [part.strip() for part in line.split("  ") if part] == [f"{words['gate']} [success_roc_auc]", *words.iloc[2:]]
    assert "Drift [drift]" in table(gates)


def test_failed_gates_are_named_in_words() -> None:
    gates = [at_least("success_roc_auc", "training", 0.8, 0.82, "ROC-AUC"), at_most("no_leakage", "data", 0, 0, "Signs")]
    assert failures(gates).startswith("**Success ROC-AUC** failed. ROC-AUC: 0.8, needs >= 0.82. More rows")
