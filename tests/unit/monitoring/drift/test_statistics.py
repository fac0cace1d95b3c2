"""The distances and tests, held against scipy where it defines the same."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from gristmill.modeling.artifact.column_counts import NumberCounts
from gristmill.monitoring.drift import statistics


def sample(seed: int = 0, n_cells: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(20, 400, n_cells), rng.integers(20, 400, n_cells)


def test_kl_and_psi_are_those_of_scipy():
    old, new = (statistics.shares(counts) for counts in sample())
    assert statistics.kl_divergence(new, old) == pytest.approx(stats.entropy(new, old), rel=1e-12)
    assert statistics.psi(old, new) == pytest.approx(stats.entropy(new, old) + stats.entropy(old, new), rel=1e-12)


def test_jensen_shannon_is_that_of_scipy_with_empty_cells_too():
    old, new = np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.3, 0.7])
    assert statistics.jensen_shannon(old, new) == pytest.approx(jensenshannon(old, new, 2), rel=1e-12)


def test_chi_square_is_that_of_scipy_and_skips_empty_cells():
    old, new = sample(1)
    expected = stats.chi2_contingency([old, new], correction=False)
    found = statistics.chi_square(np.append(old, 0), np.append(new, 0))
    assert found == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize("levels", [7, 150])
def test_kolmogorov_smirnov_is_exact_where_each_value_has_a_cell(levels: int):
    rng = np.random.default_rng(levels)
    old, new = rng.integers(0, levels, 3000).astype(float), (rng.integers(0, levels, 700) * 0.97).round()
    edges = np.unique(old)
    distance, chance = statistics.kolmogorov_smirnov(NumberCounts.of(old, edges).counts, NumberCounts.of(new, edges).counts)
    expected = stats.ks_2samp(old, new, method="asymp")
    assert distance == pytest.approx(expected.statistic, abs=1e-12)
    assert chance == pytest.approx(expected.pvalue, abs=0.02)


@pytest.mark.parametrize("draw", ["normal", "pareto", "whole"])
def test_wasserstein_agrees_with_scipy(draw: str):
    rng = np.random.default_rng(3)
    make = {
        "normal": lambda n: rng.normal(5, 2, n),
        "pareto": lambda n: rng.pareto(1.5, n),
        "whole": lambda n: rng.poisson(3, n) * 1.0,
    }[draw]
    old, new = make(5000), make(3000) * 1.2 + 0.1
    edges = np.unique(np.quantile(old, np.linspace(0, 1, 201)[1:-1]))
    found = statistics.wasserstein(NumberCounts.of(old, edges), NumberCounts.of(new, edges))
    assert found == pytest.approx(stats.wasserstein_distance(old, new), rel=0.02)


def test_a_rare_share_is_tested_exactly_and_a_common_one_by_chi_square():
    one_sided = stats.fisher_exact([[1, 899], [4, 496]], alternative="less").pvalue
    assert statistics.shares_differ((1, 900), (4, 500)) == pytest.approx(2 * one_sided, rel=1e-9)
    common = stats.chi2_contingency([[90, 810], [80, 420]], correction=False).pvalue
    assert statistics.shares_differ((90, 900), (80, 500)) == pytest.approx(common, rel=1e-9)
    assert statistics.shares_differ((0, 10), (0, 10)) == 1.0


def test_two_small_samples_of_one_distribution_rarely_seem_to_lie_outside():
    rng = np.random.default_rng(4)
    chances = []
    for _ in range(2000):
        old, new = rng.normal(size=200), rng.normal(size=100)
        chances.append(statistics.beyond(200, 100, int(((new < old.min()) | (new > old.max())).sum())))
    assert np.mean(np.array(chances) <= 0.05) <= 0.05
    assert statistics.beyond(200, 100, 20) < 1e-3


def test_small_cells_are_put_together_and_no_row_is_lost():
    old, new = np.array([500, 2, 1, 300, 1]), np.array([50, 0, 1, 30, 0])
    for ordered in (True, False):
        was, now = statistics.pooled(old, new, ordered=ordered)
        total = was + now
        assert (was.sum(), now.sum()) == (old.sum(), new.sum())
        assert (total * now.sum() / total.sum() >= statistics.SMALL).all()


def test_a_cell_that_only_the_window_fills_is_kept():
    was, now = statistics.pooled(np.array([900, 100, 0]), np.array([0, 0, 200]), ordered=False)
    assert len(was) == 3
    assert statistics.chi_square(was, now)[1] < 1e-20


def test_psi_of_one_distribution_is_its_bias_on_average():
    rng = np.random.default_rng(5)
    found = []
    for _ in range(400):
        old, new = rng.multinomial(5000, np.full(10, 0.1)), rng.multinomial(800, np.full(10, 0.1))
        found.append(statistics.psi(statistics.shares(old), statistics.shares(new)))
    assert np.mean(found) == pytest.approx(statistics.psi_bias(10, 5000, 800), rel=0.1)


def test_holm_is_that_of_the_books_and_never_falls():
    assert statistics.holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
