"""The names by which a case file chooses a point of the frontier between quality and disparity."""

NONE = "none"

REWEIGHING, BALANCING, THRESHOLDS, GRADIENT = "reweighing", "balancing", "thresholds", "gradient"
"""The first word of a name: how the model is made to treat groups more alike."""

SELECTION, OPPORTUNITY = "selection", "opportunity"
"""What groups are brought closer in: their selection rates, or their true-positive rates."""

WEIGHTED = (f"{REWEIGHING} 0.5", f"{REWEIGHING} 1", f"{BALANCING} 1")
DECIDED = (*(f"{THRESHOLDS} {rate} {strength}" for rate in (SELECTION, OPPORTUNITY) for strength in ("0.5", "1")),)
REDUCED = (f"{GRADIENT} {SELECTION}", f"{GRADIENT} {OPPORTUNITY}")


def mitigations(task: str) -> tuple[str, ...]:
    """Return the names that a case of a task may give as ``fairness.mitigation``, ``none`` first."""
    return (NONE, *WEIGHTED, *DECIDED, *REDUCED) if task == "binary" else (NONE, *WEIGHTED)
