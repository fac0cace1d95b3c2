"""Searches kept by MLflow: a run for every trial under that of its family, the machine's load, and the plan that repeats them."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gristmill.errors import RegistryError
from gristmill.paths import project_root
from gristmill.tracking import NAME_TAG, PARENT_TAG, Run, as_metrics, as_params, connect, log_batches, log_file, tracking_uri

PLAN = "training_plan.json"
"""Artifact of a build's run that says what its model came out of."""

CHOSEN = "chosen"
"""Key of that plan, beside those of the families, which holds the name and the weights of the chosen candidate."""

ENDS = {"finished": "FINISHED", "pruned": "KILLED", "stopped": "KILLED"}
"""Status of a trial -> MLflow's status of its run; any other is a failure."""


def log_search(family: Run, found: Mapping[str, Any], metric: str, load: Sequence[Mapping[str, float]] = ()) -> list[str]:
    """Log a search to its family's run, each trial as a run nested under it, and return the trials' run ids in their order.

    Parameters
    ----------
    family
        The run of the family.
    found
        As in ``trials_<family>.json``.
    metric
        Name of the metric that decides.
    load
        Samples of the machine's load: ``timestamp`` in seconds since 1970, and metrics whose names begin with ``system/``.
    """
    best = found.get("best") or {}
    metrics = [*as_metrics({metric: best.get("score"), f"{metric}_std": best.get("std"), "row_ms": best.get("row_ms")})]
    metrics += _curves(best)
    metrics += as_metrics({"trials": len(found["trials"]), "search_seconds": sum(one["seconds"] for one in found["trials"])})
    for step, sample in enumerate(load):
        named = {name: value for name, value in sample.items() if name != "timestamp"}
        metrics += as_metrics(named, step, at=sample["timestamp"])
    log_batches(family, metrics=metrics)
    return log_trials(family, found["trials"], metric, str(found.get("family", "")), best.get("number"))


def log_trials(
    family: Run, trials: Sequence[Mapping[str, Any]], metric: str = "score", name: str = "", best: int | None = None
) -> list[str]:
    """Log each trial of a search as a run nested under its family's, and return their ids in the trials' order.

    Parameters
    ----------
    family
        The run of the family.
    trials
        As in ``trials_<family>.json``: ``number``, ``params``, ``fold_scores``, ``score``, ``std``, ``seconds``, ``status``, and
        where known ``origin``, ``started``, ``peak_mb``, ``curve``, ``train_curve``, ``error``.
    metric
        What the scores are.
    name
        Name of the family.
    best
        Number of the trial that won.
    """
    return [_log_trial(family, trial, metric, name, best) for trial in trials]


def log_more_trials(build: Run, searches: Mapping[str, Mapping[str, Any]], metric: str) -> None:
    """Log the trials that a search was continued with under its family's run, those that are not there yet.

    Parameters
    ----------
    build
        A run of the same store.
    searches
        Family -> its search, continued, as ``trials_<family>.json`` has it.
    metric
        Name of the metric that decides.
    """
    for name, found in searches.items():
        run_id, best = found.get("mlflow_run_id"), found.get("best") or {}
        if not run_id:
            continue
        family = Run(build.client, run_id, build.experiment_id)
        known = {
            run.data.tags.get("trial")
            for run in build.client.search_runs([build.experiment_id], f"tags.`{PARENT_TAG}` = '{run_id}'", max_results=10_000)
        }
        new = [trial for trial in found["trials"] if str(trial["number"]) not in known]
        log_trials(family, new, metric, name, best.get("number"))
        log_batches(family, metrics=as_metrics({metric: best.get("score"), "trials": len(found["trials"])}))


def _log_trial(family: Run, trial: Mapping[str, Any], metric: str, name: str, best: int | None) -> str:
    """Log one trial: three short transactions, whatever it holds."""
    number, status = trial.get("number", 0), str(trial.get("status", "finished"))
    begin, seconds = trial.get("started"), trial.get("seconds") or 0.0
    start_time = None if begin is None else int(begin * 1000)
    end_time = None if start_time is None else start_time + max(1, int(seconds * 1000))
    run_name = f"{name} trial {number:02d}".strip() + (", best" if number == best else "")
    tags = {
        PARENT_TAG: family.run_id,
        NAME_TAG: run_name,
        "trial": str(number),
        "status": status,
        "origin": str(trial.get("origin", "")),
        "best": str(number == best).lower(),
    }
    if trial.get("error"):
        tags["mlflow.note.content"] = str(trial["error"])[:5000]
    info = family.client.create_run(family.experiment_id, start_time=start_time, tags=tags, run_name=run_name).info
    params = {**({"family": name} if name else {}), **(trial.get("params") or {})}
    log_batches(Run(family.client, info.run_id, family.experiment_id), list(_trial_metrics(trial, metric)), as_params(params))
    end = ENDS.get(status, "FAILED")
    family.client.set_terminated(info.run_id, status=end, end_time=end_time)
    return str(info.run_id)


def _trial_metrics(trial: Mapping[str, Any], metric: str) -> Iterator[Any]:
    """Give the figures of a trial in MLflow's form."""
    begin, seconds = trial.get("started"), trial.get("seconds") or 0.0
    end = None if begin is None else begin + seconds
    whole = {metric: trial.get("score"), f"{metric}_std": trial.get("std"), "seconds": seconds, "peak_mb": trial.get("peak_mb")}
    yield from as_metrics(whole, at=end)
    for fold, score in enumerate(trial.get("fold_scores") or ()):
        yield from as_metrics({f"fold_{metric}": score}, step=fold, at=end)
    yield from _curves(trial, end)


def _curves(trial: Mapping[str, Any], at: float | None = None) -> Iterator[Any]:
    """Give the losses of a trial by stage in MLflow's form."""
    for name, key in (("validation_loss", "curve"), ("training_loss", "train_curve")):
        for stage, loss in trial.get(key) or ():
            yield from as_metrics({name: loss}, step=stage, at=at)


def log_plan(run: Run, searches: Mapping[str, Mapping[str, Any]], chosen: Mapping[str, Any] | None = None) -> None:
    """Keep with a build's run what its model came out of, so that ``training.replay`` can repeat it.

    Parameters
    ----------
    run
        The run that the registered version refers to.
    searches
        Family -> its ``trials_<family>.json``.
    chosen
        ``name`` and ``weights`` of the candidate that was chosen; None where nothing was chosen yet.
    """
    plan = {family: found["plan"] for family, found in searches.items() if found.get("plan")}
    if chosen is not None:
        plan[CHOSEN] = dict(chosen)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PLAN
        path.write_text(json.dumps(plan, indent=1), encoding="utf-8")
        log_file(run, path)


def training_plan(name: str, version: int, root: Path | None = None) -> dict[str, Any]:
    """Return family -> realised plan of a registered version, and under :data:`CHOSEN` its chosen candidate.

    Parameters
    ----------
    name
        Name of the registered model: that of the case.
    version
        Number of the version.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    RegistryError
        There is no such version, or its run has no plan.
    """
    folder = project_root() if root is None else root
    client = connect(folder)
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    found = client.search_model_versions(f"name = '{name}' and version_number = {int(version)}")
    if not found:
        numbers = sorted(int(one.version) for one in client.search_model_versions(f"name = '{name}'"))
        known = ", ".join(map(str, numbers)) if numbers else "none yet"
        raise RegistryError(
            f"Expected `training.replay` to be a registered version of {name}, got {version}; there is {known}. Correct the number "
            "in the case file, or remove the key."
        )
    try:
        with tempfile.TemporaryDirectory() as place:
            uri = tracking_uri(folder)
            path = download_artifacts(run_id=found[0].run_id, artifact_path=PLAN, dst_path=place, tracking_uri=uri)
            plan: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (MlflowException, OSError, ValueError) as error:
        raise RegistryError(
            f"Version {version} of {name} was registered without a plan of its training ({PLAN}), or it cannot be read: {error}. "
            "Name another version in `training.replay`, or remove the key."
        ) from error
    return plan
