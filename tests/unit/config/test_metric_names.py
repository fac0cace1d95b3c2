"""Names and directions of the metrics."""

import pytest

from gristmill.config.metric_names import CLASSIFICATION_METRICS, DEFAULT_METRIC, REGRESSION_METRICS, greater_is_better


@pytest.mark.parametrize(("metric", "greater"), [("roc_auc", True), ("log_loss", False), ("rmse", False), ("adjusted_r2", True)])
def test_each_metric_knows_which_way_it_improves(metric: str, greater: bool):
    assert greater_is_better(metric) is greater


def test_a_metric_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError):
        greater_is_better("auc")


def test_the_default_metric_of_each_task_is_one_of_its_metrics():
    assert {DEFAULT_METRIC["binary"], DEFAULT_METRIC["multiclass"]} <= set(CLASSIFICATION_METRICS)
    assert DEFAULT_METRIC["regression"] in REGRESSION_METRICS
