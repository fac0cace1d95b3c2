"""A search in a process of its own, for a test to kill: ``python killed.py FOLDER N_TRIALS``."""

import json
import sys
from pathlib import Path

import numpy as np
from tests.unit.modeling.conftest import make_case, make_rows

from gristmill.modeling.search.tuning import train_family


def main(folder: str, n_trials: int, family: str = "linear") -> None:
    """Search, and print what came out: the trials, and a sum over the predictions."""
    rows = make_rows("binary", n_rows=400)
    found = train_family(family, rows, make_case(training={"trials": n_trials}), folder=Path(folder))
    trials = [[trial.number, trial.params, trial.fold_scores, trial.status, trial.started] for trial in found.trials]
    sys.stdout.write(json.dumps({"trials": trials, "best": found.best.number, "oof": np.nan_to_num(found.oof).tobytes().hex()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
