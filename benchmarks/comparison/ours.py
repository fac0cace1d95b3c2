"""Build a task with Gristmill and answer its test rows: ``python ours.py FOLDER``, by the Python that runs the comparison.

A project is made in the task's folder from this repository, with a case file as `gristmill init` would write it when told the
columns' roles. It is built up to ``06_select``, where the model is complete, and answers through the one predictor.
"""

import json
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml

from comparison.tables import JOB, QUESTIONS, TEST, TRAIN
from comparison.worker import CORES, timed_answers
from gristmill.pipeline.records import Records
from gristmill.serving.predictor import Predictor

REPOSITORY = Path(__file__).resolve().parents[2]
CASE, LAST = "quality", "06_select"
PACKAGES = ("scikit-learn", "lightgbm", "catboost", "optuna")


def make_project(folder: Path, job: dict[str, object]) -> Path:
    """Make a project of this repository's notebooks for a task and return its root."""
    root = folder / "project"
    (root / "configs").mkdir(parents=True)
    for name in ("pipeline.yaml", "env.yaml", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, root / name)
    shutil.copytree(REPOSITORY / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    case = {
        "name": CASE,
        "task": job["task"],
        "source": str(folder / TRAIN),
        "target": job["target"],
        **({"positive_class": job["positive_class"]} if job["positive_class"] else {}),
        "split": {"test_source": str(folder / TEST)},
        "training": {"budget_seconds": job["seconds"]},
        "evaluation": {"primary_metric": job["metric"]},
    }
    (root / "configs" / f"{CASE}.yaml").write_text(yaml.safe_dump(case, sort_keys=False))
    return root


def training_seconds(records: Records) -> float:
    """Return the seconds from the start of the first family to the model: search, choice, refit and their reports."""
    stages = [records.read(path.stem) for path in sorted((REPOSITORY / "notebooks").glob("0[56]_*.ipynb"))]
    done = [stage for stage in stages if stage is not None]
    return max(stage.finished for stage in done) - min(stage.finished - stage.seconds for stage in done)


def search_seconds(artifacts: Path) -> float:
    """Return the seconds of all trials, as they run: families side by side, one core each, then one family for the reserve."""
    kept = artifacts.glob("trials_*.json")
    by_family = {path.stem.removeprefix("trials_"): json.loads(path.read_text())["trials"] for path in kept}
    continued = json.loads((artifacts / "selection.json").read_text())["searches"]
    reserve = [trial for family, one in continued.items() for trial in one["trials"][len(by_family[family]) :]]
    side_by_side = sum(trial["seconds"] for trials in by_family.values() for trial in trials)
    return side_by_side / CORES + sum(trial["seconds"] for trial in reserve)


def answers_of(predictor: Predictor, questions: pd.DataFrame) -> pd.DataFrame:
    """Return the predictor's answers with a column for each class, or ``prediction``."""
    if not predictor.model.classes:
        return predictor.answer(questions)
    return pd.DataFrame(predictor.predict_proba(questions), columns=list(predictor.model.classes))


def main() -> None:
    """Build, answer, and say how long it took."""
    folder = Path(sys.argv[1])
    root = make_project(folder, json.loads((folder / JOB).read_text()))
    build = [str(Path(sys.executable).parent / "ploomber"), "build", "--partially", LAST, "--env--case", CASE]
    subprocess.run(build, cwd=root, check=True)
    predictor = Predictor.load(root / "artifacts" / CASE / "candidate")
    questions = pd.read_parquet(folder / QUESTIONS)
    answers_of(predictor, questions).to_parquet(folder / "answers.parquet", index=False)
    answered_at = time.time()
    records = Records(root, CASE)
    facts = {
        "train_seconds": training_seconds(records),
        "search_seconds": search_seconds(root / "artifacts" / CASE),
        "answered_at": answered_at,
        "row_seconds": timed_answers(lambda rows: answers_of(predictor, rows), questions),
        "stage_seconds": {stage: timing["seconds"] for stage, timing in records.timings().items()},
        "versions": {package: version(package) for package in PACKAGES},
    }
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
