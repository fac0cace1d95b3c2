"""What a person has to know of a model whose threshold differs by group."""

from gristmill.modeling.mitigation.group_thresholds import GroupThresholds
from gristmill.reporting.wording import figure

MOST_NAMED = 8
"""Groups that are named; of more, those with the lowest and the highest threshold."""


def thresholds_words(found: GroupThresholds | None) -> str:
    """Return by what groups decide, and what has become of their probabilities; empty for a model with one threshold for all."""
    if found is None:
        return ""
    columns = " and ".join(found.grouping.names)
    return (
        f"Thresholds differ by group ({columns}): {_named(found)}, {_figure(found.others)} for all others. Probabilities are moved "
        f"so that one threshold, {figure(found.common)}, decides for all as the threshold of a row's group would: those of "
        "different groups are not to be compared as chances."
    )


def _named(found: GroupThresholds) -> str:
    """Return groups with their thresholds, the lowest first."""
    ordered = sorted(found.by_group.items(), key=lambda one: (one[1], one[0]))
    if len(ordered) > MOST_NAMED:
        (low, first), (high, last) = ordered[0], ordered[-1]
        return f"{len(ordered)} groups from {_figure(first)} for {low} to {_figure(last)} for {high}"
    return ", ".join(f"{_figure(threshold)} for {name}" for name, threshold in ordered) or "no group has its own yet"


def _figure(threshold: float) -> str:
    """Return a threshold; one above 1 is reached by nobody."""
    return figure(threshold) if threshold <= 1 else "none"
