"""How fast batch scoring is, and how much memory it takes: `python benchmarks/service/batch.py --rows 5000000`.

Takes a built model (`artifacts/churn/model`) and the rows it was built from (the largest file in `data/snapshots`), repeats them
to the number of rows asked for, and scores them from CSV and from Parquet, each in a process of its own. Beside it stand the bare
predictor on a portion of rows in memory, and what batch scoring makes of the same portion, by processor time: the ratio says what
reading types, finding bad rows and making the answers add. Prints a line each and writes benchmarks/results/batch.json.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

RESULTS = Path(__file__).parents[1] / "results" / "batch.json"
PORTION = 65_536


def rows_like(table: pd.DataFrame, n_rows: int, seed: int) -> pa.Table:
    """Return rows drawn from a table."""
    return pa.Table.from_pandas(table.iloc[np.random.default_rng(seed).integers(0, len(table), n_rows)], preserve_index=False)


def write(table: pd.DataFrame, n_rows: int, folder: Path) -> tuple[Path, Path]:
    """Write as many rows as CSV and as Parquet, portion by portion."""
    paths = folder / "rows.csv", folder / "rows.parquet"
    schema = rows_like(table, 1, 0).schema
    with pa_csv.CSVWriter(paths[0], schema) as text, pq.ParquetWriter(paths[1], schema) as parquet:
        for place, first in enumerate(range(0, n_rows, PORTION)):
            part = rows_like(table, min(PORTION, n_rows - first), place).cast(schema)
            text.write_table(part)
            parquet.write_table(part)
    return paths


def in_memory(table: pd.DataFrame, model: str, rounds: int) -> dict[str, float]:
    """Return rows a second of the bare predictor and of batch scoring on the same rows in memory; the best of some rounds each."""
    from gristmill.serving.batch.answering import answer, output_schema  # noqa: PLC0415
    from gristmill.serving.batch.portions import Portion, Position  # noqa: PLC0415
    from gristmill.serving.predictor import Predictor  # noqa: PLC0415

    predictor = Predictor.load(model)
    names = [*(name for name in predictor.model.id_columns if name in table), *predictor.model.feature_columns]
    batch = rows_like(table, PORTION, 0).select(names).combine_chunks().to_batches()[0]
    frame = batch.to_pandas()
    ids = pa.schema([batch.schema.field(name) for name in names if name in predictor.model.id_columns])
    schema = output_schema(ids, predictor, None, ".parquet")
    portion = Portion(PORTION, batch, np.arange(PORTION), (), Position(PORTION), lambda _place: (None, ""))
    calls: dict[str, Callable[[], object]] = {
        "predictor": lambda: predictor.answer(frame),
        "batch": lambda: answer(portion, predictor, schema, None, counted=False),
        "batch_with_counts": lambda: answer(portion, predictor, schema, None),
    }
    best = dict.fromkeys(calls, np.inf)
    for name in [*calls] * rounds:
        began = time.process_time()
        calls[name]()
        best[name] = min(best[name], time.process_time() - began)
    return {name: PORTION / seconds for name, seconds in best.items()}


def worker(source: str, target: str, model: str) -> None:
    """Score a file and print rows a second and the peak of resident memory."""
    from gristmill.serving.batch.scoring import score  # noqa: PLC0415

    began = time.perf_counter()
    rows = score(source, target, model).rows
    seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "rows": rows, "rows_a_second": rows / seconds, "rows_a_processor_second": rows / (used.ru_utime + used.ru_stime),
        "peak_mb": used.ru_maxrss / 1024,
    }  # fmt: skip
    print(json.dumps(found))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--model", default="artifacts/churn/model")
    parser.add_argument("--table", help="Parquet file whose rows are repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--worker", nargs=2, metavar=("IN", "OUT"))
    given = parser.parse_args()
    if given.worker:
        worker(*given.worker, given.model)
        return
    named = given.table or max(Path("data/snapshots").glob("*.parquet"), key=lambda path: path.stat().st_size)
    table = pd.read_parquet(named)
    memory = in_memory(table, given.model, given.rounds)
    memory |= {f"ratio_{name}": memory["predictor"] / memory[name] for name in ("batch", "batch_with_counts")}
    found: dict[str, Any] = {"rows": given.rows, "memory": memory}
    print("in memory  " + "   ".join(f"{name} {value:,.2f}" for name, value in memory.items()))
    with tempfile.TemporaryDirectory() as folder:
        for source in write(table, given.rows, Path(folder)):
            target = Path(folder) / f"out{source.suffix}"
            command = [sys.executable, __file__, "--model", given.model, "--worker", str(source), str(target)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[source.suffix] = json.loads(done.stdout)
            print(f"{source.suffix:10} " + "   ".join(f"{name} {value:,.0f}" for name, value in found[source.suffix].items()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
