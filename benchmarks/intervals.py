"""Whether intervals cover what they claim, and how often the wrong model is promoted: `python benchmarks/intervals.py`.

Tables are simulated whose true AUC, error, or difference between groups is known, many times. Counted are, for each setting, the
nominal 95 % intervals that hold the truth, and the verdicts of the promotion rule (`gates.champion_margin`) on pairs of models of
which one is truly worse by exactly the margin, no different, or better. Last comes what intervals of large tables cost. Prints each
line as it is known and writes benchmarks/results/intervals.json. `--repeats 100` is quick; `--parts` and `--settings` pick some.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from scipy.special import ndtri

from gristmill.metrics.disparity import Rate, error_spread, rate_spread
from gristmill.metrics.intervals import Bootstrap, intervals, sampling
from gristmill.metrics.noninferiority import judge
from gristmill.metrics.paired import Answers, differences
from gristmill.modeling.threads import one_core

RESULTS = Path(__file__).parent / "results" / "intervals.json"
MARGIN = 0.1
TOGETHER = 0.8
"""Correlation of the errors of two models on the same row."""

Simulation = Callable[[np.random.Generator, Bootstrap], dict[str, float]]


def auc_separation(area: float) -> float:
    """Return how far apart two normal distributions of scores lie for this area under the ROC curve."""
    return float(np.sqrt(2) * ndtri(area))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Return scores as probabilities of two classes, in the same order."""
    positive = 1 / (1 + np.exp(-scores))
    return np.column_stack([1 - positive, positive])


def area(n_negative: int, n_positive: int, truth: float) -> tuple[float, Simulation]:
    """Return a true area, and the simulation of its interval."""
    y_true = np.repeat([0, 1], [n_negative, n_positive])

    def simulated(rng: np.random.Generator, bootstrap: Bootstrap) -> dict[str, float]:
        scores = rng.normal(size=len(y_true)) + auc_separation(truth) * y_true
        return intervals("binary", y_true, probabilities(scores), bootstrap, metrics=("roc_auc",))["roc_auc"]

    return truth, simulated


def root_error(n_rows: int, noise: str) -> tuple[float, Simulation]:
    """Return a true RMSE, and the simulation of its interval."""
    truth = {"normal": 1.0, "laplace": float(np.sqrt(2)), "exponential": 1.0}[noise]

    def simulated(rng: np.random.Generator, bootstrap: Bootstrap) -> dict[str, float]:
        drawn = {"normal": rng.normal, "laplace": rng.laplace, "exponential": rng.exponential}[noise](size=n_rows)
        residual = drawn - (noise == "exponential")
        return intervals("regression", residual, np.zeros(n_rows), bootstrap, metrics=("rmse",))["rmse"]

    return truth, simulated


def rates(sizes: tuple[int, ...], chances: tuple[float, ...], comparison: str) -> tuple[float, Simulation]:
    """Return a true difference or ratio of rates between groups, and the simulation of its interval."""
    truth = max(chances) - min(chances) if comparison == "difference" else min(chances) / max(chances)
    groups = pd.Series(np.repeat([f"g{number}" for number in range(len(sizes))], sizes))
    chance, everyone = np.repeat(chances, sizes), np.ones(sum(sizes), dtype=bool)

    def simulated(rng: np.random.Generator, bootstrap: Bootstrap) -> dict[str, float]:
        rate = Rate(rng.random(len(chance)) < chance, everyone)
        return rate_spread(rate, groups, comparison=comparison, min_group_size=1, bootstrap=bootstrap).interval

    return truth, simulated


def errors_of_groups(sizes: tuple[int, ...], means: tuple[float, ...]) -> tuple[float, Simulation]:
    """Return a true ratio of mean errors between groups, and the simulation of its interval."""
    groups = pd.Series(np.repeat([f"g{number}" for number in range(len(sizes))], sizes))
    scale = np.repeat(means, sizes)

    def simulated(rng: np.random.Generator, bootstrap: Bootstrap) -> dict[str, float]:
        return error_spread(np.abs(rng.normal(size=len(scale))) * scale, groups, min_group_size=1, bootstrap=bootstrap).interval

    return max(means) / min(means), simulated


COVERAGE: dict[str, tuple[float, Simulation]] = {
    "AUC 0.76, 100 + 100 rows": area(100, 100, 0.76),
    "AUC 0.76, 320 + 80 rows": area(320, 80, 0.76),
    "AUC 0.93, 150 + 150 rows": area(150, 150, 0.93),
    "AUC 0.76, 24,000 + 6,000 rows (bags)": area(24_000, 6_000, 0.76),
    "RMSE, normal errors, 200 rows": root_error(200, "normal"),
    "RMSE, Laplace errors, 500 rows": root_error(500, "laplace"),
    "RMSE, exponential errors, 500 rows": root_error(500, "exponential"),
    "RMSE, normal errors, 30,000 rows (bags)": root_error(30_000, "normal"),
    "difference of rates, 2 groups of 200, 0.2": rates((200, 200), (0.6, 0.4), "difference"),
    "difference of rates, 2 groups of 200, none": rates((200, 200), (0.4, 0.4), "difference"),
    "difference of rates, 2 groups of 60 and 600, 0.15": rates((60, 600), (0.25, 0.10), "difference"),
    "difference of rates, 5 groups of 200, none": rates((200,) * 5, (0.3,) * 5, "difference"),
    "difference of rates, 5 groups of 200, one apart by 0.2": rates((200,) * 5, (0.5, 0.3, 0.3, 0.3, 0.3), "difference"),
    "difference of rates, 5 groups of 200, in steps of 0.05": rates((200,) * 5, (0.2, 0.25, 0.3, 0.35, 0.4), "difference"),
    "ratio of rates, 2 groups of 200, 0.67": rates((200, 200), (0.4, 0.6), "ratio"),
    "ratio of rates, 5 groups of 200, 1": rates((200,) * 5, (0.3,) * 5, "ratio"),
    "ratio of errors, 3 groups of 100, 1": errors_of_groups((100,) * 3, (1.0,) * 3),
    "ratio of errors, 3 groups of 100, 1.5": errors_of_groups((100,) * 3, (1.0, 1.2, 1.5)),
}
"""Setting -> the truth, and what gives an interval of it."""


def covered(setting: str, repeats: int, resamples: int) -> dict[str, Any]:
    """Return how often the intervals of a setting hold the truth, and on which side they miss it."""
    truth, simulated = COVERAGE[setting]
    rounds = repeats // 5 if "bags" in setting else repeats
    found = [
        simulated(np.random.default_rng([seed, 7]), Bootstrap(resamples=resamples, random_state=seed)) for seed in range(rounds)
    ]
    too_high = float(np.mean([one["low"] > truth + 1e-12 for one in found]))
    too_low = float(np.mean([one["high"] < truth - 1e-12 for one in found]))
    share = 1 - too_high - too_low
    noise = 1.96 * float(np.sqrt(share * (1 - share) / rounds))
    return {"coverage": share, "noise": noise, "above": too_high, "below": too_low, "repeats": rounds}


def pair_of_rankings(rng: np.random.Generator, n_rows: int, truth: float) -> tuple[str, np.ndarray, Answers, Answers]:
    """Return the answers of two classifiers, of which the first removes the share ``truth`` of what the second's AUC lacks."""
    y_true = np.arange(n_rows) % 2
    second = 0.80
    first = second + truth * (1 - second)
    noise = rng.multivariate_normal([0, 0], [[1, TOGETHER], [TOGETHER, 1]], size=n_rows)
    scores = [noise[:, place] + auc_separation(value) * y_true for place, value in enumerate((first, second))]
    return "binary", y_true, *(Answers(probabilities(one)) for one in scores)


def pair_of_errors(rng: np.random.Generator, n_rows: int, truth: float) -> tuple[str, np.ndarray, Answers, Answers]:
    """Return the answers of two regressions, of which the first removes the share ``truth`` of the second's RMSE."""
    noise = rng.multivariate_normal([0, 0], [[1, TOGETHER], [TOGETHER, 1]], size=n_rows)
    y_true = rng.normal(0, 3, n_rows)
    return "regression", y_true, Answers(y_true + (1 - truth) * noise[:, 0]), Answers(y_true + noise[:, 1])


PAIRS = {
    "AUC, 300 rows": ("roc_auc", pair_of_rankings, 300),
    "AUC, 1,000 rows": ("roc_auc", pair_of_rankings, 1_000),
    "RMSE, 300 rows": ("rmse", pair_of_errors, 300),
}
TRUTHS = {"worse by the margin": -MARGIN, "no difference": 0.0, "better by the margin": MARGIN}


def promoted(pairs: str, truth: str, repeats: int, resamples: int) -> dict[str, Any]:
    """Return how often the rule gives each verdict where the truth is known."""
    metric, simulated, n_rows = PAIRS[pairs]
    verdicts = []
    for seed in range(repeats):
        drawn = simulated(np.random.default_rng([seed, 11]), n_rows, TRUTHS[truth])
        found = differences(*drawn, (metric,), Bootstrap(resamples=resamples, random_state=seed))[metric]
        verdicts.append(judge(found.improvement, found.error, MARGIN, n_rows, 0.95))
    shares = pd.Series([one.verdict for one in verdicts]).value_counts(normalize=True).to_dict()
    promotions = float(np.mean([one.accepted for one in verdicts]))
    noise = 1.96 * float(np.sqrt(promotions * (1 - promotions) / repeats))
    return {"promoted": promotions, "noise": noise, **shares, "repeats": repeats}


def cost(task: str, n_rows: int, resamples: int) -> dict[str, Any]:
    """Return the seconds of one core that the intervals of all metrics of a task take, and the memory beyond the rows."""
    rng = np.random.default_rng(0)
    y_true = (rng.random(n_rows) < 0.2).astype(int)
    scores = rng.normal(size=n_rows) + y_true
    truth, predicted = (y_true, probabilities(scores)) if task == "binary" else (scores, y_true.astype(float))
    before, started = psutil.Process().memory_info().rss, time.process_time()
    bootstrap = Bootstrap(resamples=resamples)
    intervals(task, truth, predicted, bootstrap)
    seconds = time.process_time() - started
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    return {**sampling(task, truth, bootstrap), "seconds": seconds, "grown_mb": grown}


COSTS = (
    ("binary", 100_000, 10_000),
    ("binary", 1_000_000, 1_000),
    ("regression", 100_000, 10_000),
    ("regression", 1_000_000, 1_000),
)


def measured(given: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give part and record of each setting that is asked for."""
    asked = (given.repeats, given.resamples)
    runs: dict[str, dict[str, Callable[[], dict[str, Any]]]] = {
        "coverage": {setting: partial(covered, setting, *asked) for setting in COVERAGE},
        "promotion": {f"{pairs}, {truth}": partial(promoted, pairs, truth, *asked) for pairs in PAIRS for truth in TRUTHS},
        "cost": {f"{one[0]}, {one[1]:,} rows": partial(cost, *one) for one in COSTS},
    }
    for part in given.parts:
        for setting, run in runs[part].items():
            if any(word in setting for word in given.settings):
                yield part, {"setting": setting, **run()}


def main() -> None:
    """Measure, print and write; settings that are not asked for keep what an earlier run found."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--repeats", type=int, default=1000)
    asked.add_argument("--resamples", type=int, default=1000)
    asked.add_argument("--parts", nargs="*", default=["coverage", "promotion", "cost"])
    asked.add_argument("--settings", nargs="*", default=[""], help="words of which a setting's name holds one")
    given = asked.parse_args()
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    with one_core():
        for part, record in measured(given):
            results.setdefault(part, {})[record["setting"]] = record
            RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
            shown = {key: f"{value:.3f}" if isinstance(value, float) else value for key, value in record.items()}
            print(part, *(f"{key}={value}" for key, value in shown.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
