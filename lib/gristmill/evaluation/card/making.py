"""How the model came to be: what the gates say, from which data and code it comes, and what it took."""

from collections.abc import Iterator, Mapping
from typing import Any

from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.purpose import training_size
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, code, escape_text, number, plural, table
from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.wording import UNKNOWN, count, figure, metric_label

VERDICTS = {True: "passed", False: "**FAILED**", None: "not measured"}

LINEAGE = {
    "code_version": "Code",
    "code_dirty": "Uncommitted changes of the code",
    "lock_digest": "Environment (digest of its lock)",
}
ANSWERS = {"true": "yes", "false": "no"}

WATTS_A_CORE = 12.0
"""Power of a busy core where none was measured: that of an unknown processor in Lannelongue et al. (2021, "Green Algorithms")."""

JOULES_A_WATT_HOUR = 3600.0


def gates(evidence: Evidence) -> str:
    """Return the verdict of every gate, the failed ones first, those that were not measured last."""
    judged = evidence.judged
    if judged is None:
        return f"{NO_EVIDENCE} yet: `11_register` judges the gates after this was written, and puts them on the card it registers."
    order = {False: 0, True: 1, None: 2}
    lines = []
    for gate in sorted(judged.gates, key=lambda one: order[one["passed"]]):
        words = gate_words(gate)
        known = [words["value"], words["limit"]] if gate["passed"] is not None else [UNKNOWN, UNKNOWN]
        lines.append(
            [
                escape_text(words["name"]),
                gate["group"],
                VERDICTS[gate["passed"]],
                *map(escape_text, known),
                escape_text(words["note"]),
            ]
        )
    passed, failed = (sum(gate["passed"] is verdict for gate in judged.gates) for verdict in (True, False))
    unknown = len(judged.gates) - passed - failed
    rest = f"{count(unknown)} {'was' if unknown == 1 else 'were'} not measured"
    said = f"{count(passed)} of {plural(passed + failed, 'measured gate')} passed; {rest}."
    return blocks(said, table(("gate", "group", "verdict", "value", "limit", "what was compared"), lines))


def lineage(evidence: Evidence) -> str:
    """Return the versions of data, code and environment, and the digest of what was evaluated."""
    snapshot = evidence.snapshot
    rows = [("Data", code(snapshot["digest"]) if snapshot else f"{NO_EVIDENCE}: `01_ingest` did not run.")]
    rows += [("Split", code(evidence.split["line"]))] if evidence.split and evidence.split.get("line") else []
    rows += [(LINEAGE.get(name, metric_label(name)), ANSWERS.get(value) or code(value)) for name, value in _own(evidence.lineage)]
    if not evidence.lineage:
        rows.append(("Code and environment", f"{NO_EVIDENCE}: their versions were not recorded."))
    rows.append(("Features", training_size(evidence) if evidence.catalogue else f"{NO_EVIDENCE}: `04_build_features` did not run."))
    rows.append(("Candidate", code(evidence.digest)))
    return table(("what", "version"), rows)


def _own(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what the lineage tells beside the data."""
    return [(name, value) for name, value in found.items() if name != "data_digest"]


def cost(evidence: Evidence) -> str:
    """Return what each stage and each family's search took, and the energy, measured or estimated."""
    families, stages = list(_families(evidence)), list(_stages(evidence.costs))
    if not families and not stages:
        return f"{NO_EVIDENCE}: neither trials nor stages left their times."
    return blocks(
        table(("search of a family", "seconds in trials", "trials"), families),
        table(("stage", "seconds", "CPU seconds"), stages),
        energy(evidence.costs),
    )


def _families(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Give each family that was searched with the seconds of its trials."""
    later = (evidence.selection or {}).get("searches") or {}
    for family, first in evidence.searches.items():
        search = later.get(family) or first  # what selection spent on top holds the earlier trials as well
        trials = search.get("trials") or []
        if first.get("enabled") and trials:
            spent = sum(number(trial.get("seconds")) for trial in trials if number(trial.get("seconds")) >= 0)
            yield escape_text(family), figure(float(spent), 1), count(len(trials))


def _stages(costs: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Give each stage with its time, and the sum over all."""
    times = {stage: [number(cost_of.get(key)) for key in ("seconds", "cpu_seconds")] for stage, cost_of in costs.items()}
    for stage, (seconds, cpu_seconds) in times.items():
        yield code(stage), figure(seconds, 1), figure(cpu_seconds, 1)
    if times:
        seconds, cpu_seconds = (sum(column) for column in zip(*times.values(), strict=True))
        yield "**sum of all** (stages run side by side)", f"**{figure(seconds, 1)}**", f"**{figure(cpu_seconds, 1)}**"


def energy(costs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the energy of the build in words: measured where the processor tells, else estimated from CPU time, else unknown.

    Parameters
    ----------
    costs
        Stage -> ``cpu_seconds`` and ``joules``, either of them None or absent where it is not known.
    """
    joules, seconds = ([number(one.get(key)) for one in costs.values()] for key in ("joules", "cpu_seconds"))
    if joules and all(one >= 0 for one in joules):
        return (
            f"**Energy: {_watt_hours(sum(joules))}, measured** by the processor's own counter (RAPL), shared out by CPU time "
            "among all that ran; memory, disks and cooling are not in it."
        )
    known = [one for one in seconds if one >= 0]
    if not known:
        return "**Energy: not known.** This machine does not tell it, and no CPU time was recorded."
    missing = len(seconds) - len(known)
    left = f" {plural(missing, 'stage')} without a record of CPU time are not in it." if missing else ""
    return (
        f"**Energy: about {_watt_hours(sum(known) * WATTS_A_CORE)}, an estimate**: this machine does not tell it. "
        f"{figure(sum(known), 1)} CPU seconds at an assumed {WATTS_A_CORE:g} W for a busy core, that of Lannelongue et al. (2021) "
        f"for an unknown processor; memory, disks and cooling are not in it.{left}"
    )


def _watt_hours(joules: float) -> str:
    """Return an energy as a reader would write it."""
    hours = joules / JOULES_A_WATT_HOUR
    return f"{figure(hours / 1000)} kWh" if hours >= 1000 else f"{figure(hours)} Wh"
