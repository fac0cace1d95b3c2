"""How often sets and intervals from out-of-fold scores hold the truth of new rows: `python benchmarks/conformal.py`.

No theory promises it for every table, since the scores are of the folds' models and the answers of one that learnt from all rows.
Here both are made of the configuration that each family tries first, on three real tables, calibrated as a build does it, and held
against a quarter of the rows that neither has seen, for several divisions. Prints a line a table, family and level, and writes
benchmarks/results/conformal.json. `--seeds 1 --families linear` is quick.
"""

import argparse
import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from bagging import FAMILIES, TABLES, divided

from gristmill.evaluation.coverage import measure_coverage
from gristmill.evaluation.predictions import Scored
from gristmill.modeling.choice.calibration import Calibrated, calibrate
from gristmill.modeling.conformal.learning import conformity_of
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.threads import one_core
from gristmill.modeling.training_rows import TrainingRows

RESULTS = Path(__file__).parent / "results" / "conformal.json"


def predicted(model: object, X: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    """Return probabilities or numbers."""
    return model.predict_proba(X) if classes else model.predict(X)


def out_of_fold(rows: TrainingRows, family: str, params: dict) -> np.ndarray:
    """Return what the models of the folds say of the rows they have not seen."""
    oof = np.full((len(rows.y), len(rows.classes)) if rows.classes else len(rows.y), np.nan)
    for train, valid in rows.folds:
        model = build(family, params, rows.problem).fit(rows.X.iloc[train], rows.y[train])
        oof[valid] = predicted(model, rows.X.iloc[valid], rows.classes)
    return oof


def measured(table: str, seed: int, families: list[str]) -> list[dict]:
    """Return a record a family and level."""
    case, rows, X, truth = divided(table, seed)
    found = []
    for family in families:
        params = portfolio(family, rows.problem)[0]
        oof, model = out_of_fold(rows, family, params), build(family, params, rows.problem)
        if rows.classes:
            calibration = calibrate(case.primary_metric, rows.y, oof, rows.folds)
            oof, calibrator = calibration.oof, calibration.calibrator
            model = model if calibrator is None else Calibrated(model, calibrator)
        learnt = SimpleNamespace(conformity=conformity_of(rows, oof), classes=rows.classes)
        said = predicted(model.fit(rows.X, rows.y), X, rows.classes)
        scored = Scored(case.task, X.index, truth, said)
        for level, record in measure_coverage(learnt, scored, X).levels.items():
            parts = record.get("by_class") or record["by_prediction"]
            facts = {"table": table, "seed": seed, "family": family, "method": learnt.conformity.method, "level": level}
            worst = min(part["coverage"] for part in parts.values())
            size = record["size"] if rows.classes else record["width"]
            found.append(facts | {"coverage": record["coverage"], "worst part": worst, "size": size})
    return found


def main() -> None:
    """Measure all tables, and print and write what was found."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=6)
    asked.add_argument("--families", nargs="*", default=list(FAMILIES), choices=FAMILIES)
    asked.add_argument("--tables", nargs="*", default=list(TABLES))
    given = asked.parse_args()
    warnings.filterwarnings("ignore")
    with one_core():
        records = [one for table in given.tables for seed in range(given.seeds) for one in measured(table, seed, given.families)]
    by = pd.DataFrame(records).groupby(["table", "family", "level"], sort=False)
    table = by[["coverage", "worst part", "size"]].mean()
    table.insert(1, "spread", by["coverage"].std())
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")
    print(table.to_string(float_format=lambda value: f"{value:.3f}"))


if __name__ == "__main__":
    main()
