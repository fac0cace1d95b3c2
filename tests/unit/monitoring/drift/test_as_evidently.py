"""The distances of Evidently on the same tables: what it said is in ``evidently.json``, for it has an environment of its own.

Tables are made of quantiles, without chance, so that they are the same everywhere. What Evidently says of them is asked anew by

    python -m tests.unit.monitoring.drift.test_as_evidently /tmp/drift-env/bin/python
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import lognorm, norm

from gristmill.modeling.artifact.column_counts import NumberCounts
from gristmill.modeling.artifact.drift_reference import drift_reference
from gristmill.monitoring.drift import statistics
from gristmill.monitoring.drift.measuring import measure
from gristmill.monitoring.drift.reference import Reference
from gristmill.monitoring.drift.window import Window

SAID = Path(__file__).with_name("evidently.json")
SHIFTS = {"alike": (0.0, 1.0, 0.0), "moved": (0.4, 1.3, 0.1), "far": (1.5, 2.5, 0.4)}
CONTRACT = {
    "classes": ["no", "yes"],
    "columns": [
        {"name": "normal", "kind": "numeric"},
        {"name": "skewed", "kind": "numeric"},
        {"name": "level", "kind": "categorical"},
    ],
}
NAMES = ["normal", "skewed", "level"]


def table(n_rows: int, by: float = 0.0, times: float = 1.0, renamed: float = 0.0) -> pd.DataFrame:
    """Return rows of two distributions and of levels, each moved."""
    chances = (np.arange(n_rows) + 0.5) / n_rows
    level = np.where(chances < 0.5, "a", np.where(chances < 0.8, "b", "c"))
    level = np.where(chances < renamed, "c", level)
    return pd.DataFrame({"normal": norm.ppf(chances) + by, "skewed": lognorm.ppf(chances, 0.8) * times, "level": level})


def said() -> dict[str, dict[str, dict[str, float]]]:
    return dict(json.loads(SAID.read_text()))


def judged(new: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return our measures of each column, over our own cells, and the chance of the Kolmogorov-Smirnov test."""
    old = table(10_000)
    held = Reference.from_record(drift_reference(old, CONTRACT, NAMES, np.full((len(old), 2), 0.5), 10), CONTRACT)
    report = measure(held, Window.of(new, held))
    chance = {one.name: next((found.p_value for found in one.findings if found.test == "shape"), None) for one in report.features}
    return {one.name: {**one.measures, "ks_p": chance[one.name]} for one in report.features}


@pytest.mark.parametrize("shift", SHIFTS)
def test_levels_have_the_distances_of_evidently(shift: str):
    ours, theirs = judged(table(4_000, *SHIFTS[shift]))["level"], said()[shift]["level"]
    assert ours["psi"] == pytest.approx(theirs["psi"], abs=2e-3)
    assert ours["kl"] == pytest.approx(theirs["kl"], abs=2e-3)
    assert ours["jensen_shannon"] * np.sqrt(np.log(2)) == pytest.approx(theirs["js"], abs=1e-9)  # theirs is to base e


@pytest.mark.parametrize("shift", SHIFTS)
def test_numbers_have_its_wasserstein_distance_and_its_verdict_of_kolmogorov_and_smirnov(shift: str):
    ours = judged(table(4_000, *SHIFTS[shift]))
    for name in ("normal", "skewed"):
        theirs = said()[shift][name]
        assert ours[name]["wasserstein"] / table(10_000)[name].std() == pytest.approx(theirs["wasserstein"], abs=0.01), name
        assert (ours[name]["ks_p"] < 0.05) == (theirs["ks"] < 0.05), name


@pytest.mark.parametrize("shift", SHIFTS)
def test_numbers_have_its_distances_over_its_bins(shift: str):
    """Over bins that the training rows alone choose, distances are others; over its bins the functions are the same."""
    old, new = table(10_000), table(4_000, *SHIFTS[shift])
    for name in ("normal", "skewed"):
        both, theirs = pd.concat([old[name], new[name]]).to_numpy(), said()[shift][name]
        edges = np.histogram_bin_edges(both, bins="sturges")[1:-1]
        was, now = (NumberCounts.of(side[name].to_numpy(), edges).counts for side in (old, new))
        assert statistics.jensen_shannon(was / was.sum(), now / now.sum()) * np.sqrt(np.log(2)) == pytest.approx(
            theirs["js"], abs=1e-9
        )
        shares = statistics.shares(was), statistics.shares(now)
        assert statistics.psi(*shares) == pytest.approx(theirs["psi"], rel=0.02, abs=0.02), (
            name
        )  # cells without rows are filled otherwise
        assert statistics.kl_divergence(shares[1], shares[0]) == pytest.approx(theirs["kl"], rel=0.02, abs=0.02), name


def ask(python: str) -> None:
    """Ask the Evidently of another environment, and keep what it says."""
    script = Path(__file__).parents[4] / "benchmarks" / "drift_evidently.py"
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for shift, moved in SHIFTS.items():
            paths = [Path(folder) / "old.parquet", Path(folder) / "new.parquet"]
            for path, frame in zip(paths, (table(10_000), table(4_000, *moved)), strict=True):
                frame.to_parquet(path)
            done = subprocess.run([python, str(script), "distances", *map(str, paths)], capture_output=True, text=True, check=True)
            found[shift] = json.loads(done.stdout.splitlines()[-1])["distances"]
    SAID.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    ask(sys.argv[1])
