"""Which features a fitted model added to those it was given, and which it left out, with the reasons."""

from collections.abc import Iterator, Mapping
from typing import Any

from sklearn.pipeline import Pipeline

from gristmill.features.aggregates import GroupAggregates
from gristmill.features.proposals import Proposals
from gristmill.features.selecting import FeatureSelection

ADDED, LEFT_OUT = "added", "left out"
"""What may become of a feature."""


def choices(fitted: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Give what each fitted preparation did to the features: ``feature``, ``family``, ``choice`` and ``reason``.

    The choice is ``added`` or ``left out``.

    Parameters
    ----------
    fitted
        Family -> its fitted preparation.
    """
    for family, preparation in fitted.items():
        for step in (one for _, one in preparation.steps) if isinstance(preparation, Pipeline) else ():
            for name, choice, reason in _of_step(step):
                yield {"feature": name, "family": family, "choice": choice, "reason": reason}


def _of_step(step: Any) -> Iterator[tuple[str, str, str]]:
    """Give feature, choice and reason of one step."""
    if isinstance(step, GroupAggregates):
        yield from ((str(asked["name"]), ADDED, "`features.aggregations` asks for it") for asked in step.aggregations)
    elif isinstance(step, Proposals):
        for recipe in step.recipes_:
            yield recipe["name"], ADDED, f"it explains {recipe['gain']:.1%} of what the columns one by one leave"
    elif isinstance(step, FeatureSelection):
        yield from ((dropped["name"], LEFT_OUT, dropped["reason"]) for dropped in step.dropped_)
