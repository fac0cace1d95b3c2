"""How often the search for weak segments raises a false alarm, how often it finds a planted one, and how long a million rows take.

``python benchmarks/slices.py [--runs 400] [--out benchmarks/results/slices.json]`` prints three tables and writes them as JSON.

Noise: predictions that know nothing of the columns, and a truth drawn from them, for each task and several sizes; the tree is grown
on other such rows, as a build grows it on the out-of-fold predictions. Power: the same, with a segment in which the truth
is drawn from other probabilities than those predicted (or with larger errors); it counts as found when a segment that is called
worse shares at least half its rows with the planted one, of the rows that lie in either.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gristmill.evaluation.errors.slices import MAX_FALSE_ALARMS, Grown, find_segments
from gristmill.evaluation.predictions import Scored

TASKS = ("binary", "multiclass", "regression")
SIZES = (300, 1_400, 6_000)
GROWN_TIMES = 4
"""Rows that the tree is grown on, for each tested row."""

PLANTED = {"one level": 0.2, "two columns": 0.2, "two columns, rare": 0.08}
"""Kind of planted segment -> about which share of the rows lies in it."""


def table(n_rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return rows with levels few and many, numbers with gaps, correlated numbers, dates and booleans."""
    age = rng.integers(18, 90, n_rows)
    frame = pd.DataFrame(
        {
            "plan": rng.choice(["a", "b", "c", "d", "e"], n_rows),
            "region": rng.choice([f"r{number}" for number in range(30)], n_rows),
            "age": age,
            "income": age * 300 + rng.lognormal(8, 1, n_rows),
            "visits": rng.poisson(2, n_rows),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 2000, n_rows), unit="D"),
            "member": rng.random(n_rows) < 0.3,
            "score": rng.normal(size=n_rows),
        }
    )
    frame.loc[rng.random(n_rows) < 0.15, "score"] = np.nan
    return frame


def planted(frame: pd.DataFrame, kind: str) -> np.ndarray:
    """Return which rows lie in the planted segment."""
    if kind == "one level":
        return (frame["plan"] == "c").to_numpy()
    share = PLANTED[kind]
    return ((frame["age"] > 53) & (frame["score"] > {0.2: -0.1, 0.08: 0.75}[share])).to_numpy()


def rows(task: str, n_rows: int, rng: np.random.Generator, kind: str | None = None) -> tuple[Scored, pd.DataFrame]:
    """Return predicted rows with their truth: drawn from the predictions, except in the planted segment."""
    frame, keys = table(n_rows, rng), pd.RangeIndex(n_rows)
    bad = planted(frame, kind) if kind else np.zeros(n_rows, dtype=bool)
    if task == "regression":  # errors with long tails
        error = rng.standard_t(3, n_rows) * np.where(bad, 1.8, 1.0)
        predicted = rng.normal(size=n_rows)
        return Scored(task, keys, predicted + error, predicted), frame
    n_classes = 2 if task == "binary" else 4
    chances = rng.dirichlet(np.full(n_classes, 0.8), n_rows)
    actual = np.where(bad[:, None], 0.55 * chances + 0.45 / n_classes, chances)
    truth = (rng.random((n_rows, 1)) > np.cumsum(actual, axis=1)).sum(axis=1).clip(0, n_classes - 1)
    return Scored(task, keys, truth.astype(np.int64), chances), frame


def run(task: str, n_rows: int, seed: int, kind: str | None = None) -> tuple[bool, bool]:
    """Return whether any segment was called worse, and whether the planted one was found."""
    rng = np.random.default_rng([seed, n_rows, TASKS.index(task)])
    scored, frame = rows(task, n_rows, rng, kind)
    other, its_frame = rows(task, GROWN_TIMES * n_rows, rng, kind)
    found = find_segments(scored, frame, list(frame.columns), grown=Grown(other, its_frame), random_state=seed)
    if kind is None or not found.n_worse:
        return bool(found.n_worse), False
    bad = planted(frame, kind)
    masks = [segment.members(frame) for segment, worse in zip(found.segments, found.table["worse"], strict=True) if worse]
    return True, any((bad & mask).sum() >= 0.5 * (bad | mask).sum() for mask in masks)


def noise(runs: int) -> Iterator[dict[str, Any]]:
    """Give the share of runs on noise with a false alarm, by task and size."""
    for task in TASKS:
        for n_rows in SIZES:
            alarms = sum(run(task, n_rows, seed)[0] for seed in range(runs))
            yield {"task": task, "rows": n_rows, "runs": runs, "alarms": alarms, "false_alarm_rate": alarms / runs}


def power(runs: int) -> Iterator[dict[str, Any]]:
    """Give the share of runs in which the planted segment was found, by task, size and kind."""
    for task in TASKS:
        for n_rows in SIZES[1:]:
            for kind in PLANTED:
                found = [run(task, n_rows, seed, kind) for seed in range(runs)]
                alarm, hit = (sum(part) / runs for part in zip(*found, strict=True))
                yield {"task": task, "rows": n_rows, "planted": kind, "runs": runs, "alarm_rate": alarm, "found_rate": hit}


def large(n_rows: int) -> dict[str, Any]:
    """Return the seconds and the memory that a large table takes."""
    rng = np.random.default_rng(0)
    scored, frame = rows("binary", n_rows, rng)
    other, its_frame = rows("binary", n_rows, rng)
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = find_segments(scored, frame, list(frame.columns), grown=Grown(other, its_frame))
    seconds = time.process_time() - start
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"rows": n_rows, "rows_looked_at": found.rows, "cpu_seconds": round(seconds, 1), "memory_mb": round(more / 1024)}


def main() -> None:
    """Run the benchmark."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    asked.add_argument("--runs", type=int, default=400)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--out", type=Path, default=Path("benchmarks/results/slices.json"))
    given = asked.parse_args()
    quiet = pd.DataFrame(noise(given.runs))
    strong = pd.DataFrame(power(max(1, given.runs // 8)))
    rate = float(quiet["alarms"].sum() / quiet["runs"].sum())
    size = large(given.rows)
    print(quiet.to_string(index=False), "\n")
    print(f"False alarms in {rate:.1%} of {quiet['runs'].sum():,} runs; promised: at most {MAX_FALSE_ALARMS:.0%}.\n")
    print(strong.to_string(index=False), "\n")
    print(size)
    content = {
        "false_alarm_rate": rate,
        "promised": MAX_FALSE_ALARMS,
        "noise": quiet.to_dict("records"),
        "power": strong.to_dict("records"),
        "large": size,
    }
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
