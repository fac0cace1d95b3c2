"""How a metric is read by somebody who has not met it, in a few words."""

METRIC_MEANINGS: dict[str, str] = {
    "roc_auc": "chance that a row of the class is ranked above one that is not; 0.5 is guessing, 1 perfect",
    "pr_auc": "mean precision over all shares found; guessing gives the share of the class",
    "accuracy": "share of rows decided rightly",
    "balanced_accuracy": "mean over the classes of the share decided rightly",
    "precision": "share of the rows called positive that are",
    "recall": "share of the positive rows that are found",
    "f1": "harmonic mean of precision and recall; 1 is perfect",
    "mcc": "correlation of decision and truth; 0 is guessing, 1 perfect",
    "log_loss": "how badly probabilities fit what came true; lower is better",
    "brier": "mean squared error of the probabilities; lower is better",
    "ece": "mean distance of a probability from how often it came true; lower is better",
    "lift_10": "how many times more positives the highest tenth holds than a random tenth",
    "gain_20": "share of all positives in the highest fifth",
    "rmse": "typical error, large ones counting more, in units of the target; lower is better",
    "mae": "mean error, in units of the target; lower is better",
    "mse": "mean squared error; lower is better",
    "mape": "mean error as a share of the true number; lower is better",
    "pinball_10": "loss of the prediction as a low estimate, too high counting nine times; lower is better",
    "pinball_90": "loss of the prediction as a high estimate, too low counting nine times; lower is better",
    "r2": "share of the target's variance explained; 0 is the mean, 1 perfect",
    "adjusted_r2": "the same, less what any column would explain by chance",
}
"""Metric -> what it says, and which way is good where the name does not tell."""

MEASURE_MEANINGS: dict[str, str] = {
    "disparate_impact": "smallest share called positive over the largest; 1 is equal",
    "selection_rate_difference": "difference in the share called positive; 0 is equal",
    "equal_opportunity_difference": "difference in the share of true cases found; 0 is equal",
    "false_positive_rate_difference": "difference in the share of others called positive; 0 is equal",
    "equalized_odds_difference": "the larger of the differences in true cases found and in others called positive; 0 is equal",
    "calibration_difference": "difference in how far mean probabilities lie above what came true; 0 is equal",
    "error_ratio": "largest mean error over the smallest; 1 is equal",
    "error_difference": "difference in the mean error; 0 is equal",
    "mean_prediction_difference": "difference in the mean prediction",
    "mean_prediction_ratio": "smallest mean prediction over the largest; 1 is equal",
    "mean_residual_difference": "difference in how far predictions are too low on average; 0 is equal",
}
"""Measure of disparity -> what it compares between groups."""
