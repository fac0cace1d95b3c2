"""From out-of-fold predictions to conformity scores, by MAPIE's definitions; nothing is trained for it.

The rows were predicted by models that had not seen them, calibration and mitigation included, so that no row is kept back from the
final model. What that one, which learnt from all of them, answers is then held against these scores: the jackknife rather than the
split, whose coverage rests on the final model being as good as those of the folds (Barber, Candès, Ramdas & Tibshirani 2021).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.choice.candidates import blocks_of
from gristmill.modeling.conformal.conformity import ABSOLUTE, LAC, SCALED, Conformity
from gristmill.modeling.conformal.spread import fit_spread
from gristmill.modeling.search.folds import Folds
from gristmill.modeling.training_rows import TrainingRows

Floats = NDArray[np.float64]

JUDGED_AT = 0.9
"""The level at which it shows whether one width serves all predictions alike."""

CHANCE = 0.01
"""How often errors of one size may be taken to be of several by chance."""


def conformity_of(rows: TrainingRows, oof: Floats) -> Conformity:
    """Return the conformity scores of the chosen model.

    Parameters
    ----------
    rows
        The training rows.
    oof
        Out-of-fold predictions of all training rows as the model will answer, calibrated and moved by group where it does so;
        rows that are never validated are left out.

    Raises
    ------
    DataError
        A validated row has no prediction.
    """
    if rows.classes:
        return Conformity.of(LAC, class_scores(rows.y[rows.validated], oof[rows.validated]))
    return number_conformity(rows.y, oof, rows.folds)


def class_scores(y: NDArray[Any], proba: Floats) -> Floats:
    """Return one minus the probability of each row's true class, by MAPIE's LAC score.

    Parameters
    ----------
    y
        Class codes, shape ``(n_rows,)``.
    proba
        Probabilities, shape ``(n_rows, n_classes)``.
    """
    from mapie.conformity_scores import LACConformityScore  # noqa: PLC0415 - for those who learn, not for those who serve

    return np.asarray(LACConformityScore().get_conformity_scores(y, proba, y_enc=y), dtype=np.float64)[:, 0]


def residuals(y: Floats, predicted: Floats) -> Floats:
    """Return the absolute errors by MAPIE's score, shape ``(n_rows,)``.

    Its signed score is asked for: the absolute one checks itself by an error of 1e-8, which sums of millions exceed by rounding.
    """
    from mapie.conformity_scores import AbsoluteConformityScore  # noqa: PLC0415

    return np.abs(np.asarray(AbsoluteConformityScore().get_signed_conformity_scores(y, predicted), dtype=np.float64))


def number_conformity(y: Floats, oof: Floats, folds: Folds) -> Conformity:
    """Return the scores of a regression: absolute residuals, or scaled ones where one width would serve some predictions worse.

    One width does so if it holds the truth more often in some quarter of the predicted numbers than in another, by a chi-squared
    test at :data:`JUDGED_AT`. Scaled scores are taken then, unless they make intervals worse: a greater interval score (Gneiting &
    Raftery 2007), by more than the standard error of its mean over the folds. The curve that a row's error is divided by was learnt
    on other folds.
    """
    blocks = [valid for _, valid in blocks_of(folds)]
    valid = np.concatenate(blocks)
    errors = residuals(y, oof)
    plain = Conformity.of(ABSOLUTE, errors[valid])
    sizes = _cross_sizes(oof, errors, blocks)
    curve = fit_spread(oof[valid], errors[valid])
    if sizes is None or curve is None or plain.highest_level < JUDGED_AT:
        return plain
    if not uneven(oof[valid], errors[valid] <= plain.limit(JUDGED_AT)):
        return plain
    scaled = Conformity.of(SCALED, errors[valid] / sizes[valid], curve)
    gains = interval_loss(errors, plain.limit(JUDGED_AT)) - interval_loss(errors, scaled.limit(JUDGED_AT) * sizes)
    by_fold = np.array([gains[block].mean() for block in blocks])
    error = float(by_fold.std(ddof=1) / np.sqrt(len(by_fold)))
    return scaled if float(by_fold.mean()) > -error else plain


def uneven(predicted: Floats, held: NDArray[np.bool_]) -> bool:
    """Return whether truths are held more often in some quarter of the predictions than in others, beyond chance.

    Parameters
    ----------
    predicted
        Predicted numbers, shape ``(n_rows,)``.
    held
        Whether the interval of each row holds its truth.
    """
    from scipy.stats import chi2_contingency  # noqa: PLC0415

    if held.all() or not held.any():
        return False
    quarters = [held[part] for part in np.array_split(np.argsort(predicted, kind="stable"), 4)]
    counts = [[int(part.sum()), int((~part).sum())] for part in quarters]
    return bool(chi2_contingency(counts).pvalue < CHANCE)


def interval_loss(errors: Floats, half: Floats | float) -> Floats:
    """Return the interval score at :data:`JUDGED_AT` of intervals around predictions: width, and what the truth lies outside.

    Parameters
    ----------
    errors
        Absolute errors, shape ``(n_rows,)``.
    half
        Half the width of the intervals.
    """
    return np.asarray(2 * half + 2 / (1 - JUDGED_AT) * np.maximum(errors - half, 0.0))


def _cross_sizes(oof: Floats, errors: Floats, blocks: list[NDArray[np.int64]]) -> Floats | None:
    """Return the size of errors at each validated row's prediction, learnt on the other blocks; None where that cannot be."""
    if len(blocks) < 2:
        return None
    sizes = np.full(len(oof), np.nan)
    for number, block in enumerate(blocks):
        others = np.concatenate([one for place, one in enumerate(blocks) if place != number])
        curve = fit_spread(oof[others], errors[others])
        if curve is None:
            return None
        sizes[block] = curve.at(oof[block])
    return sizes
