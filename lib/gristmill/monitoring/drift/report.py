"""The verdict on a window: which columns drifted, whether that is an alarm, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gristmill.monitoring.drift.findings import Finding, Measures

FORMAT = 1


@dataclass(frozen=True)
class FeatureDrift:
    """One column, or the predictions of one class.

    Attributes
    ----------
    name, kind
        Of the column; ``prediction`` is the kind of the model's answers.
    importance
        Its share of the model's importance, None where it is not known.
    measures
        Distances: ``psi``, ``psi_corrected``, ``kl``, ``jensen_shannon``, ``chi_square``, of numbers also ``ks``, ``wasserstein``
        and moments, and the shares missing, outside or new.
    findings
        What was tested, with effect, p-value and p-value adjusted for all tests of the window.
    drifted
        Whether a finding is neither small nor chance.
    verdict
        The same in words.
    """

    name: str
    kind: str
    importance: float | None
    measures: Measures
    findings: tuple[Finding, ...]
    drifted: bool
    verdict: str

    @property
    def strongest(self) -> Finding | None:
        """The finding that speaks most for drift: the largest effect in units of its floor among the least likely to be chance."""
        return max(self.findings, key=lambda one: (one.adjusted <= 0.05, one.effect / max(one.floor, 1e-9)), default=None)

    def to_record(self) -> dict[str, Any]:
        """Return the column as JSON-able data: its strongest finding at the top, all of them below."""
        top = self.strongest
        return {
            "name": self.name,
            "kind": self.kind,
            "importance": self.importance,
            "drifted": self.drifted,
            "verdict": self.verdict,
            "statistic": None if top is None else top.test,
            "effect": None if top is None else top.effect,
            "p_value": None if top is None else top.p_value,
            "adjusted": None if top is None else top.adjusted,
            "measures": dict(self.measures),
            "findings": [one.to_record() for one in self.findings],
        }


@dataclass(frozen=True)
class DriftReport:
    """A window beside the training rows.

    Attributes
    ----------
    rows_reference, rows_window
        Rows of both.
    features
        The columns, those that drifted first, by importance.
    predictions
        The model's answers, by class.
    alarm
        Whether somebody should look.
    why
        The reasons, in words; of no alarm as well.
    judged
        False where the window has too few rows for a verdict.
    multivariate
        What a classifier can tell of the rows as a whole (see :mod:`gristmill.monitoring.drift.domain`), None where none was asked.
    """

    rows_reference: int
    rows_window: int
    features: tuple[FeatureDrift, ...]
    predictions: tuple[FeatureDrift, ...]
    alarm: bool
    why: tuple[str, ...]
    judged: bool = True
    multivariate: Mapping[str, Any] | None = field(default=None)

    @property
    def drifted(self) -> tuple[str, ...]:
        """Names of the columns that drifted."""
        return tuple(one.name for one in self.features if one.drifted)

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        head = "Alarm" if self.alarm else "No alarm"
        return f"{head}: {'; '.join(self.why)}."

    def to_record(self) -> dict[str, Any]:
        """Return the report as JSON-able data."""
        return {
            "format": FORMAT,
            "rows": {"reference": self.rows_reference, "window": self.rows_window},
            "judged": self.judged,
            "alarm": self.alarm,
            "why": list(self.why),
            "drifted": list(self.drifted),
            "features": [one.to_record() for one in self.features],
            "predictions": [one.to_record() for one in self.predictions],
            "multivariate": None if self.multivariate is None else dict(self.multivariate),
        }
