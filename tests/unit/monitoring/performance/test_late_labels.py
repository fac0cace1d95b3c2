"""Late labels: which predictions count, what they say against the test rows, by segment, group and version."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.models import case_of
from tests.served import DAY, NOW, simulated

from gristmill.config.sections.watching import Performance
from gristmill.errors import DataError
from gristmill.evaluation.fairness.verdicts import limits
from gristmill.monitoring.performance.logged import with_labels
from gristmill.monitoring.performance.maturity import matured
from gristmill.monitoring.performance.online import against, compared, online_metrics, relative_drop
from gristmill.monitoring.performance.parts import by_group, by_segment, judged
from gristmill.monitoring.performance.served import Served
from gristmill.monitoring.performance.variants import Comparing, gain_of, variants

SETTINGS = Performance()


def test_young_predictions_do_not_count_and_what_is_known_of_labels_is_said():
    served = simulated(1_000, labelled=0.8)
    rows = served.rows.copy()
    rows.loc[:99, "at"] = NOW - DAY
    rows.loc[100:149, "at"] = NOW - 400 * DAY
    found = matured(replace(served, rows=rows), NOW, SETTINGS)
    assert (len(found.served), found.young) == (850, 100)
    assert found.young_labels == int(served.labelled[:100].sum())
    assert found.label_share["low"] < 0.8 < found.label_share["high"]
    assert found.delay_days == (pytest.approx(2.0), pytest.approx(2.0))
    assert found.warnings == ()


def test_labels_that_come_for_some_kinds_of_rows_alone_are_called_selective():
    served = simulated(2_000)
    labels = served.rows["label"].where(served.features["risk"] > 0.3, None)
    found = matured(replace(served, rows=served.rows.assign(label=labels)), NOW, SETTINGS)
    assert any("selective" in warning for warning in found.warnings)
    chance = matured(simulated(2_000, labelled=0.6), NOW, SETTINGS)
    assert chance.warnings == ()


def test_labels_that_take_longer_than_the_window_of_maturity_are_told():
    served = simulated(500)
    late = served.rows.assign(label_at=served.rows["at"] + 20 * DAY)
    found = matured(replace(served, rows=late), NOW, SETTINGS)
    assert any("20.0 days" in warning for warning in found.warnings)


def test_few_labels_are_warned_of():
    found = matured(simulated(1_000, labelled=0.2), NOW, SETTINGS)
    assert any("Only 2" in warning and "50%" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("metric", "online", "offline", "enough", "verdict", "drop"),
    [
        ("roc_auc", (0.70, 0.68, 0.72), (0.80, 0.78, 0.82), True, "worse", 0.125),
        ("roc_auc", (0.70, 0.60, 0.79), (0.80, 0.78, 0.82), True, "cannot tell", 0.125),
        ("roc_auc", (0.77, 0.765, 0.775), (0.80, 0.78, 0.82), True, "as before", 0.0375),
        ("roc_auc", (0.90, 0.88, 0.92), (0.80, 0.78, 0.82), True, "better", -0.125),
        ("rmse", (1.2, 1.1, 1.3), (1.0, 0.9, 1.05), True, "worse", 0.2),
        ("rmse", (0.8, 0.7, 0.85), (1.0, 0.9, 1.05), True, "better", -0.2),
        ("roc_auc", (0.5, 0.4, 0.6), (0.8, 0.78, 0.82), False, "too few labels", 0.375),
    ],
)
def test_a_verdict_needs_a_large_drop_and_intervals_that_lie_apart(metric, online, offline, enough, verdict, drop):
    names = ("value", "low", "high")
    found = against(metric, dict(zip(names, online, strict=True)), dict(zip(names, offline, strict=True)), 0.05, enough=enough)
    assert (found.verdict, found.drop) == (verdict, pytest.approx(drop))
    assert (found.sure_drop > 0) == (drop > 0 and verdict in ("worse", "as before", "too few labels"))


def test_a_drop_of_nothing_is_unknown():
    assert np.isnan(relative_drop("rmse", 1.0, 0.0))


def test_a_model_whose_labels_turned_is_worse_and_an_honest_one_is_not():
    test = online_metrics(simulated(3_000, seed=9).scored(), 0.5)
    same = compared(online_metrics(simulated(3_000, seed=1).scored(), 0.5), test, 0.05)
    turned = compared(online_metrics(simulated(3_000, seed=1, turned=0.2).scored(), 0.5), test, 0.05)
    assert {one.verdict for one in same.values()} <= {"as before", "cannot tell"}
    assert (turned["roc_auc"].verdict, turned["log_loss"].verdict) == ("worse", "worse")
    assert turned["roc_auc"].drop > 0.1


def test_a_segment_that_got_worse_is_found_by_its_column():
    served = simulated(4_000)
    wrong = (served.features["plan"] == "b") & (np.random.default_rng(5).random(4_000) < 0.4)
    labels = served.rows["label"].where(~wrong, served.rows["label"].map({"Yes": "No", "No": "Yes"}))
    rows = judged(replace(served, rows=served.rows.assign(label=labels)), "roc_auc", 0.5)
    case = case_of()
    found = {line["segment"]: line for line in by_segment(rows, ["plan"], case.behaviour, {"columns": []}, 200)}
    assert found["plan = b"]["high"] < found["plan = a"]["low"]
    with pytest.raises(DataError, match="'colour'"):
        by_segment(rows, ["colour"], case.behaviour, {"columns": []}, 200)


def test_a_group_that_is_missed_breaks_the_limit_of_the_case_surely():
    served = simulated(4_000)
    group = np.where(served.features["risk"] > 0.35, "m", "f")
    served = replace(served, features=served.features.assign(sex=group))
    fairness = case_of().fairness
    rows = judged(served, "roc_auc", 0.5)
    found = by_group(rows, ["sex", "age"], served.classes, fairness)
    lines = {line["measure"]: line for line in found["limits"]}
    assert set(lines) == set(limits(fairness, "binary"))
    assert lines["disparate_impact"]["surely_broken"]
    assert lines["disparate_impact"]["kept"] is False
    assert found["unknown"] == ["age"]
    even = by_group(judged(simulated(4_000), "roc_auc", 0.5), ["sex"], served.classes, fairness)
    assert not any(line["surely_broken"] for line in even["limits"])


def beside(first: Served, second: Served, role: str, rows: list[str] | None = None) -> Served:
    """Return the predictions of two versions together."""
    other = second.rows.assign(version="2", role=role, row=second.rows["row"] if rows is None else rows)
    other["prediction_id"] = "other-" + other["prediction_id"]
    return Served(
        first.task,
        first.classes,
        pd.concat([first.rows, other], ignore_index=True),
        np.vstack([first.predicted, second.predicted]),
        pd.concat([first.features, second.features], ignore_index=True),
    )


def test_a_shadow_that_answers_the_same_rows_is_judged_in_pairs():
    champion = simulated(2_000)
    noise = np.clip(champion.predicted[:, 1] + np.random.default_rng(3).normal(0, 0.35, 2_000), 0.01, 0.99)
    shadow = replace(champion, predicted=np.column_stack([1 - noise, noise]))
    first, second = variants(beside(champion, shadow, "shadow"), Comparing("roc_auc", 200, 0.1, {"1": 0.5, "2": 0.5}))
    assert (first["role"], second["role"]) == ("champion", "shadow")
    assert (second["beside"]["paired"], second["beside"]["pairs"], second["beside"]["verdict"]) == (True, 2_000, "worse")
    assert second["beside"]["gain"]["high"] < 0
    assert {test["name"] for test in second["beside"]["tests"]} == {"DeLong", "McNemar"}


def test_a_challenger_on_other_rows_stands_beside_the_champion_without_pairs():
    both = beside(simulated(2_000), simulated(2_000, seed=4), "challenger", [f"other {n}" for n in range(2_000)])
    _, second = variants(both, Comparing("roc_auc", 200, 0.1))
    assert (second["beside"]["paired"], second["beside"]["pairs"]) == (False, 0)
    assert second["beside"]["gain"]["low"] < 0 < second["beside"]["gain"]["high"]


def test_the_gain_of_an_error_is_turned():
    found = gain_of("rmse", {"value": 1.0, "low": 0.9, "high": 1.1}, {"value": 2.0, "low": 1.8, "high": 2.2})
    assert found["value"] == pytest.approx(1.0)
    assert found["low"] == pytest.approx(1 - np.hypot(0.1, 0.2))


def test_a_version_with_few_labels_is_counted_only():
    both = beside(simulated(1_000), simulated(100, seed=4), "challenger")
    _, second = variants(both, Comparing("roc_auc", 200, 0.1))
    assert second["labels"] == 100
    assert np.isnan(second["value"])


def test_labels_from_a_table_go_over_feedback_and_the_latest_counts():
    served = simulated(10)
    table = pd.DataFrame(
        {"prediction_id": ["0", "0", "3"], "label": ["Yes", "No", "Yes"], "time": ["2026-01-02", "2026-01-01", None]}
    )
    found = with_labels(served, table, [])
    assert list(found.rows.loc[[0, 3], "label"]) == ["Yes", "Yes"]
    assert list(found.rows.loc[4:, "label"]) == list(served.rows.loc[4:, "label"])


def test_labels_are_joined_by_id_columns_and_doubtful_tables_are_refused():
    served = simulated(3)
    served = replace(served, features=served.features.assign(customer=["07", "08", "09"]))
    found = with_labels(served, pd.DataFrame({"customer": ["08"], "label": ["Yes"]}), ["customer"])
    assert found.rows.loc[1, "label"] == "Yes"
    with pytest.raises(DataError, match="two different labels for '08'"):
        with_labels(served, pd.DataFrame({"customer": ["08", "08"], "label": ["Yes", "No"]}), ["customer"])
    with pytest.raises(DataError, match="'prediction_id' or 'customer'"):
        with_labels(served, pd.DataFrame({"name": ["08"], "label": ["Yes"]}), ["customer"])


def test_a_label_that_is_no_class_is_refused():
    served = simulated(50)
    with pytest.raises(DataError, match="'Perhaps'"):
        replace(served, rows=served.rows.assign(label="Perhaps")).scored()
