"""Two models on the same rows: the difference in a metric, with intervals and tests that know that the rows are the same.

Errors of two models on the same rows go together, so that their difference is known far better than either score. Three views of
it: the paired bootstrap, for any metric; DeLong's test (DeLong, DeLong and Clarke-Pearson 1988; fast form of Sun and Xu 2014), for
the area under the ROC curve; McNemar's exact test (1947), for who decides rightly where the other does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gristmill.config.metric_ranges import metric_range
from gristmill.metrics.interval_ends import Interval, bca_interval, within
from gristmill.metrics.intervals import DEFAULT_BOOTSTRAP, Bootstrap, strata_of
from gristmill.metrics.resampling import Kernel, resample
from gristmill.metrics.scores import Codes, Floats, as_gain, decide, lost
from gristmill.metrics.weighted import weighted_scores

NOTHING_LOST = 1e-12
"""A loss below this is none."""


@dataclass(frozen=True)
class Answers:
    """What one model says about the rows, and how it is scored.

    Attributes
    ----------
    predicted
        Probabilities ``(n_rows, n_classes)``, or numbers ``(n_rows,)``.
    threshold
        Smallest probability of the positive class that counts as positive; None: the most probable class.
    n_features
        Number of its features, for ``adjusted_r2`` alone.
    """

    predicted: Floats
    threshold: float | None = None
    n_features: int = 0


@dataclass(frozen=True)
class Difference:
    """How two models differ in one metric on the same rows.

    Attributes
    ----------
    metric
        The metric.
    first, second
        Their scores.
    gain
        First minus second, turned so that more is better, with its interval.
    improvement
        The share of the second model's loss (or of what its score lacks of the best) that the first removes, with its interval;
        minus infinity where the second loses nothing and the first does.
    error
        Standard error of ``improvement``, from the draws in which it is finite.
    """

    metric: str
    first: float
    second: float
    gain: Interval
    improvement: Interval
    error: float


def differences(
    task: str,
    y_true: Codes | Floats,
    first: Answers,
    second: Answers,
    metrics: tuple[str, ...],
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
) -> dict[str, Difference]:
    """Return, for each metric, the difference of two models with BCa intervals; both are scored on the same resamples.

    Parameters
    ----------
    task, y_true
        Kind of target, and the truth, shape ``(n_rows,)``.
    first, second
        What each model says about these rows.
    metrics
        Names of metrics of the task.
    bootstrap
        Confidence, resamples and seed.
    """
    strata, truth = strata_of(task, y_true), np.asarray(y_true)
    leading = first.predicted if first.predicted.ndim == 1 else -first.predicted[:, -1]
    order = np.lexsort((leading, strata)) if task == "binary" else np.arange(len(strata))  # sorted rows rank faster

    def kernel_of(rows: NDArray[np.intp]) -> Kernel:
        kernels = [
            weighted_scores(
                truth[order][rows], one.predicted[order][rows], metrics, threshold=one.threshold, n_features=one.n_features
            )
            for one in (first, second)
        ]

        def kernel(weights: Floats) -> dict[str, Floats]:
            mine, its = (part(weights) for part in kernels)
            found: dict[str, Floats] = {}
            for metric in metrics:
                found[f"{metric} gain"] = as_gain(metric, 1.0) * (mine[metric] - its[metric])
                found[f"{metric} improvement"] = _improvement(metric, mine[metric], its[metric])
                found[f"{metric} first"], found[f"{metric} second"] = mine[metric], its[metric]
            return found

        return kernel

    drawn = resample(kernel_of, strata[order], bootstrap.resamples, bootstrap.random_state)

    def interval(name: str) -> Interval:
        return bca_interval(drawn.values[name], drawn.draws[name], bootstrap.confidence, drawn.accelerations[name])

    def difference(metric: str) -> Difference:
        finite = drawn.draws[f"{metric} improvement"]
        finite = finite[np.isfinite(finite)]
        error = float(finite.std(ddof=1)) if len(finite) > 1 else float("nan")
        scores = (drawn.values[f"{metric} first"], drawn.values[f"{metric} second"])
        lowest, highest = metric_range(metric, task)
        gain = within(interval(f"{metric} gain"), lowest - highest, highest - lowest)
        return Difference(metric, *scores, gain, within(interval(f"{metric} improvement"), -np.inf, 1.0), error)

    return {metric: difference(metric) for metric in metrics}


def _improvement(metric: str, mine: Floats, its: Floats) -> Floats:
    """Return the share of ``its`` loss that ``mine`` removes: beside no loss, zero for no loss either, else minus infinity.

    Resamples in which the other model loses nothing are those in which a loss weighs most: left out, they would hide it.
    """
    my_loss, its_loss = (lost(metric, values) for values in (mine, its))
    nothing = np.where(my_loss <= NOTHING_LOST, 0.0, np.where(np.isnan(my_loss + its_loss), np.nan, -np.inf))
    share: Floats = np.divide(its_loss - my_loss, its_loss, out=nothing, where=its_loss > NOTHING_LOST)
    return share


@dataclass(frozen=True)
class PairedTest:
    """A test of no difference: what was found, and how often chance alone would show as much.

    Attributes
    ----------
    name
        ``DeLong`` or ``McNemar``.
    found
        The difference with its interval, or the rows that one model alone decides rightly.
    p_value
        Two-sided.
    """

    name: str
    found: dict[str, float]
    p_value: float


def delong(is_positive: NDArray[np.bool_], first: Floats, second: Floats, confidence: float = 0.95) -> PairedTest:
    """Return DeLong's test of two areas under the ROC curve on the same rows.

    Parameters
    ----------
    is_positive
        Whether a row is positive, shape ``(n_rows,)``.
    first, second
        What each model ranks the rows by.
    confidence
        Level of the interval of the difference.

    Returns
    -------
    PairedTest
        ``found``: ``difference`` (first minus second), ``low``, ``high``, ``error``. Not a number with fewer than two rows of a
        class.
    """
    from scipy.special import ndtr, ndtri  # noqa: PLC0415

    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if min(n_positive, n_negative) < 2:
        return PairedTest("DeLong", dict.fromkeys(("difference", "low", "high", "error"), float("nan")), float("nan"))
    parts = [_placements(is_positive, scores) for scores in (first, second)]
    positives, negatives = (np.array(part) for part in zip(*parts, strict=True))
    difference = float(positives[0].mean() - positives[1].mean())
    variance = np.var(positives[0] - positives[1], ddof=1) / n_positive + np.var(negatives[0] - negatives[1], ddof=1) / n_negative
    error = float(np.sqrt(variance))
    without_error = 1.0 if difference == 0 else 0.0
    p_value = float(2 * ndtr(-abs(difference) / error)) if error > 0 else without_error
    wide = float(ndtri(0.5 + confidence / 2)) * error
    return PairedTest(
        "DeLong", {"difference": difference, "low": difference - wide, "high": difference + wide, "error": error}, p_value
    )


def _placements(is_positive: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Return for each positive the share of negatives below it, and for each negative the share of positives above; ties half."""
    from scipy.stats import rankdata  # noqa: PLC0415

    positive, negative = scores[is_positive], scores[~is_positive]
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    return above, below


def mcnemar(y_true: Codes, first: Codes, second: Codes) -> PairedTest:
    """Return McNemar's exact test of two models' decisions on the same rows.

    Returns
    -------
    PairedTest
        ``found``: rows where ``only_first`` and where ``only_second`` decides rightly.
    """
    from scipy.stats import binomtest  # noqa: PLC0415

    right, other = first == y_true, second == y_true
    mine, its = int((right & ~other).sum()), int((other & ~right).sum())
    p_value = float(binomtest(mine, mine + its).pvalue) if mine + its else 1.0
    return PairedTest("McNemar", {"only_first": mine, "only_second": its}, p_value)


def paired_tests(task: str, y_true: Codes | Floats, first: Answers, second: Answers, confidence: float = 0.95) -> list[PairedTest]:
    """Return the tests that fit a task: DeLong for two classes, McNemar for any classes, none for numbers."""
    if task == "regression":
        return []
    codes = np.asarray(y_true, dtype=np.int64)
    decided = [decide(one.predicted, one.threshold) for one in (first, second)]
    found = [mcnemar(codes, *decided)]
    if task == "binary":
        found.insert(0, delong(codes == 1, first.predicted[:, 1], second.predicted[:, 1], confidence))
    return found
