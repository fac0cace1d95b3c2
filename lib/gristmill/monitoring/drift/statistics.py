"""Distances and tests between two sets of counts, each as the literature (and scipy, where it has it) defines it.

Functions take counts in the same cells, shape ``(n_cells,)``: of the reference first, of the window second.
"""

import numpy as np

from gristmill.modeling.artifact.column_counts import Floats, Ints, NumberCounts

SMALL = 5.0
"""Smallest expected number of rows in a cell for which the chi-square distribution is trusted (Cochran 1954)."""


def pooled(reference: Ints, window: Ints, *, ordered: bool, smallest: float = SMALL) -> tuple[Ints, Ints]:
    """Return both counts with small cells put together, until ``smallest`` rows are expected in each, in both.

    Parameters
    ----------
    reference, window
        Counts in the same cells.
    ordered
        Whether cells have neighbours to be put together with; otherwise the small ones form one cell.
    smallest
        Rows expected under equal distributions.
    """
    total = reference + window
    rows = np.array([reference.sum(), window.sum()], dtype=np.float64)
    least = smallest * rows.sum() / max(rows.min(), 1.0)  # rows of both that a cell needs
    groups = _runs(total, least) if ordered else _small_together(total, least)
    if not len(groups):
        return reference[:0], window[:0]
    n_groups = int(groups.max()) + 1
    return (
        np.bincount(groups, reference, n_groups).astype(np.int64),
        np.bincount(groups, window, n_groups).astype(np.int64),
    )


def _runs(total: Ints, least: float) -> Ints:
    """Return the group of each cell: runs of neighbours of at least ``least`` rows; what is left over joins the last."""
    groups, group, held = np.zeros(len(total), dtype=np.int64), 0, 0.0
    for cell, rows in enumerate(total.tolist()):
        if held >= least:
            group, held = group + 1, 0.0
        groups[cell], held = group, held + rows
    if held < least and group:
        groups[groups == group] = group - 1
    return groups


def _small_together(total: Ints, least: float) -> Ints:
    """Return the group of each cell: large ones are their own, the small ones are together."""
    order = np.argsort(-total, kind="stable")
    large = total[order] >= least
    n_large = int(large.sum())
    groups = np.zeros(len(total), dtype=np.int64)
    groups[order] = np.minimum(np.arange(len(total)), n_large)
    rest = int(total[order][n_large:].sum())
    if n_large and rest < least:
        groups[groups == n_large] = n_large - 1
    return groups


def shares(counts: Ints) -> Floats:
    """Return the share of each cell with half a row added to each, so that no logarithm is infinite (Jeffreys' prior)."""
    return np.asarray((counts + 0.5) / (counts.sum() + 0.5 * len(counts)), dtype=np.float64)


def psi(reference: Floats, window: Floats) -> float:
    """Return the population stability index of two distributions, all shares above zero: KL both ways, in nats."""
    return float(((window - reference) * np.log(window / reference)).sum())


def psi_bias(n_cells: int, n_reference: int, n_window: int) -> float:
    """Return the PSI that samples of one distribution show on average.

    Where both come from the same distribution, PSI divided by ``1/n_reference + 1/n_window`` follows a chi-square distribution
    with ``n_cells - 1`` degrees of freedom (Yurdakul 2018, "Statistical properties of the population stability index").
    """
    return max(n_cells - 1, 0) * (1 / max(n_reference, 1) + 1 / max(n_window, 1))


def kl_divergence(window: Floats, reference: Floats) -> float:
    """Return the Kullback-Leibler divergence of the window from the reference in nats; half :func:`psi_bias` is its bias."""
    return float((window * np.log(window / reference)).sum())


def jensen_shannon(reference: Floats, window: Floats) -> float:
    """Return the Jensen-Shannon distance: the root of the divergence to base 2, from 0 to 1."""
    middle = (reference + window) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [np.where(one > 0, one * np.log2(one / middle), 0.0).sum() for one in (reference, window)]
    return float(np.sqrt(max(sum(parts) / 2, 0.0)))


def chi_square(reference: Ints, window: Ints) -> tuple[float, float]:
    """Return Pearson's statistic that both counts come from one distribution, and its p-value; (0, 1) for a single cell."""
    from scipy.special import chdtrc  # noqa: PLC0415

    total = reference + window
    kept = total > 0
    if kept.sum() < 2 or not reference.sum() or not window.sum():
        return 0.0, 1.0
    table = np.array([reference[kept], window[kept]], dtype=np.float64)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return statistic, float(chdtrc(kept.sum() - 1, statistic))


def kolmogorov_smirnov(reference: Ints, window: Ints) -> tuple[float, float]:
    """Return the largest difference between two cumulative distributions at the edges of their cells, and its p-value.

    The p-value is that of the limiting distribution (Smirnov 1948) with the finite-sample correction of Stephens (1970); with
    ties, and between edges, it errs on the side of no drift.
    """
    from scipy.special import kolmogorov  # noqa: PLC0415

    n_reference, n_window = int(reference.sum()), int(window.sum())
    if not n_reference or not n_window:
        return 0.0, 1.0
    statistic = float(np.abs(np.cumsum(reference) / n_reference - np.cumsum(window) / n_window).max())
    root = np.sqrt(n_reference * n_window / (n_reference + n_window))
    return statistic, float(kolmogorov((root + 0.12 + 0.11 / root) * statistic))


def wasserstein(reference: NumberCounts, window: NumberCounts) -> float | None:
    """Return the first Wasserstein distance (in the column's unit), None where sums were not kept.

    Between two edges the area between the cumulative distributions follows exactly from counts and sums, as long as they do not
    cross inside the cell; where they do, the distance is a little too small.
    """
    if reference.sums is None or window.sums is None or not reference.present or not window.present:
        return None
    ends = (min(reference.minimum, window.minimum), max(reference.maximum, window.maximum))
    borders = np.concatenate([[min(ends[0], *reference.edges[:1])], reference.edges, [max(ends[1], *reference.edges[-1:])]])
    areas = _areas(reference.counts, reference.sums, borders) - _areas(window.counts, window.sums, borders)
    return float(np.abs(areas).sum())


def _areas(counts: Ints, sums: Floats, borders: Floats) -> Floats:
    """Return the area below the cumulative distribution in each cell, by integration by parts."""
    n_rows = counts.sum()
    after = np.cumsum(counts) / n_rows
    before = np.concatenate([[0.0], after[:-1]])
    areas = borders[1:] * after - borders[:-1] * before - sums / n_rows
    return np.asarray(areas, dtype=np.float64)


def shares_differ(reference: tuple[int, int], window: tuple[int, int]) -> float:
    """Return the p-value that two shares are the same, each given as (rows that have it, all rows).

    Fisher's exact test where fewer than ten rows are expected in a cell, else the chi-square test.
    """
    from scipy.stats import hypergeom  # noqa: PLC0415

    (had, of), (has, among) = reference, window
    total, marked = of + among, had + has
    if not of or not among or marked in (0, total):
        return 1.0
    if min(marked, total - marked) * min(of, among) / total >= 10:
        return chi_square(np.array([had, of - had]), np.array([has, among - has]))[1]
    law = hypergeom(total, marked, among)
    return float(min(1.0, 2 * min(law.cdf(has), law.sf(has - 1))))


def beyond(n_reference: int, n_window: int, n_outside: int) -> float:
    """Return the p-value that ``n_outside`` of a window's rows lie beyond both ends of the reference's.

    Of two samples of one distribution, the ``k`` furthest on one side are all of the second with a probability that depends on
    nothing but their sizes (Rosenbaum 1954); both sides are counted, and the larger side has at least half of the rows.
    """
    from scipy.special import gammaln  # noqa: PLC0415

    if not n_outside or not n_reference or not n_window:
        return 1.0
    furthest = (n_outside + 1) // 2
    total = n_reference + n_window
    chance = gammaln(n_window + 1) - gammaln(n_window - furthest + 1) - gammaln(total + 1) + gammaln(total - furthest + 1)
    return float(min(1.0, 2 * np.exp(chance)))


def holm(p_values: Floats) -> Floats:
    """Return p-values adjusted for their number, shape as given (Holm 1979).

    The chance that any of them falls below the significance level by accident is at most that level, whatever the tests have to
    do with each other; columns of a table usually have much to do with each other.
    """
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * (len(p_values) - np.arange(len(p_values)))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
