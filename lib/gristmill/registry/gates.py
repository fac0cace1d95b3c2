"""Quality gates: what a model must show before it may go to production, in four groups (R32).

A gate compares one value with one limit. What a build cannot know yet is listed as not measured, and is neither passed nor failed.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from gristmill.data.products import read_json
from gristmill.errors import ArtifactError
from gristmill.paths import CasePaths
from gristmill.registry.remedies import remedy
from gristmill.reporting.gate_words import gate_words
from gristmill.reporting.wording import apart, metric_label

GROUPS = ("data", "training", "deployment", "monitoring")
VERDICTS = {True: "passed", False: "FAILED", None: "not measured"}


@dataclass(frozen=True)
class Gate:
    """One verdict.

    Attributes
    ----------
    name, group
        What was looked at; ``group`` is one of :data:`GROUPS`.
    passed
        The verdict; None if it was not measured.
    value, limit
        What was found, and what it was compared with.
    message
        The comparison in words; for a failed gate, what would have to change.
    incomparable
        Whether it failed only because there was nothing that the value could be compared with: a person may decide instead.
    """

    name: str
    group: str
    passed: bool | None
    value: float | None
    limit: float | None
    message: str
    incomparable: bool = False

    @property
    def failed(self) -> bool:
        """Whether it was measured and not passed."""
        return self.passed is False

    def as_metric(self) -> dict[str, Any]:
        """Return the gate as it stands in ``metrics.json``; ``incomparable`` stands there only where it is so."""
        return {key: value for key, value in asdict(self).items() if key != "message" and (key != "incomparable" or value)}


def at_least(name: str, group: str, value: float | None, limit: float, message: str) -> Gate:
    """Return the verdict on a value that must not be below its limit; one that could not be computed fails."""
    return _compared(name, group, value, limit, message, enough=value is not None and value >= limit, sign=">=")


def at_most(name: str, group: str, value: float | None, limit: float, message: str) -> Gate:
    """Return the verdict on a value that must not be above its limit; one that could not be computed fails."""
    return _compared(name, group, value, limit, message, enough=value is not None and value <= limit, sign="<=")


def _compared(name: str, group: str, value: float | None, limit: float, message: str, *, enough: bool, sign: str) -> Gate:
    """Return a verdict with the comparison in words."""
    if value is None or math.isnan(value):
        return Gate(name, group, passed=False, value=None, limit=limit, message=f"{message}: it could not be computed.")
    found, wanted = apart(float(value), float(limit))
    shown = f"{message}: {found}, {'needs' if not enough else 'limit'} {sign} {wanted}."
    return Gate(name, group, passed=enough, value=float(value), limit=float(limit), message=shown)


def refused(name: str, group: str, limit: float | None, reason: str) -> Gate:
    """Return a gate that fails because there is no value to compare with its limit, with the reason."""
    return Gate(name, group, passed=False, value=None, limit=limit, message=reason, incomparable=True)


def infinite(name: str, group: str, limit: float, message: str) -> Gate:
    """Return the verdict on a value that is infinite, and so beyond every limit; JSON has no number for it."""
    return Gate(name, group, passed=False, value=None, limit=float(limit), message=message)


def not_measured(name: str, group: str, reason: str) -> Gate:
    """Return a gate about which nothing is known, with the reason."""
    return Gate(name, group, passed=None, value=None, limit=None, message=reason)


def measured(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates that have a verdict."""
    return [gate for gate in gates if gate.passed is not None]


def all_passed(gates: Sequence[Gate]) -> bool:
    """Return whether every gate that was measured has passed."""
    return all(gate.passed for gate in measured(gates))


def read(paths: CasePaths) -> list[Gate]:
    """Return the gates of the last build of a case, those that were not measured at the end.

    Raises
    ------
    ArtifactError
        The case has not been built, or its record is damaged.
    """
    registration = paths.artifacts / "registration.json"
    if not registration.is_file():
        raise ArtifactError(
            f"The case {paths.name!r} has no gates yet. Build it first: `ploomber build --env--case {paths.name}`; existing cases: "
            f"{', '.join(paths.project.cases) or 'none'}."
        )
    content = read_json(registration)
    try:
        return [Gate(**gate) for key in ("gates", "gates_not_measured") for gate in content[key]]
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{registration} holds no gates ({error}). Delete it and build the case again.") from error


def frame(gates: Sequence[Gate]) -> pd.DataFrame:
    """Return the gates as a table to be shown: group, gate, verdict, value, limit, and what was compared."""
    rows = [(gate, gate_words(asdict(gate))) for gate in gates]
    return pd.DataFrame(
        [
            (gate.group, words["name"], VERDICTS[gate.passed], *(words[key] for key in ("value", "limit", "note")))
            for gate, words in rows
        ],
        columns=["group", "gate", "verdict", "value", "limit", "what was compared"],
    ).sort_values("group", key=lambda names: names.map(GROUPS.index), kind="stable")


def failures(gates: Sequence[Gate]) -> str:
    """Return in Markdown which gates failed, why, and what would have to change; nothing if none did."""
    told = [f"**{metric_label(gate.name)}** failed. {gate.message} {remedy(gate.name)}" for gate in gates if gate.failed]
    return "\n\n" + "\n".join(f"- {one}" for one in told) if len(told) > 1 else "".join(told)


def table(gates: Sequence[Gate]) -> str:
    """Return the gates as text, group by group, in the words of the report, and what would have to change for those that failed.

    The key of ``metrics.json`` stands in brackets.
    """
    rows = [(gate, gate_words(asdict(gate))) for gate in gates]
    texts = [
        (f"{words['name']} [{gate.name}]", VERDICTS[gate.passed], words["value"], words["limit"], words["note"])
        for gate, words in rows
    ]
    widths = [max((len(text[place]) for text in texts), default=0) for place in range(4)]
    lines = []
    for group in dict.fromkeys([*GROUPS, *(gate.group for gate in gates)]):
        some = [text for gate, text in zip(gates, texts, strict=True) if gate.group == group]
        lines += [group, *(_line(text, widths) for text in some)] if some else []
    wanted = [f"  {words['name']}: {remedy(gate.name)}" for gate, words in rows if gate.failed]
    lines += ["what would have to change", *wanted] if wanted else []
    lines.append(f"{len(measured(gates)) - len(wanted)} of {len(measured(gates))} measured gates passed.")
    return "\n".join(lines)


def _line(texts: tuple[str, ...], widths: Sequence[int]) -> str:
    """Return one gate as a line: its name, verdict, value, limit, and what was compared."""
    return "  " + "  ".join([*(f"{text:<{width}}" for text, width in zip(texts, widths, strict=False)), texts[-1]]).rstrip()
