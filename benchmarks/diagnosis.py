"""How often the first cause that a diagnosis names is the right one: `python benchmarks/diagnosis.py`.

A hundred runs: new rows of two processes (classes and numbers) and a model trained on them, then a window into which one fault is
put: a changed unit, a broken join, a new level, a stuck sensor or a changed concept. The fault strikes a column at random among
those that matter to the model, with a strength at random. A cause is right if its kind is, and its columns are those that were
struck. Windows without a fault are judged as well, and, counted apart, joins that fail in other ways: filled with defaults, by a
key that is written otherwise, or with values of other rows. Prints a table and writes benchmarks/results/diagnosis.json.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from gristmill.config.loading import parse_case
from gristmill.data.contract.schema import infer
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import save_candidate
from gristmill.monitoring.diagnosis.account import CONCEPT
from gristmill.monitoring.diagnosis.diagnosing import diagnose
from gristmill.monitoring.diagnosis.suspects import BROKEN_JOIN, NEW_LEVEL, RELATION, STUCK, UNIT

RESULTS = Path(__file__).parent / "results" / "diagnosis.json"
NUMBERS = ["tenure", "charge", "usage", "income", "distance"]
LEVELS = ["plan", "region"]
JOINED = ("income", "distance")
"""Columns that come from one other table."""

EFFECTS = {"plan": {"basic": -0.9, "plus": 0.2, "gold": 1.1}, "region": {"north": -0.6, "south": 0.0, "east": 0.5, "west": 0.9}}


def rows(n_rows: int, task: str, rng: np.random.Generator, turn: dict[str, float] | None = None) -> pd.DataFrame:
    """Return labelled rows; ``turn`` multiplies the effects of columns, which changes what the rows mean."""
    turn = turn or {}
    wealth = rng.normal(size=n_rows)  # what income, charge and distance have in common
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(1, 72, n_rows).astype(float),
            "charge": 60 + 15 * (0.4 * wealth + rng.normal(size=n_rows)),
            "usage": rng.lognormal(2, 0.6, n_rows),
            "income": np.exp(10 + 0.5 * wealth + 0.3 * rng.normal(size=n_rows)),
            "distance": np.abs(5 + 3 * (rng.normal(size=n_rows) - 0.3 * wealth)),
            "plan": rng.choice(list(EFFECTS["plan"]), n_rows, p=[0.5, 0.3, 0.2]),
            "region": rng.choice(list(EFFECTS["region"]), n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < 0.03, "usage"] = np.nan
    parts = {
        "tenure": (frame["tenure"] - 36) / 18,
        "charge": (frame["charge"] - 60) / 14,
        "usage": (np.log(frame["usage"]).fillna(2) - 2) / 0.6,
        "income": (np.log(frame["income"]) - 10) / 0.55,
        "distance": (frame["distance"] - 5) / 3,
        **{name: frame[name].map(effects) for name, effects in EFFECTS.items()},
    }
    score = sum(turn.get(name, 1.0) * part for name, part in parts.items())
    if task == "binary":
        frame["target"] = np.where(rng.random(n_rows) < 1 / (1 + np.exp(-1.2 * score)), "yes", "no")
    else:
        frame["target"] = 10 * score + rng.normal(0, 5, n_rows)
    return frame


def unit(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows with one number in another unit, in all rows."""
    name = str(rng.choice(NUMBERS))
    factor = float(rng.choice([0.001, 0.01, 1 / 12, 0.4536, 1.609, 2.54, 12, 100, 1000]))
    return frame.assign(**{name: frame[name] * factor}), (name,)


def join(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows of which some found no match in the other table."""
    lost = rng.random(len(frame)) < rng.uniform(0.4, 1.0)
    return frame.assign(**{name: frame[name].mask(lost) for name in JOINED}), JOINED


def level(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows with a level called by a name the model has never seen."""
    name = str(rng.choice(LEVELS))
    old = {"plan": ["basic", "gold"], "region": ["north", "west"]}[name]
    return frame.assign(**{name: frame[name].replace(str(rng.choice(old)), "renamed")}), (name,)


def stuck(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows with a sensor that repeats one of its values, from some row on."""
    name = str(rng.choice(NUMBERS))
    from_row = int(rng.uniform(0, 0.5) * len(frame))
    value = float(frame[name].dropna().quantile(rng.choice([0.05, 0.2, 0.8, 0.95])))
    return frame.assign(**{name: frame[name].where(np.arange(len(frame)) < from_row, value)}), (name,)


def defaults(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows of which some found no match, and got a default in place of what is missing."""
    lost = rng.random(len(frame)) < rng.uniform(0.4, 1.0)
    return frame.assign(income=frame["income"].mask(lost, 0.0), distance=frame["distance"].mask(lost, -1.0)), JOINED


def key(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows in which some regions are written otherwise, so that what is joined by them is missing."""
    lost = rng.random(len(frame)) < rng.uniform(0.4, 0.9)
    written = frame["region"].mask(lost, frame["region"].str.upper())
    return frame.assign(region=written, **{name: frame[name].mask(lost) for name in JOINED}), (*JOINED, "region")


def wrong_rows(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return rows that got what is joined from other rows."""
    order = rng.permutation(len(frame))
    return frame.assign(**{name: frame[name].to_numpy()[order] for name in JOINED}), JOINED


FAULTS: dict[str, Callable[..., tuple[pd.DataFrame, tuple[str, ...]]]] = {
    UNIT: unit,
    BROKEN_JOIN: join,
    NEW_LEVEL: level,
    STUCK: stuck,
}
JOINS: dict[str, tuple[str, Callable[..., tuple[pd.DataFrame, tuple[str, ...]]]]] = {
    "defaults": (BROKEN_JOIN, defaults),
    "another key": (BROKEN_JOIN, key),
    "wrong rows": (RELATION, wrong_rows),
}
"""Other ways in which a join fails -> the kind of cause that is right."""


def fitted(task: str, frame: pd.DataFrame, folder: Path) -> FittedModel:
    """Return a model of the rows, stored and loaded as every model is."""
    positive = "positive_class: yes\n" if task == "binary" else ""
    case = parse_case(
        f"name: faulty\ntask: {task}\nsource: rows.csv\ntarget: target\n{positive}".replace(": yes", ": 'yes'"), "here"
    )
    contract = infer(frame, case)
    features = [*NUMBERS, *LEVELS]
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    encoded = make_column_transformer((one_hot, LEVELS), remainder="passthrough")
    booster = HistGradientBoostingClassifier if task == "binary" else HistGradientBoostingRegressor
    y = frame["target"] if task == "regression" else (frame["target"] == "yes").astype(int)
    pipeline = make_pipeline(encoded, booster(max_iter=60, learning_rate=0.15, random_state=0)).fit(frame[features], y)
    model = {"task": task, "classes": contract["classes"], "target": "target", "feature_columns": features, "threshold": None}
    save_candidate(folder / task, pipeline, model, contract, {"columns": {}}, "faulty")
    return FittedModel.load(folder / task)


def run(seed: int, fault: str, model: FittedModel) -> dict[str, Any]:
    """Return what was put in and what was found in one window."""
    rng = np.random.default_rng(1_000 + seed)
    reference = rows(int(rng.integers(1_500, 4_000)), model.task, rng)
    n_rows, struck = int(rng.integers(800, 4_000)), ()
    if fault == CONCEPT:
        name = str(rng.choice([*NUMBERS, *LEVELS]))
        window = rows(n_rows, model.task, rng, {name: float(rng.choice([-1.0, -0.5, 0.0, 3.0]))})
    else:
        window = rows(n_rows, model.task, rng)
        strike = FAULTS.get(fault) or (JOINS[fault][1] if fault in JOINS else None)
        if strike is not None:
            window, struck = strike(window, rng)
    expected = JOINS[fault][0] if fault in JOINS else fault
    found = diagnose(model, reference, window)
    first = found.causes[0] if found.causes else None
    right = first is not None and first.kind == expected and set(first.columns) == set(struck)
    return {
        "fault": fault,
        "columns": list(struck),
        "task": model.task,
        "worse": found.worse,
        "first": None if first is None else first.kind,
        "first_columns": None if first is None else list(first.columns),
        "explained": None if first is None else round(first.explained, 3),
        "right": right if fault != "none" else first is None,
    }


def main() -> None:
    """Run all faults and keep how often the first cause was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="runs with a fault; a fifth as many without come on top")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        models = [fitted(task, rows(6_000, task, rng), Path(folder)) for task in ("binary", "regression")]
        order = [*FAULTS, CONCEPT]
        runs = [run(seed, order[seed % 5], models[seed // 5 % 2]) for seed in range(given.runs)]
        joins = [run(20_000 + seed, list(JOINS)[seed % 3], models[seed // 3 % 2]) for seed in range(given.runs * 3 // 5)]
        quiet = [run(10_000 + seed, "none", models[seed % 2]) for seed in range(given.runs // 5)]
    rights = Counter(one["fault"] for one in runs if one["right"])
    joins_right = Counter(one["fault"] for one in joins if one["right"])
    totals = Counter(one["fault"] for one in runs)
    made = {
        "runs": given.runs,
        "first_cause_right": sum(rights.values()) / given.runs,
        "by_fault": {fault: f"{rights[fault]} of {totals[fault]}" for fault in order},
        "other_joins": {fault: f"{joins_right[fault]} of {len(joins) // 3}" for fault in JOINS},
        "no_fault_no_cause": f"{sum(one['right'] for one in quiet)} of {len(quiet)}",
        "wrong": [one for one in [*runs, *joins, *quiet] if not one["right"]],
    }
    print(json.dumps(made, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
