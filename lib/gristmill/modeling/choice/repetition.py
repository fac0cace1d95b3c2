"""The choice of a registered version, made again where `training.replay` asks for it.

The time of a row decides with, and no stopwatch shows the same twice: what is to be repeated is looked up, not chosen again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gristmill.modeling.choice.candidates import Candidate, Choice
from gristmill.tracking_trials import CHOSEN, training_plan


@dataclass(frozen=True)
class ChosenBefore:
    """What a registered version was made of; nothing where none is repeated.

    Attributes
    ----------
    version
        Its number.
    name
        Name of the candidate.
    weights
        Member -> its share.
    """

    version: int | None = None
    name: str = ""
    weights: Mapping[str, float] = field(default_factory=dict)

    def among(self, candidates: Sequence[Candidate]) -> Choice | None:
        """Return the choice of the same one of ``candidates``; None if nothing is repeated, or it is not among them."""
        for one in candidates:
            if one.name == self.name and _same(one.weights, self.weights):
                return Choice(one, f"Version {self.version}, which `training.replay` repeats, was made of it.")
        return None


def chosen_before(case: Any, root: Path | None = None) -> ChosenBefore:
    """Return what the version was made of that a case asks to repeat.

    Parameters
    ----------
    case
        The case; ``name`` and ``training.replay`` are read.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    RegistryError
        The version does not exist, or its plan cannot be read.
    """
    version = case.training.replay
    if version is None:
        return ChosenBefore()
    kept = training_plan(case.name, version, root).get(CHOSEN)
    return ChosenBefore(version) if kept is None else ChosenBefore(version, kept["name"], kept["weights"])


def _same(some: Mapping[str, float], others: Mapping[str, float]) -> bool:
    """Return whether the same members have the same shares."""
    return some.keys() == others.keys() and all(np.isclose(some[name], others[name]) for name in some)
