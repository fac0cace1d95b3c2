"""Every figure: in the house style, with axes that say what they show, on ordinary and on awkward input."""

import base64
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gristmill.reporting.plots import classification, data, decisions, disparity, effects, evidence, regression, selection, training
from gristmill.reporting.plots import coverage as plots_coverage
from gristmill.reporting.plots.labels import extent
from gristmill.reporting.plots.style import HouseFigure

RNG = np.random.default_rng(0)
ROWS = 120
CLASSES = ("No", 'Yes <b> $x$ "q" 👵')
Y = (RNG.random(ROWS) < 0.3).astype(int)
POSITIVE = np.clip(0.3 + 0.3 * Y + RNG.normal(0, 0.15, ROWS), 0.01, 0.99)
PROBA = np.column_stack([1 - POSITIVE, POSITIVE])
MANY = RNG.dirichlet([1, 1, 1], ROWS)
MANY_TRUE = np.arange(ROWS) % 3
TARGET = pd.Series(np.where(Y == 1, CLASSES[1], "No"), name="left $ <i>")
FRAME = pd.DataFrame(
    {
        "number": RNG.normal(0, 1e6, ROWS),
        "level <script>": RNG.choice(["a", "b"], ROWS),
        "all missing": np.full(ROWS, np.nan),
        "constant": np.ones(ROWS),
        "flag": Y == 1,
        "nullable": pd.array([pd.NA, *range(ROWS - 1)], dtype="Int64"),
        "category": pd.Categorical(["x", None] * (ROWS // 2)),
        "day 👵": pd.date_range("2024-01-01", periods=ROWS),
    }
)
SPLIT = pd.DataFrame({"split": ["train"] * 100 + ["test"] * 20, "fold": pd.array([*range(5)] * 20 + [pd.NA] * 20, dtype="Int64")})
TRIALS = [{"number": index, "score": 0.8 + 0.01 * (index % 4), "std": 0.01} for index in range(9)] + [{"number": 9, "score": None}]
CURVES = [
    {"feature": "tenure $ <b>", "kind": "ordered", "values": ["1", "5", "9"], "position": [1.0, 5.0, 9.0], "mean": [0.1, 0.2, 0.4],
     "ice": [[0.1, 0.1, 0.5], [0.0, 0.2, 0.3]]},
    {"feature": "plan", "kind": "levels", "values": [CLASSES[1], "No", "(missing)", "x"], "position": [0, 1, 2, 3], "class": "Yes",
     "mean": [0.1, 0.2, 0.4, 0.3], "ice": []},
]  # fmt: skip
SCORES = {"roc_auc": {"value": 0.85, "low": 0.82, "high": 0.88}, "f1": 0.6, "log_loss": {"value": 0.4, "low": 0.3, "high": 0.5}}
GROUPS = [
    {"group": "a <b>", "n": 50, "metrics": {"recall": {"value": 0.7, "low": 0.6, "high": 0.8}}},
    {"group": "b", "n": 3, "small": True, "metrics": {"recall": None}},
]
CANDIDATES = [
    {"name": "ensemble of 2", "score": 0.9, "row_ms": 20.0},
    {"name": "forest <b>", "score": 0.85, "row_ms": 30.0},
    {"name": "linear", "score": 0.8, "row_ms": 0.5},
]
CONSTANT = np.tile([0.7, 0.3], (ROWS, 1))
TRUTH = RNG.lognormal(12, 0.5, ROWS)

FIGURES: dict[str, Callable[[], HouseFigure]] = {
    "class_balance": lambda: data.class_balance(TARGET),
    "histogram": lambda: data.histogram(FRAME["number"]),
    "distributions": lambda: data.distributions(FRAME, TARGET),
    "distributions without a target": lambda: data.distributions(FRAME),
    "missing_bars": lambda: data.missing_bars(FRAME.isna().mean()),
    "association_heatmap": lambda: data.association_heatmap(pd.DataFrame(np.eye(3), index=list("abc"), columns=list("abc"))),
    "split_overview": lambda: data.split_overview(SPLIT, TARGET, positive_class=CLASSES[1]),
    "split_overview of numbers": lambda: data.split_overview(SPLIT, FRAME["number"]),
    "fold_scores": lambda: training.fold_scores({"linear": [0.8, 0.82], "neural": [0.7, float("nan")]}, "roc_auc"),
    "trials_scatter": lambda: training.trials_scatter(TRIALS, "roc_auc"),
    "frontier": lambda: selection.frontier(CANDIDATES, "roc_auc", chosen="ensemble of 2", limit=1.0),
    "frontier of disparity": lambda: disparity.frontier(
        [
            {"name": "none", "score": 0.84, "disparity": 0.5, "chosen": True},
            {"name": "reweighing 1", "score": 0.82, "disparity": 0.9, "chosen": False},
        ],
        "roc_auc",
        "disparate_impact",
        direction="at least",
        limit=0.8,
        title="Quality against disparity",
    ),
    "leaderboard": lambda: training.leaderboard(TRIALS and [{"name": "a", "score": 0.8, "std": 0.01}], "roc_auc", baseline=0.5),
    "learning_curve": lambda: training.learning_curve([10, 100], [[0.9, 0.9], [0.8, 0.8]], [0.7, 0.75], "accuracy"),
    "learning_curve beside others": lambda: training.learning_curve(
        [10, 100], [0.9, 0.8], [0.7, 0.75], "accuracy", others={"baseline": 0.1, "champion": 0.78}
    ),
    "epochs": lambda: training.epochs({"training": [0.6, 0.5], "validation": [0.6, 0.55]}, kept=2),
    "roc_curve": lambda: classification.roc_curve(Y, PROBA, CLASSES, threshold=0.4),
    "roc_curve of several classes": lambda: classification.roc_curve(MANY_TRUE, MANY, ("a", "b", "c")),
    "pr_curve": lambda: classification.pr_curve(Y, POSITIVE, CLASSES, threshold=0.4),
    "confusion_matrix": lambda: classification.confusion_matrix(Y, POSITIVE > 0.4, CLASSES),
    "gains": lambda: classification.gains(Y, PROBA, CLASSES),
    "calibration_curve": lambda: decisions.calibration_curve(Y, PROBA, CLASSES, before=POSITIVE**2),
    "calibration_curve of several classes": lambda: decisions.calibration_curve(MANY_TRUE, MANY, ("a", "b", "c")),
    "threshold_curve": lambda: decisions.threshold_curve([0.1, 0.5, 0.9], {"profit": [10, 2000, -5]}, chosen=0.5),
    "threshold_curve of shares": lambda: decisions.threshold_curve(
        [0.1, 0.9], {"precision": [0.1, 0.9], "recall": [1, 0]}, chosen=0.2
    ),
    "predicted_vs_actual": lambda: regression.predicted_vs_actual(TRUTH, TRUTH * 1.1, name="price $"),
    "residuals": lambda: regression.residuals(TRUTH, TRUTH * 1.1, name="price $"),
    "score_bars": lambda: evidence.score_bars(SCORES, baseline={"roc_auc": 0.5}),
    "score_bars beside a champion": lambda: evidence.score_bars(SCORES, baseline={"roc_auc": 0.5}, champion=SCORES),
    "roc_curve beside others": lambda: classification.roc_curve(
        Y, PROBA, CLASSES, others={"baseline": CONSTANT, "champion": PROBA}
    ),
    "roc_curve of several classes beside others": lambda: classification.roc_curve(
        MANY_TRUE, MANY, ("a", "b", "c"), others={"champion": MANY}
    ),
    "pr_curve beside others": lambda: classification.pr_curve(Y, PROBA, CLASSES, others={"baseline": CONSTANT}),
    "gains beside others": lambda: classification.gains(Y, PROBA, CLASSES, others={"champion": PROBA}),
    "calibration_curve beside others": lambda: decisions.calibration_curve(
        Y, PROBA, CLASSES, others={"baseline": CONSTANT, "champion": PROBA}
    ),
    "predicted_vs_actual beside others": lambda: regression.predicted_vs_actual(TRUTH, TRUTH, others={"champion": TRUTH * 2}),
    "residuals beside others": lambda: regression.residuals(TRUTH, TRUTH * 1.1, others={"baseline": np.full(ROWS, TRUTH.mean())}),
    "importance_bars": lambda: evidence.importance_bars(["a", "b $"], [0.2, 0.1], [0.1, 0.0], [0.3, 0.2]),
    "effect_curves": lambda: effects.effect_curves(CURVES, label="probability"),
    "reasons": lambda: evidence.reasons([{"reason": "tenure <= 9", "weight": 0.2}, {"reason": "x", "weight": -0.1}]),
    "group_bars": lambda: evidence.group_bars(GROUPS, "recall", overall=0.7, feature="gender"),
    "segments": lambda: evidence.segments([{"segment": "tenure > 5", "n": 9, "value": 0.5}], "roc_auc", overall=0.8),
    "gates": lambda: evidence.gates([{"name": "a", "group": "data", "passed": None, "value": None, "limit": 1}]),
}

EMPTY: dict[str, Callable[[], HouseFigure]] = {
    "no missing cell": lambda: data.missing_bars(pd.Series({"a": 0.0})),
    "no number": lambda: data.histogram(pd.Series([np.nan, np.inf], name="x")),
    "no column": lambda: data.distributions(pd.DataFrame()),
    "no pair": lambda: data.association_heatmap(pd.DataFrame()),
    "no trial": lambda: training.trials_scatter([], "rmse"),
    "frontier without times": lambda: selection.frontier([{"name": "a", "score": 0.8}], "rmse"),
    "no candidate": lambda: training.leaderboard([], "rmse"),
    "no model": lambda: training.fold_scores({}, "rmse"),
    "no epoch": lambda: training.epochs({"training": []}),
    "no threshold": lambda: decisions.threshold_curve([], {}),
    "no positive": lambda: classification.gains([0, 0], [0.1, 0.2]),
    "no metric": lambda: evidence.score_bars({"roc_auc": {"value": None}}),
    "no feature": lambda: evidence.importance_bars([], []),
    "no reason": lambda: evidence.reasons([]),
    "no curve": lambda: effects.effect_curves([], label="probability"),
    "no group": lambda: evidence.group_bars([], "recall"),
    "no gate": lambda: evidence.gates([]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_titled_and_its_visible_axes_are_labelled(name: str) -> None:
    made = FIGURES[name]()
    bundle, about = made._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert about["image/png"]["alt"] == made.title != ""
    panels = [axes for axes in made.axes if axes.axison]
    assert all(axes.get_xlabel() or axes.get_ylabel() or axes.get_title(loc="left") for axes in panels)


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_draw_is_said_in_words(name: str) -> None:
    made = EMPTY[name]()
    texts = [text.get_text() for axes in made.axes for text in axes.texts]
    assert any(text.startswith(("No ", "There ")) for text in texts)


def test_other_models_are_named_with_their_area() -> None:
    made = classification.roc_curve(Y, PROBA, CLASSES, others={"baseline": CONSTANT})
    texts = [text.get_text() for text in made.axes[0].texts]
    assert "baseline (dashes)\nAUC 0.500" in texts


def test_of_several_classes_each_other_model_is_named_by_its_line_and_mean_area() -> None:
    made = classification.roc_curve(MANY_TRUE, MANY, ("a", "b", "c"), others={"baseline": MANY, "champion": MANY})
    texts = [text.get_text() for text in made.axes[0].texts]
    own = [float(text.split("AUC ")[1]) for text in texts[:3]]
    assert [text.split("\n")[0] for text in texts[3:]] == ["baseline (dashes), mean", "champion (dots), mean"]
    assert float(texts[4].split("AUC ")[1]) == pytest.approx(np.mean(own), abs=0.001)


def test_others_are_marked_in_each_segment_and_named_under_the_axis() -> None:
    plain = {"segment": "tenure > 5", "n": 9, "value": 0.5}
    beside = {**plain, "others": {"baseline": 0.4, "champion": 0.9}}
    without = evidence.segments([plain, plain], "rmse").axes[0]
    drawn = evidence.segments([beside, {**beside, "others": {"baseline": None, "champion": 0.2}}], "rmse").axes[0]
    assert len(drawn.lines) == len(without.lines) + 3
    assert (without.get_xlabel(), drawn.get_xlabel()) == ("RMSE", "RMSE (grey: baseline; orange: champion)")
    assert drawn.get_xlim()[1] > 0.9


def test_a_mark_that_would_squeeze_the_segments_is_an_arrow() -> None:
    def drawn(champion: float, metric: str = "rmse") -> Any:
        part = {"segment": "tenure > 5", "n": 9, "value": 0.5, "low": 0.4, "high": 0.6, "others": {"champion": champion}}
        return evidence.segments([part], metric).axes[0]

    near, far = drawn(0.7), drawn(90.0)
    assert (len(near.collections), len(far.collections)) == (1, 2)
    assert far.get_xlim()[1] < 2
    assert drawn(-30.0, "r2").get_xlim()[0] > -2


def test_others_are_level_lines_beside_a_learning_curve_and_those_far_off_leave_its_height_alone() -> None:
    def drawn(**others: float) -> Any:
        return training.learning_curve([10, 100], [0.9, 0.88], [0.8, 0.85], "roc_auc", others=others).axes[0]

    near, far = drawn(champion=0.86), drawn(baseline=0.5, champion=0.86)
    assert near.lines[-1].get_ydata()[0] == 0.86
    assert near.get_ylim() == far.get_ylim()
    named = [text.get_text() for text in far.get_legend().get_texts()]
    assert named == ["baseline, validation rows: 0.500, below the figure", "champion, validation rows: 0.860"]
    assert drawn(champion=float("nan")).get_legend() is None


def test_others_are_marked_beside_the_coverage_of_each_part() -> None:
    level = {"coverage": 0.91, "low": 0.88, "high": 0.94, "n": 90}
    parts = [{"part": "all", "levels": {0.9: level}, "others": {"baseline": {0.9: 0.7}, "champion": {}}}]
    made = plots_coverage.coverage(parts)
    assert [line.get_xdata()[0] for line in made.axes[0].lines][-1] == 0.7
    assert made.axes[0].get_xlim()[0] < 0.7
    assert made.get_supxlabel() == "grey: baseline; purple: champion"
    assert plots_coverage.coverage([{"part": "all", "levels": {0.9: level}}]).get_supxlabel() == ""


def test_the_champion_stands_beside_every_score() -> None:
    without, beside = evidence.score_bars(SCORES), evidence.score_bars(SCORES, champion={"roc_auc": 0.8, "f1": 0.5})
    assert len(beside.axes[0].lines) == len(without.axes[0].lines) + 2
    assert "orange: champion" in beside.axes[-1].get_xlabel()


def test_a_dollar_in_a_name_is_not_read_as_mathematics() -> None:
    made = data.histogram(pd.Series([1.0, 2.0], name="a $x^2$"))
    made._repr_mimebundle_()
    assert made.axes[0].get_xlabel() == "a $x^2$"
    assert not made.axes[0].xaxis.label.get_parse_math()


def test_perfect_and_inverted_rankings_have_areas_one_and_zero() -> None:
    def said(scores: list[float]) -> str:
        return " ".join(text.get_text() for text in classification.roc_curve([0, 0, 1, 1], scores).axes[0].texts)

    assert "AUC 1.000" in said([0.1, 0.2, 0.8, 0.9])
    assert "AUC 0.000" in said([0.9, 0.8, 0.2, 0.1])


def test_tied_scores_are_one_step_of_the_curve() -> None:
    made = classification.roc_curve([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])
    assert "AUC 0.500" in made.axes[0].texts[-1].get_text()


def test_the_confusion_matrix_counts_rows_by_true_and_predicted_class() -> None:
    made = classification.confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ("No", "Yes"))
    assert [text.get_text().split("\n")[0] for text in made.axes[0].texts] == ["1", "1", "1", "2"]
    assert "60.0 % of 5 rows" in made.title


def test_the_confusion_of_another_model_is_named() -> None:
    made = classification.confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ("No", "Yes"), model="champion")
    assert made.title == "Confusion, champion: 60.0 % of 5 rows are classified correctly"


def test_each_models_threshold_is_marked_on_its_own_curve() -> None:
    curves = {"profit": [0, 10, 20], "profit, champion": [0, 100, 200]}
    made = decisions.threshold_curve([0.1, 0.5, 0.9], curves, chosen=0.5, own={"profit, champion": 0.7})
    assert [axes.texts[0].get_text() for axes in made.axes] == ["chosen 0.500: 10.00", "chosen 0.700: 150.0"]


def test_gains_state_what_the_best_ranked_rows_hold() -> None:
    assert "top 50 % of rows hold 100 % of 1" in classification.gains([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], at=0.5).title


def test_the_frontier_holds_what_no_other_candidate_beats_in_both_score_and_time() -> None:
    assert [row["name"] for row in selection.frontier_of(CANDIDATES, "roc_auc")] == ["ensemble of 2", "linear"]
    assert [row["name"] for row in selection.frontier_of(CANDIDATES, "log_loss")] == ["linear"]
    texts = [text.get_text() for text in selection.frontier(CANDIDATES, "roc_auc", chosen="ensemble of 2", limit=1.0).axes[0].texts]
    assert sorted(texts) == ["ensemble of 2  ✓", "forest <b>", "limit 1 ms", "linear"]
    slower = [{"name": f"slow {number}", "score": 0.7, "row_ms": 40.0 + number} for number in range(9)]
    crowded = selection.frontier([*CANDIDATES, *slower], "roc_auc", chosen="forest <b>").axes[0].texts
    assert sorted(text.get_text() for text in crowded) == ["ensemble of 2", "forest <b>  ✓", "linear"]


@pytest.mark.parametrize("apart", [0.0, 0.0001])
def test_no_name_of_the_frontier_lies_on_another_or_on_a_dot(apart: float) -> None:
    rows = [{"name": f"ensemble of {n}", "score": 0.84 + apart * n, "row_ms": 0.2 + 0.004 * n} for n in range(9)]
    rows.append({"name": "forest", "score": 0.80, "row_ms": 0.02})
    made = selection.frontier(rows, "roc_auc", chosen="ensemble of 3", limit=1.0)
    made.draw_without_rendering()
    axes = made.axes[0]
    boxes = {text.get_text(): extent(text) for text in axes.texts}
    assert len(boxes) == 11
    crossing = [(one, other) for one in boxes for other in boxes if one < other and boxes[one].overlaps(boxes[other])]
    assert crossing == []
    dots = [axes.transData.transform((row["row_ms"], row["score"])) for row in rows]
    assert [name for name, box in boxes.items() for dot in dots if box.contains(*dot)] == []


def test_the_leaderboard_has_the_best_first_whichever_way_the_metric_goes() -> None:
    rows: list[dict[str, Any]] = [{"name": "a", "score": 1.0, "std": 0.1}, {"name": "b", "score": 2.0, "std": 0.1}]
    first = {metric: training.leaderboard(rows, metric).axes[0].get_yticklabels()[0].get_text() for metric in ("rmse", "r2")}
    assert first == {"rmse": "a", "r2": "b"}


def test_the_best_trial_of_an_error_is_the_smallest() -> None:
    made = training.trials_scatter([{"number": 0, "score": 3.0}, {"number": 1, "score": 2.0}, {"number": 2, "score": 4.0}], "rmse")
    assert "best 2.000" in made.title


def test_a_far_baseline_does_not_squeeze_the_candidates() -> None:
    made = training.leaderboard(
        [{"name": "a", "score": 0.85, "std": 0.01}, {"name": "b", "score": 0.84, "std": 0.01}], "roc_auc", baseline=0.5
    )
    assert made.axes[0].get_xlim()[0] > 0.7
    assert any("baseline 0.500" in text.get_text() for text in made.axes[0].texts)


def test_more_rows_than_can_be_seen_are_thinned() -> None:
    made = regression.residuals(np.arange(10_000.0), np.arange(10_000.0))
    assert len(made.axes[0].collections[0].get_offsets()) == regression.DRAWN_ROWS


def test_figures_are_drawn_without_pyplot() -> None:
    code = "import sys; from gristmill.reporting.plots import data, evidence; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_same_data_gives_the_same_picture() -> None:
    first, second = (FIGURES["leaderboard"]()._repr_mimebundle_()[0]["image/png"] for _ in range(2))
    assert first == second


def test_a_figure_survives_pickling_between_processes() -> None:
    made = pickle.loads(pickle.dumps(FIGURES["class_balance"]()))  # noqa: S301 - our own bytes
    assert made.title.startswith("Rows in each class")


def test_a_threshold_stricter_than_every_compared_one_is_given_no_value() -> None:
    (axes,) = decisions.threshold_curve([0.1, 0.5], {"profit": [10, -5]}, chosen=0.9).axes
    assert [text.get_text() for text in axes.texts] == []
    (axes,) = decisions.threshold_curve([0.1, 0.5], {"profit": [10, -5]}, chosen=0.5).axes
    assert [text.get_text() for text in axes.texts] == ["chosen 0.500: \u22125.000"]


def test_gates_are_drawn_in_words_with_the_direction_of_their_limits() -> None:
    gate = {"name": "success_roc_auc", "group": "training", "passed": True, "value": 0.8533, "limit": 0.82}
    (axes,) = evidence.gates([{**gate, "message": "Success: 0.853, limit >= 0.82."}]).axes
    assert [text.get_text() for text in axes.texts][-4:] == ["Success ROC-AUC", "training", "0.853", "\u2265 0.82"]


def test_the_label_of_a_score_stands_right_of_the_baselines_mark() -> None:
    (axes,) = evidence.score_bars({"brier": {"value": 0.13, "low": 0.12, "high": 0.14}}, baseline={"brier": 0.19}).axes
    assert [text.xy for text in axes.texts] == [(0.19, 0)]
