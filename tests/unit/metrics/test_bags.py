import numpy as np
import pytest

from gristmill.metrics import bags
from gristmill.metrics.intervals import Bootstrap, intervals, sampling
from gristmill.metrics.paired import delong

MANY = 30_000


@pytest.fixture(scope="module")
def strata():
    return np.repeat([0, 1, 7], [MANY - 640, 600, 40])


def test_rare_strata_are_in_every_bag(strata):
    drawn = bags.bags(strata, 0)
    assert len(drawn) == bags.BAGS
    for bag in drawn:
        assert (np.diff(bag.rows) > 0).all()
        assert np.bincount(bag.strata).tolist()[1:] == [600, 40]
        assert bag.sizes.tolist() == [MANY - 640, 600, 40]
        assert (strata[bag.rows] == np.array([0, 1, 7])[bag.strata]).all()


def test_bags_of_a_large_table_share_no_row():
    drawn = bags.bags(np.zeros(60_000, dtype=np.int64), 0)
    assert [len(bag.rows) for bag in drawn] == [bags.BAG_ROWS] * bags.BAGS
    assert len(np.unique(np.concatenate([bag.rows for bag in drawn]))) == bags.BAG_ROWS * bags.BAGS


def test_a_resample_of_a_bag_is_as_large_as_the_table(strata):
    bag = bags.bags(strata, 1)[0]
    weights = np.concatenate(list(bags.bag_weights(bag, 40, 0)))
    assert weights.shape == (40, len(bag.rows))
    for place, size in enumerate(bag.sizes):
        assert weights[:, bag.strata == place].sum(axis=1) == pytest.approx(np.full(40, size), rel=1e-12)
    common = weights[:, bag.strata == 0]
    mean = (MANY - 640) / (bag.strata == 0).sum()
    assert common.var(axis=1).mean() == pytest.approx(mean, rel=0.05)  # a Poisson number's variance is its mean


def test_balanced_weights_give_each_stratum_its_share(strata):
    bag = bags.bags(strata, 1)[0]
    assert np.bincount(bag.strata, weights=bag.balanced()[0]) == pytest.approx([MANY - 640, 600, 40])


def test_intervals_from_bags_are_as_wide_as_theory_says():
    rng = np.random.default_rng(0)
    residual = rng.exponential(size=MANY)
    mae = intervals("regression", residual, np.zeros(MANY), Bootstrap(resamples=1000), metrics=("mae",))["mae"]
    assert mae["value"] == pytest.approx(residual.mean(), abs=1e-12)
    assert mae["high"] - mae["low"] == pytest.approx(2 * 1.96 * residual.std() / np.sqrt(MANY), rel=0.12)
    y_true = (rng.random(MANY) < 0.1).astype(np.int64)
    scores = rng.normal(size=MANY) + y_true
    few = Bootstrap(resamples=600)
    area = intervals("binary", y_true, np.column_stack([-scores, scores]), few, metrics=("roc_auc",))["roc_auc"]
    error = delong(y_true == 1, scores, np.zeros(MANY)).found["error"]  # beside a constant: that of the area alone
    assert area["high"] - area["low"] == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_what_was_sampled_is_stated():
    assert sampling("regression", np.zeros(100)) == {"rows": 100, "resamples": 1000, "bags": 0, "in_bags": 0}
    facts = sampling("regression", np.zeros(1_000_000), Bootstrap(resamples=300))
    assert facts == {"rows": 1_000_000, "resamples": 300, "bags": 10, "in_bags": 50_000}
