"""Gates, lineage, cost and energy on the card."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.card_evidence import gate

from gristmill.evaluation.card import making
from gristmill.evaluation.card.evidence import Evidence, Judged


def test_gates_stand_with_the_failed_ones_first(evidence: Evidence) -> None:
    found = [gate("c", None, "Later."), gate("a", True), gate("b", False, "Share of <b>: 0.05, needs >= 0.1.")]
    said = making.gates(replace(evidence, judged=Judged(found)))
    assert said.startswith("1 of 2 measured gates passed; 1 was not measured.")
    rows = [line for line in said.splitlines() if line.startswith("| ")][1:]
    assert [row.split(" | ")[2] for row in rows] == ["**FAILED**", "passed", "not measured"]
    assert rows[0] == "| B | training | **FAILED** | 0.5 | \u2265 0.1 | Share of \\<b> |"


def test_before_the_gates_have_judged_the_card_says_who_will(evidence: Evidence) -> None:
    assert making.gates(replace(evidence, judged=None)).startswith("No evidence yet: `11_register`")


def test_the_lineage_names_data_split_code_environment_and_candidate(evidence: Evidence) -> None:
    said = making.lineage(evidence)
    for line in ("| Data | `aaaa", "| Split | `8503f62631f0` |", "| Code | `abc` |", "| Uncommitted changes of the code | no |",
                 "| Environment (digest of its lock) | `cccc", "| Candidate | `ffff", "| Features | 2 from 2 columns"):  # fmt: skip
        assert line in said


def test_searches_are_counted_with_what_selection_spent_on_top(evidence: Evidence) -> None:
    assert "| linear | 1.5 | 2 |" in making.cost(evidence)
    without = making.cost(replace(evidence, selection=None))
    assert "| linear | 1.0 | 1 |" in without
    assert "neural" not in without


def test_stages_are_listed_and_summed(evidence: Evidence) -> None:
    said = making.cost(evidence)
    assert "| `05_train_linear` | 20 | 16 |" in said
    assert "| **sum of all** (stages run side by side) | **23** | **18** |" in said


def costs(*parts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {f"0{place}_stage": part for place, part in enumerate(parts)}


def test_measured_energy_is_called_measured() -> None:
    said = making.energy(costs({"joules": 1800.0, "cpu_seconds": 1.0}, {"joules": 1800.0}))
    assert said.startswith("**Energy: 1.000 Wh, measured** by the processor's own counter (RAPL)")


def test_energy_that_was_measured_in_part_only_is_estimated_from_cpu_time() -> None:
    said = making.energy(costs({"joules": 1800.0, "cpu_seconds": 100.0}, {"joules": None, "cpu_seconds": 200.0}))
    assert said.startswith("**Energy: about 1.000 Wh, an estimate**")
    assert "300 CPU seconds at an assumed 12 W for a busy core" in said


def test_stages_without_cpu_time_are_named_as_left_out() -> None:
    assert "1 stage without a record of CPU time are not in it." in making.energy(costs({"cpu_seconds": 3.0}, {"seconds": 9.0}))


@pytest.mark.parametrize("found", [{}, costs({"seconds": 3.0, "joules": None, "cpu_seconds": None})])
def test_energy_of_which_nothing_is_known_is_not_made_up(found: dict[str, Any]) -> None:
    assert making.energy(found) == "**Energy: not known.** This machine does not tell it, and no CPU time was recorded."


def test_large_energies_are_told_in_kilowatt_hours() -> None:
    assert "7.200 kWh, measured" in making.energy(costs({"joules": 7.2 * 3.6e6}))
