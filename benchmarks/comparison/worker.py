"""Train one of the other systems on a task and answer its test rows: ``python worker.py SYSTEM FOLDER``.

It is run by the Python of the environment of ``quality-requirements.txt``, which has no Gristmill. The folder holds the files
that :mod:`comparison.tables` writes; what comes out is ``answers.parquet`` and then ``facts.json``.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd

Job = dict[str, Any]
Answer = Callable[[pd.DataFrame], pd.DataFrame]
Fit = Callable[[pd.DataFrame, pd.Series, Job, Path], Answer]

CORES = 2
REPEATS = 3
MOST_LEVELS = 254
"""Categories that histogram gradient boosting takes, less one for those it has not seen."""


def boosting(X: pd.DataFrame, y: pd.Series, job: Job, _folder: Path) -> Answer:
    """Fit scikit-learn's histogram gradient boosting with its defaults; columns of text are categories, as it asks for."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # noqa: PLC0415

    text = [name for name in X.columns if X[name].dtype == object]
    levels = {name: X[name].value_counts().index[:MOST_LEVELS] for name in text}

    def typed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{name: pd.Categorical(frame[name], categories=known) for name, known in levels.items()})

    kind = HistGradientBoostingRegressor if job["task"] == "regression" else HistGradientBoostingClassifier
    model = kind(random_state=job["seed"]).fit(typed(X), y)
    return lambda frame: _answer(model, typed(frame), job)


def flaml(X: pd.DataFrame, y: pd.Series, job: Job, _folder: Path) -> Answer:
    """Fit FLAML's search with its defaults, for the time there is and the metric that decides."""
    from flaml import AutoML  # noqa: PLC0415

    model = AutoML()
    kind = "regression" if job["task"] == "regression" else "classification"
    model.fit(
        X, y, task=kind, metric=job["metric"], time_budget=job["seconds"], n_jobs=CORES, seed=job["seed"], verbose=0
    )  # fmt: skip
    if model.model is None:
        raise RuntimeError("FLAML found no model in the time there was")
    return lambda frame: _answer(model, frame, job)


WITHOUT_RAY = {"ag_args_ensemble": {"fold_fitting_strategy": "sequential_local"}, "dynamic_stacking": False}
"""Settings by which AutoGluon starts no cluster: folds in turn, no trial of stacking, which fails without one if time is short."""


def autogluon(presets: str, **settings: Any) -> Fit:
    """Return the fit of AutoGluon with one of its presets; its models lie in the task's folder, which goes with it."""

    def fit(X: pd.DataFrame, y: pd.Series, job: Job, folder: Path) -> Answer:
        from autogluon.tabular import TabularPredictor  # noqa: PLC0415

        metric = {"rmse": "root_mean_squared_error"}.get(job["metric"], job["metric"])
        model = TabularPredictor(
            label=job["target"], problem_type=job["task"], eval_metric=metric, path=str(folder / "models"), verbosity=2
        )
        train = X.assign(**{job["target"]: y})
        model.fit(train, presets=presets, time_limit=job["seconds"], num_cpus=CORES, num_gpus=0, **settings)
        if job["task"] == "regression":
            return lambda frame: pd.DataFrame({"prediction": model.predict(frame)})
        return lambda frame: model.predict_proba(frame, as_multiclass=True)

    return fit


def _answer(model: Any, frame: pd.DataFrame, job: Job) -> pd.DataFrame:
    """Return what an estimator of scikit-learn's kind answers."""
    if job["task"] == "regression":
        return pd.DataFrame({"prediction": model.predict(frame)})
    return pd.DataFrame(model.predict_proba(frame), columns=[str(name) for name in model.classes_])


_AUTOGLUON = ("autogluon.tabular", "lightgbm", "xgboost-cpu", "catboost", "torch", "ray")

SYSTEMS: dict[str, tuple[Fit, tuple[str, ...]]] = {
    "hist_gradient_boosting": (boosting, ("scikit-learn",)),
    "flaml": (flaml, ("flaml", "lightgbm", "xgboost-cpu", "catboost", "scikit-learn")),
    "autogluon_medium": (autogluon("medium_quality"), _AUTOGLUON),
    "autogluon_best": (autogluon("best_quality"), _AUTOGLUON),
    "autogluon_best_serial": (autogluon("best_quality", **WITHOUT_RAY), _AUTOGLUON),
}
"""Name -> how it is trained, and the packages whose versions matter."""


def timed_answers(answer: Answer, questions: pd.DataFrame) -> float:
    """Return the seconds of a row when all test rows are answered at once: the middle of a few times, the model warm."""
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        answer(questions)
        seconds.append(time.perf_counter() - begin)
    return median(seconds) / len(questions)


def main() -> None:
    """Train, answer, and say how long it took."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    fit, packages = SYSTEMS[name]
    job = json.loads((folder / "job.json").read_text())
    train, questions = (pd.read_parquet(folder / file) for file in ("train.parquet", "questions.parquet"))
    begin = time.perf_counter()
    answer = fit(train.drop(columns=job["target"]), train[job["target"]], job, folder)
    train_seconds = time.perf_counter() - begin
    answers = answer(questions)
    answers.columns = [str(name) for name in answers.columns]
    answers.reset_index(drop=True).to_parquet(folder / "answers.parquet", index=False)
    facts = {"train_seconds": train_seconds, "answered_at": time.time(), "row_seconds": timed_answers(answer, questions)}
    (folder / "facts.json").write_text(json.dumps({**facts, "versions": {package: version(package) for package in packages}}))


if __name__ == "__main__":
    main()
