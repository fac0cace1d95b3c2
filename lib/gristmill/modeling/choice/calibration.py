"""Making probabilities mean what they say, where that can be shown out of fold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.utils.validation import check_is_fitted

from gristmill.metrics.scores import as_gain, score
from gristmill.modeling.choice.candidates import blocks_of
from gristmill.modeling.search.folds import Folds

Floats = NDArray[np.float64]

METHODS = ("sigmoid", "isotonic")
SMALLEST = 1e-6
"""Probabilities are kept this far from 0 and 1: no finite table proves certainty."""

ROWS_FOR_ISOTONIC = 1000
"""Validated rows below which a free-form curve would fit noise (Niculescu-Mizil & Caruana 2005)."""

MIN_CLASS_ROWS = 20
"""Validated rows every class needs before any curve is fitted to it."""


class ProbabilityCalibrator(BaseEstimator):  # type: ignore[misc]
    """A monotone curve from a classifier's probabilities to calibrated ones, one curve a class.

    Two classes share the positive class's curve; with more, every class is calibrated against the rest and the results are scaled
    to sum to one (Zadrozny & Elkan 2002).

    Parameters
    ----------
    method
        ``sigmoid`` (a logistic curve on the log-odds, Platt 1999) or ``isotonic`` (a step curve).
    """

    def __init__(self, method: str = "sigmoid") -> None:
        self.method = method

    def fit(self, y_proba: Floats, y: NDArray[Any]) -> "ProbabilityCalibrator":
        """Fit the curves to out-of-fold probabilities ``(n_rows, n_classes)`` and codes ``(n_rows,)``."""
        self.n_classes_ = y_proba.shape[1]
        codes = [1] if self.n_classes_ == 2 else range(self.n_classes_)
        curves = [self._curve(y_proba[:, code], np.asarray(y) == code) for code in codes]
        self.inputs_ = [inputs for inputs, _ in curves]
        self.outputs_ = [outputs for _, outputs in curves]
        return self

    def transform(self, y_proba: Floats) -> Floats:
        """Return calibrated probabilities, shape ``(n_rows, n_classes)``."""
        check_is_fitted(self, "inputs_")
        if self.n_classes_ == 2:
            positive = self._apply(y_proba[:, 1], self.inputs_[0], self.outputs_[0])
            return np.column_stack([1 - positive, positive])
        columns = zip(y_proba.T, self.inputs_, self.outputs_, strict=True)
        calibrated = np.column_stack([self._apply(column, inputs, outputs) for column, inputs, outputs in columns])
        return np.asarray(calibrated / calibrated.sum(axis=1, keepdims=True), dtype=np.float64)

    def _curve(self, column: Floats, is_class: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Return a curve: slope and intercept of a sigmoid, or the corners of a step curve."""
        if self.method == "sigmoid":
            model = LogisticRegression(C=1e6).fit(_log_odds(column).reshape(-1, 1), is_class)
            return model.coef_[0].copy(), model.intercept_.copy()
        curve = IsotonicRegression(y_min=SMALLEST, y_max=1 - SMALLEST, out_of_bounds="clip").fit(column, is_class.astype(float))
        return np.asarray(curve.X_thresholds_), np.asarray(curve.y_thresholds_)

    def _apply(self, column: Floats, inputs: Floats, outputs: Floats) -> Floats:
        """Return one class's probabilities moved along its curve."""
        if self.method == "sigmoid":
            moved = expit(_log_odds(column) * inputs[0] + outputs[0])
        else:
            moved = np.interp(column, inputs, outputs)
        return np.asarray(np.clip(moved, SMALLEST, 1 - SMALLEST), dtype=np.float64)


def _log_odds(column: Floats) -> Floats:
    """Return the log-odds of probabilities kept away from 0 and 1."""
    return np.asarray(logit(np.clip(column, SMALLEST, 1 - SMALLEST)), dtype=np.float64)


class Calibrated(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier followed by a calibrator that was fitted out of fold.

    Parameters
    ----------
    estimator
        The classifier; :meth:`fit` fits a clone of it.
    calibrator
        A fitted :class:`ProbabilityCalibrator`; :meth:`fit` leaves it as it is, for refitting it on rows the classifier has learnt
        from would undo it.
    """

    def __init__(self, estimator: Any = None, calibrator: Any = None) -> None:
        self.estimator = estimator
        self.calibrator = calibrator

    def fit(self, X: Any, y: Any) -> "Calibrated":
        """Fit the classifier."""
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = self.estimator_.classes_
        return self

    def __sklearn_clone__(self) -> "Calibrated":
        """Return an unfitted twin with the same fitted curves: scikit-learn's own clone would hand on empty ones."""
        return Calibrated(clone(self.estimator), self.calibrator)

    def predict_proba(self, X: Any) -> Floats:
        """Return calibrated probabilities, shape ``(n_rows, n_classes)``."""
        check_is_fitted(self, "estimator_")
        return np.asarray(self.calibrator.transform(self.estimator_.predict_proba(X)), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class, shape ``(n_rows,)``."""
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])


@dataclass(frozen=True)
class Calibration:
    """What calibration did.

    ``method`` is ``none`` when nothing helped, then ``calibrator`` is None and ``oof`` what came; otherwise ``oof`` holds
    probabilities each calibrated by a curve that was fitted on the other folds.
    """

    method: str
    log_loss_before: float
    log_loss_after: float
    calibrator: ProbabilityCalibrator | None
    oof: Floats


def cross_calibrated(method: str, y: NDArray[Any], oof: Floats, folds: Folds) -> Floats:
    """Return out-of-fold probabilities, every fold's calibrated by a curve fitted on the other folds."""
    calibrated = oof.copy()
    rows = [valid for _, valid in folds]
    for place, valid in enumerate(rows):
        others = np.concatenate([part for other, part in enumerate(rows) if other != place])
        calibrated[valid] = ProbabilityCalibrator(method).fit(oof[others], y[others]).transform(oof[valid])
    return calibrated


def calibrate(metric: str, y: NDArray[Any], oof: Floats, folds: Folds) -> Calibration:
    """Return the calibration that lowers the out-of-fold log loss beyond noise without hurting the primary metric, or none.

    Parameters
    ----------
    metric
        The primary metric; it may get worse by one standard error over the folds at most.
    y
        Codes of all training rows.
    oof
        Out-of-fold probabilities of all training rows.
    folds
        Positions of the training and the validation rows.
    """
    blocks = blocks_of(folds)
    valid = np.concatenate([rows for _, rows in blocks])
    before = score("log_loss", y[valid], oof[valid])
    best = Calibration("none", before, before, None, oof)
    if not _enough(y, blocks, oof.shape[1]):
        return best
    for method in METHODS:
        if method == "isotonic" and len(valid) < ROWS_FOR_ISOTONIC:
            continue
        calibrated = cross_calibrated(method, y, oof, blocks)
        after = score("log_loss", y[valid], calibrated[valid])
        if after < best.log_loss_after and _helps(metric, y, oof, calibrated, blocks):
            best = Calibration(method, before, after, ProbabilityCalibrator(method).fit(oof[valid], y[valid]), calibrated)
    return best


def _enough(y: NDArray[Any], folds: Folds, n_classes: int) -> bool:
    """Return whether every class is frequent enough outside every fold to fit a curve to it."""
    rows = [valid for _, valid in folds]
    if len(rows) < 2:
        return False
    total = np.bincount(y[np.concatenate(rows)], minlength=n_classes)
    fewest = min(int((total - np.bincount(y[part], minlength=n_classes)).min()) for part in rows)
    return fewest >= MIN_CLASS_ROWS


def _helps(metric: str, y: NDArray[Any], oof: Floats, calibrated: Floats, folds: Folds) -> bool:
    """Return whether the log loss falls by more than its standard error and the primary metric stays within its own."""
    loss_mean, loss_error = _gain_by_fold("log_loss", y, oof, calibrated, folds)
    metric_mean, metric_error = _gain_by_fold(metric, y, oof, calibrated, folds)
    return loss_mean > loss_error and metric_mean >= -metric_error


def _gain_by_fold(metric: str, y: NDArray[Any], oof: Floats, calibrated: Floats, folds: Folds) -> tuple[float, float]:
    """Return the mean gain from calibration over the folds, and its standard error."""
    gains = [as_gain(metric, score(metric, y[v], calibrated[v])) - as_gain(metric, score(metric, y[v], oof[v])) for _, v in folds]
    known = np.asarray([gain for gain in gains if np.isfinite(gain)])
    if len(known) < 2:
        return 0.0, 0.0
    return float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known)))
