"""What a search came down to, kept with the model, and the same again from it.

A budget in seconds cannot repeat itself, but its outcome can: the configuration that won, with its seed, its number of stages and
the rows it learnt from, is all that the model depends on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gristmill.errors import DataError
from gristmill.modeling.search.running import Ask, Runner
from gristmill.modeling.search.trial import Search
from gristmill.tracking_trials import training_plan

SAME = {
    "rows": "the same rows, features and folds",
    "plan": "the same plan of features",
    "metric": "the same `evaluation.primary_metric`",
    "seed": "the same `training.random_state`",
}
"""What must be as it was for the model to come out as it was, with the words for it."""


def plan_of(result: Search, key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the realised plan of a search, JSON-able.

    Parameters
    ----------
    result
        The search, ended.
    key
        What makes its trials comparable; see :func:`gristmill.modeling.search.comparable.comparable`.
    """
    kept = ("number", "origin", "status", "proposed", "params", "score")
    return {
        "comparable": dict(key),
        "most_rows": result.plan.get("most_rows"),
        "trials": [{name: getattr(trial, name) for name in kept} for trial in result.trials],
        "best": None if result.best is None else result.best.number,
        "runners_up": [trial.number for trial, _, _ in result.runners_up],
        "replays": result.plan.get("replays"),
        "exhausted": result.exhausted,
    }


def replayed(family: str, case: Any, key: Mapping[str, Any], runner: Runner, root: Path | None = None) -> Search:
    """Return the search that a registered version's plan describes, with the configurations handed on from it trained again.

    Parameters
    ----------
    family
        Name of the family.
    case
        The case; ``name`` and ``training.replay`` are read.
    key
        What makes trials comparable, now.
    runner
        What runs the trial.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    RegistryError
        There is no such version, or it has no plan.
    DataError
        The version was trained on other rows or with other settings.
    """
    number = case.training.replay
    plan = training_plan(case.name, number, root).get(family)
    if plan is None or plan["best"] is None:
        return Search(family, enabled=False, plan={"replays": number})
    _require_same(case.name, number, plan["comparable"], key)
    trials = {trial["number"]: trial for trial in plan["trials"]}
    runner.limit_rows(plan["most_rows"])
    result = Search(family, plan={"most_rows": plan["most_rows"], "replays": number})
    for place in (plan["best"], *plan.get("runners_up", ())):
        held = frozenset(trial.number for trial in result.trials)
        asked = Ask(place, trials[place]["origin"], trials[place]["proposed"], held=held)
        trial, predictions = runner.run(asked)
        if result.add(case.primary_metric, trial):
            result.oof = predictions
        elif predictions is not None:
            result.runners_up.append((trial, predictions, runner.row_ms(trial)))
    return result


def _require_same(name: str, number: int, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to repeat a version on other grounds.

    Raises
    ------
    DataError
        Something differs on which the model depends.
    """
    moved = [words for part, words in SAME.items() if then.get(part) != now.get(part)]
    if moved:
        raise DataError(
            f"Expected {', '.join(moved)} as version {number} of {name} was trained with, but they have changed since. Bring them "
            f"back (`gristmill lineage {name}` names the data, `gristmill data restore {name} DIGEST` restores it), or remove "
            "`training.replay` from the case file."
        )
