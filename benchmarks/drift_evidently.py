"""What Evidently says of two tables, in its own environment; `benchmarks/drift.py` starts this and reads the last line."""

import json
import sys
import time
import warnings

import pandas as pd

warnings.simplefilter("ignore")

from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.legacy.calculations import stattests  # noqa: E402, F401 - registers the tests
from evidently.legacy.calculations.stattests.registry import get_stattest  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402


def levels_of(frame: pd.DataFrame) -> list[str]:
    """Return the columns that are levels."""
    return [name for name in frame if name.split()[0] in ("level", "flag")]


def report(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, float]:
    """Return the seconds of its data drift report, with the tests it chooses itself."""
    start = time.perf_counter()
    categorical = levels_of(old)
    numerical = [name for name in old if name not in categorical]
    definition = DataDefinition(numerical_columns=numerical, categorical_columns=categorical)
    datasets = [Dataset.from_pandas(frame, data_definition=definition) for frame in (new, old)]
    Report([DataDriftPreset()]).run(*datasets).dict()
    return {"seconds": round(time.perf_counter() - start, 2)}


def distances(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return PSI, KL, Jensen-Shannon, Wasserstein and the p-value of Kolmogorov-Smirnov of each column."""
    from evidently.legacy.core import ColumnType  # noqa: PLC0415

    names = {"psi": "psi", "kl": "kl_div", "js": "jensenshannon", "ks": "ks", "wasserstein": "wasserstein"}
    found: dict[str, dict[str, float]] = {}
    for name in old:
        kind = ColumnType.Categorical if name in levels_of(old) else ColumnType.Numerical
        for key, test in names.items():
            if kind is ColumnType.Categorical and key in ("ks", "wasserstein"):
                continue
            sides = [frame[name].dropna() for frame in ((new, old) if key == "kl" else (old, new))]
            made = get_stattest(*sides, kind, test)(*sides, kind, 0.1)
            found.setdefault(name, {})[key] = float(made.drift_score)
    return {"distances": found}


if __name__ == "__main__":
    what, *paths = sys.argv[1:]
    tables = [pd.read_parquet(path) for path in paths]
    print(json.dumps({"report": report, "distances": distances}[what](*tables)))
