"""What is tested of one column: its distribution, what is missing, what lies outside, which levels are new."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gristmill.config.sections.drift import Drift
from gristmill.modeling.artifact.column_counts import Ints, LevelCounts, NumberCounts
from gristmill.monitoring.drift import statistics
from gristmill.monitoring.drift.reference import ColumnReference, LevelReference, NumberReference
from gristmill.monitoring.drift.window import Counts

Measures = Mapping[str, float | None]


@dataclass(frozen=True)
class Finding:
    """One test of one column.

    Attributes
    ----------
    test
        ``distribution``, ``shape``, ``missing``, ``outside`` or ``new levels``.
    effect
        How large the difference is: PSI less its bias, Kolmogorov-Smirnov distance, or a difference of shares.
    floor
        Effects below are not worth telling.
    p_value
        Chance of such a difference between samples of one distribution.
    adjusted
        The same, for as many tests as were made in the window.
    words
        The difference in a sentence's part.
    """

    test: str
    effect: float
    floor: float
    p_value: float
    words: str
    adjusted: float = 1.0

    def drifted(self, significance: float) -> bool:
        """Return whether the difference is neither small nor chance."""
        return self.effect >= self.floor and self.adjusted <= significance

    def to_record(self) -> dict[str, Any]:
        """Return the finding as JSON-able data."""
        return {name: getattr(self, name) for name in ("test", "effect", "floor", "p_value", "adjusted", "words")}


def examine(reference: ColumnReference, window: Counts, limits: Drift) -> tuple[Measures, list[Finding]]:
    """Return the distances of a column from its reference, and what was tested of it."""
    before, after = (reference.counts.missing, reference.counts.rows), (window.missing, window.rows)
    if isinstance(reference, LevelReference) and isinstance(window, LevelCounts):
        measures, found = _levels(reference, window, limits)
    elif isinstance(reference, NumberReference) and isinstance(window, NumberCounts):
        measures, found = _numbers(reference, window, limits)
    else:
        raise TypeError(f"the window's counts of {reference.name!r} are of another kind")
    was, now = (had / max(rows, 1) for had, rows in (before, after))
    chance = statistics.shares_differ(before, after)
    words = f"missing in {_percent(now)} of the rows, was {_percent(was)}"
    gap = Finding("missing", abs(now - was), limits.missing, chance, words)
    return {**measures, "missing_reference": was, "missing_window": now}, [*found, gap]


def _numbers(reference: NumberReference, window: NumberCounts, limits: Drift) -> tuple[dict[str, float | None], list[Finding]]:
    """Return distances and tests of a number."""
    counts = reference.counts
    measures, found = _distances(reference.binned(counts), reference.binned(window), limits, ordered=True)
    distance, chance = statistics.kolmogorov_smirnov(counts.counts, window.counts)
    moved = f"its mean is {_number(window.mean)}, was {_number(counts.mean)}" if counts.mean is not None else "its values moved"
    found = [_said(one, moved) for one in found]
    found.append(Finding("shape", distance, limits.ks, chance, moved))
    share = window.outside / max(window.present, 1)
    if reference.limits is not None:
        low, high = reference.limits
        words = f"{_percent(share)} of the values lie outside {_number(low)} to {_number(high)}, where all training values lie"
        chance = statistics.beyond(counts.present, window.present, window.outside)
        found.append(Finding("outside", share, limits.outside, chance, words))
    more: dict[str, float | None] = {
        "ks": distance,
        "wasserstein": statistics.wasserstein(counts, window),
        "mean_reference": counts.mean,
        "mean_window": window.mean,
        "std_reference": counts.spread,
        "std_window": window.spread,
        "outside": share,
    }
    return {**measures, **more}, found


def _levels(reference: LevelReference, window: LevelCounts, limits: Drift) -> tuple[dict[str, float | None], list[Finding]]:
    """Return distances and tests of levels."""
    counts = reference.counts
    measures, found = _distances(counts.cells, window.cells, limits, ordered=False)
    found = [_said(one, _most_moved(counts, window)) for one in found]
    expected = (reference.singletons, counts.present)
    share, usual = window.new_rows / max(window.present, 1), expected[0] / max(expected[1], 1)
    if reference.rare is not None:
        chance = statistics.shares_differ(expected, (window.new_rows, window.present)) if share > usual else 1.0
        named = ", ".join(repr(level) for level in list(window.new)[:3])
        words = f"{_percent(share)} of the values are levels that no training row has" + (f", such as {named}" if named else "")
        found.append(Finding("new levels", share - usual, limits.new_levels, chance, words))
    return {**measures, "new_levels": share if reference.rare is not None else None}, found


def _distances(reference: Ints, window: Ints, limits: Drift, *, ordered: bool) -> tuple[dict[str, float | None], list[Finding]]:
    """Return the distances between two distributions of counts, and the test whether they are the same."""
    if not reference.sum() or not window.sum():
        return dict.fromkeys(("psi", "psi_corrected", "kl", "jensen_shannon", "chi_square"), None), []
    old, new = statistics.pooled(reference, window, ordered=ordered)
    statistic, chance = statistics.chi_square(old, new)
    was, now = statistics.shares(old), statistics.shares(new)
    psi = statistics.psi(was, now)
    corrected = max(0.0, psi - statistics.psi_bias(len(old), int(old.sum()), int(new.sum())))
    measures: dict[str, float | None] = {
        "psi": psi,
        "psi_corrected": corrected,
        "kl": statistics.kl_divergence(now, was),
        "jensen_shannon": statistics.jensen_shannon(reference / reference.sum(), window / window.sum()),
        "chi_square": statistic,
    }
    return measures, [Finding("distribution", corrected, limits.psi, chance, "")]


def _said(finding: Finding, words: str) -> Finding:
    """Return a finding with its words."""
    return Finding(finding.test, finding.effect, finding.floor, finding.p_value, words, finding.adjusted)


def _most_moved(reference: LevelCounts, window: LevelCounts) -> str:
    """Say which level's share changed most."""
    was, now = reference.cells / max(reference.present, 1), window.cells / max(window.present, 1)
    place = int(abs(now - was).argmax())
    name = repr(reference.levels[place]) if place < len(reference.levels) else "all other levels together"
    return f"{name} has {_percent(now[place])} of the values, was {_percent(was[place])}"


def _percent(share: float) -> str:
    """Return a share in percent, small ones with the digits they need."""
    return f"{100 * share:.3g} %"


def _number(value: float | None) -> str:
    """Return a number with the digits a reader needs."""
    return "unknown" if value is None else f"{value:.4g}"
