"""What drift statistics cost, how often they are wrong, and what Evidently says of the same rows: `python benchmarks/drift.py`.

Parts, each by its name, all if none is given: `speed` (1,000,000 rows x 100 mixed columns in an Arrow table, the reference made
beforehand, as at registration), `false-alarms` (null windows of 500 to 50,000 rows), `power` (PSI 0.2 in one column of fifty),
`classifier` (the interval of the one that tells rows apart: where nothing is to be told, and where only two columns together tell),
`evidently` (agreement on the same windows, and its own time; needs `--evidently PYTHON`, the interpreter of an environment made
from benchmarks/drift-requirements.txt). Prints a table and writes benchmarks/results/drift.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.optimize import brentq

from gristmill.config.sections.drift import Drift
from gristmill.modeling.artifact.column_counts import NumberCounts
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.monitoring.drift import statistics
from gristmill.monitoring.drift.domain import separation
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.report import FeatureDrift
from gristmill.monitoring.drift.window import Window

RESULTS = Path(__file__).parent / "results" / "drift.json"
LEVELS = np.array([f"level {number}" for number in range(40)])
KINDS = ("normal", "skewed", "whole", "heavy", "gappy", "level", "flag")
NO_FLOORS = Drift(psi=1e-12, ks=0, missing=0, outside=0, new_levels=0)
"""Every difference that is not chance counts: what the significance level alone promises."""


def column(kind: str, n_rows: int, rng: np.random.Generator) -> Any:
    """Return values of one kind of column."""
    if kind == "level":
        shares = 1 / np.arange(1, len(LEVELS) + 1) ** 1.2
        return LEVELS[rng.choice(len(LEVELS), n_rows, p=shares / shares.sum())]
    made = {
        "normal": lambda: rng.normal(70, 20, n_rows),
        "skewed": lambda: rng.lognormal(3, 1, n_rows),
        "whole": lambda: rng.poisson(2, n_rows).astype(float),
        "heavy": lambda: rng.standard_t(2, n_rows),
        "gappy": lambda: np.where(rng.random(n_rows) < 0.2, np.nan, rng.exponential(5, n_rows)),
        "flag": lambda: (rng.random(n_rows) < 0.1).astype(float),
    }
    return made[kind]()


def table(n_rows: int, n_columns: int, seed: int) -> pd.DataFrame:
    """Return rows of mixed columns, the same for a seed."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame({f"{KINDS[n % 7]} {n}": column(KINDS[n % 7], n_rows, rng) for n in range(n_columns)})


def contract_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the contract of such a table."""
    kinds = {"level": "categorical", "flag": "boolean"}
    return {"columns": [{"name": name, "kind": kinds.get(name.split()[0], "numeric")} for name in frame]}


def reference_of(frame: pd.DataFrame) -> Reference:
    """Return the reference of training rows, with predictions as a model of numbers would give them."""
    predicted = np.random.default_rng(1).normal(size=len(frame))
    contract = contract_of(frame)
    return Reference.from_record(drift_reference(frame, contract, list(frame), predicted, 10), contract)


class Peak:
    """The most memory this process held, beyond what it held at first, in GB."""

    def __enter__(self) -> "Peak":
        """Begin to watch."""
        self._process, self._ended = psutil.Process(), threading.Event()
        self._first = self.most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._ended.set()
        self._thread.join()
        self.gigabytes, self.whole = (self.most - self._first) / 1e9, self.most / 1e9


def speed(n_rows: int, n_columns: int) -> dict[str, Any]:
    """Return what a window of this size costs: read from Parquet, counted, merged and judged."""
    held = reference_of(table(20_000, n_columns, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "window.parquet"
        pq.write_table(pa.Table.from_pandas(table(n_rows, n_columns, 1), preserve_index=False), path)
        predicted = np.random.default_rng(2).normal(size=n_rows)
        with Peak() as peak:
            start, busy = time.perf_counter(), time.process_time()
            rows = pq.read_table(path)
            read = time.perf_counter() - start
            window = Window.of(rows, held, predicted)
            counted = time.perf_counter() - start
            report = measure(held, window)
            seconds = time.perf_counter() - start
    return {
        "rows": n_rows,
        "columns": n_columns,
        "seconds": round(seconds, 2),
        "reading": round(read, 2),
        "counting": round(counted - read, 2),
        "judging": round(seconds - counted, 3),
        "processor_seconds": round(time.process_time() - busy, 2),
        "most_gigabytes": round(peak.whole, 2),
        "of_which_added": round(peak.gigabytes, 2),
        "alarm": report.alarm,
    }


def false_alarms(n_windows: int) -> dict[str, Any]:
    """Return how often windows of the very same distribution are found different, with and without floors."""
    rng = np.random.default_rng(3)
    sizes = np.exp(rng.uniform(np.log(500), np.log(50_000), n_windows)).astype(int)
    alarms = differences = 0
    by_size: dict[str, list[bool]] = {}
    held = reference_of(table(5_635, 21, 9_999))
    for number, size in enumerate(sizes.tolist()):
        if number % 20 == 0:  # other training rows: what is calibrated is the pair
            held = reference_of(table(5_635 if number % 40 else 20_000, 21, 10_000 + number))
        window = Window.of(table(size, 21, 20_000 + number), held, rng.normal(size=size))
        alarms += measure(held, window).alarm
        found = measure(held, window, NO_FLOORS).alarm
        differences += found
        by_size.setdefault("below 2,000" if size < 2_000 else "below 10,000" if size < 10_000 else "to 50,000", []).append(found)
    return {
        "windows": n_windows,
        "columns": 21,
        "alarms": alarms / n_windows,
        "any_difference_without_floors": differences / n_windows,
        "by_size_without_floors": {name: round(float(np.mean(found)), 4) for name, found in sorted(by_size.items())},
    }


def shift_of_psi(psi: float) -> float:
    """Return by how many standard deviations a normal distribution must move for this PSI over its deciles."""
    from scipy.stats import norm  # noqa: PLC0415

    edges = norm.ppf(np.linspace(0, 1, 11))

    def distance(shift: float) -> float:
        new = np.diff(norm.cdf(edges - shift))
        return float(((new - 0.1) * np.log(new / 0.1)).sum() - psi)

    return float(brentq(distance, 0.01, 3))


def power(n_windows: int, psi: float = 0.2, n_rows: int = 5_000) -> dict[str, Any]:
    """Return how often the one column of fifty that drifted is found, and how often another is."""
    held = reference_of(table(20_000, 50, 4))
    moved, by = "normal 0", 20 * shift_of_psi(psi)
    found = alarms = others = 0
    for number in range(n_windows):
        rows = table(n_rows, 50, 50_000 + number)
        report = measure(held, Window.of(rows.assign(**{moved: rows[moved] + by}), held))
        found += moved in report.drifted
        alarms += report.alarm
        others += any(name != moved for name in report.drifted)
    shares = {"found": found / n_windows, "alarm": alarms / n_windows, "another_column_named": others / n_windows}
    return {"windows": n_windows, "psi": psi, "rows": n_rows, "columns": 50, **shares}


def classifier(n_windows: int) -> dict[str, Any]:
    """Return how often the interval holds one half where nothing can be told, and how often a torn relation is told and named."""
    holds = false_alarms = seen = named = by_columns = 0
    aucs, widths = [], []
    for number in range(n_windows):
        training, window = (_related(rows, 300_000 + 3 * number + side) for side, rows in enumerate((4_000, 2_000)))
        held = reference_of(training)
        found = separation(training, window, held)
        holds += found.low <= 0.5 <= found.high
        false_alarms += found.drifted(Drift().separable)
        widths.append(found.high - found.low)
        torn = window.assign(**{"normal 0": np.random.default_rng(number).permutation(window["normal 0"])})
        told = separation(training, torn, held)
        seen += told.drifted(Drift().separable)
        named += set(list(told.columns)[:2]) == {"normal 0", "normal 7"}
        by_columns += bool(measure(held, Window.of(torn, held)).drifted)
        aucs.append(told.auc)
    shares = {
        "one_half_held": holds,
        "alarms": false_alarms,
        "torn_seen": seen,
        "torn_named": named,
        "torn_seen_by_columns": by_columns,
    }
    means = {"width": round(float(np.mean(widths)), 4), "torn_auc": round(float(np.mean(aucs)), 4)}
    return {"windows": n_windows, "rows": [4_000, 2_000], **{name: count / n_windows for name, count in shares.items()}, **means}


def _related(n_rows: int, seed: int) -> pd.DataFrame:
    """Return rows of fourteen columns, of which two normal ones go together (correlation 0.8)."""
    made = table(n_rows, 14, seed)
    made["normal 7"] = 70 + 0.8 * (made["normal 0"] - 70) + 0.6 * (made["normal 7"] - 70)
    return made


def ours(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return our distances between two tables, column by column, as Evidently scales them, and PSI, KL and JS over its bins."""
    held = reference_of(old)
    report = measure(held, Window.of(new, held))
    return {
        one.name: {
            **_distances(one, old[one.name], new[one.name]),
            "ks": next((found.p_value for found in one.findings if found.test == "shape"), None),
            "wasserstein": None if one.kind == "categorical" else one.measures["wasserstein"] / old[one.name].std(),
        }
        for one in report.features
    }


def _distances(one: FeatureDrift, old: pd.Series, new: pd.Series) -> dict[str, float]:
    """Return the distances of a report as they are where there is nothing to bin."""
    return _as_reported(one.measures) if one.name.split()[0] in ("level", "flag") else _in_its_bins(old, new)


def _as_reported(measures: Any) -> dict[str, float]:
    """Return the distances of a report; Evidently takes Jensen-Shannon's logarithm to base e."""
    return {"psi": measures["psi"], "kl": measures["kl"], "js": measures["jensen_shannon"] * np.sqrt(np.log(2))}


def _in_its_bins(old: pd.Series, new: pd.Series) -> dict[str, float]:
    """Return the same functions of a number's counts between the edges that Evidently would choose."""
    both = pd.concat([old, new]).dropna().to_numpy()
    edges = np.unique(both)[1:] if old.nunique() <= 20 else np.histogram_bin_edges(both, bins="sturges")[1:-1]
    was, now = (NumberCounts.of(values.to_numpy(), edges).counts for values in (old, new))
    shares = statistics.shares(was), statistics.shares(now)
    distance = statistics.jensen_shannon(was / was.sum(), now / now.sum()) * np.sqrt(np.log(2))
    return {"psi": statistics.psi(*shares), "kl": statistics.kl_divergence(shares[1], shares[0]), "js": distance}


def evidently(python: str, seconds: float) -> dict[str, Any]:
    """Return the largest differences from Evidently on the same windows, and how long it takes as windows grow."""
    agreement: dict[str, float] = {}
    for number, size in enumerate((1_000, 5_000, 20_000)):
        old, new = table(10_000, 14, 60 + number), table(size, 14, 70 + number)
        new["normal 0"] += 6
        new["skewed 1"] *= 1.2
        new["level 5"] = new["level 5"].where(np.arange(size) % 10 != 0, "level 3")
        theirs, mine = _asked(python, old, new, "distances", seconds)["distances"], ours(old, new)
        for name, distances in theirs.items():
            for measured, value in distances.items():
                if mine[name].get(measured) is None:
                    continue
                key = f"{measured} of {name.split()[0]}"
                agreement[key] = max(agreement.get(key, 0.0), abs(value - mine[name][measured]))
    times = {}
    for size in (10_000, 100_000, 300_000, 1_000_000):
        answer = _asked(python, table(20_000, 100, 0), table(size, 100, 1), "report", seconds)
        times[f"{size:,} rows x 100 columns"] = answer.get("seconds", answer.get("failed"))
        if "failed" in answer:
            break
    return {"largest_difference": {name: float(f"{value:.2g}") for name, value in sorted(agreement.items())}, "its_report": times}


def _asked(python: str, old: pd.DataFrame, new: pd.DataFrame, what: str, seconds: float) -> dict[str, Any]:
    """Return what Evidently says, in a process of its environment."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "old.parquet", Path(folder) / "new.parquet"]
        for path, frame in zip(paths, (old, new), strict=True):
            frame.to_parquet(path)
        command = [python, str(Path(__file__).with_name("drift_evidently.py")), what, *map(str, paths)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True, env={"DO_NOT_TRACK": "1"})
        except subprocess.TimeoutExpired:
            return {"failed": f"not done in {seconds:.0f} s"}
        except subprocess.CalledProcessError as error:
            return {"failed": error.stderr.strip().splitlines()[-1]}
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


def main() -> None:
    """Run the parts that were asked for and keep what the others said before."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help="speed, false-alarms, power, classifier, evidently; all if none is given")
    parser.add_argument("--evidently", metavar="PYTHON", help="interpreter of an environment that has Evidently")
    parser.add_argument("--seconds", type=float, default=300, help="how long Evidently may take for one size")
    parser.add_argument("--windows", type=int, default=1_000)
    given = parser.parse_args()
    made: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    parts = {
        "speed": lambda: speed(1_000_000, 100),
        "false-alarms": lambda: false_alarms(given.windows),
        "power": lambda: power(max(given.windows // 5, 100)),
        "classifier": lambda: classifier(max(given.windows // 10, 50)),
        "evidently": lambda: evidently(given.evidently, given.seconds),
    }
    for name in given.parts or [name for name in parts if name != "evidently" or given.evidently]:
        if name == "evidently" and not given.evidently:
            sys.exit("evidently: name an interpreter that has it, with --evidently PYTHON")
        made[name] = parts[name]()
        print(name, json.dumps(made[name], indent=1), flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
