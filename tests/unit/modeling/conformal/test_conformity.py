"""Sets and intervals from stored scores: what they promise, hold against simulations and against MAPIE's own numbers."""

import json
import math

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from gristmill.errors import ArtifactError, DataError, LevelError
from gristmill.modeling.conformal.conformity import ABSOLUTE, LAC, MOST_SCORES, SCALED, Conformity, checked_level, kept_ranks, rank
from gristmill.modeling.conformal.learning import class_scores, residuals
from gristmill.modeling.conformal.spread import Spread, fit_spread

LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


class Said(ClassifierMixin, BaseEstimator):
    """Answers the probabilities it is given."""

    def __init__(self, n_classes: int = 2) -> None:
        self.n_classes = n_classes
        self.classes_ = np.arange(n_classes)

    def fit(self, X: object, y: object = None) -> "Said":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: object) -> np.ndarray:
        return np.asarray(X)

    def predict(self, X: object) -> np.ndarray:
        return np.asarray(X).argmax(axis=1)


class SaidNumber(RegressorMixin, BaseEstimator):
    """Answers the number it is given."""

    fitted_ = True

    def fit(self, X: object, y: object = None) -> "SaidNumber":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict(self, X: object) -> np.ndarray:
        return np.asarray(X)[:, 0]


def drawn(n_rows: int, n_classes: int, seed: int, sharpness: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return classes and probabilities that mean something, and are not calibrated."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n_rows, n_classes)) * sharpness
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    truth = np.array([rng.choice(n_classes, p=one) for one in odds / odds.sum(axis=1, keepdims=True)])
    tilted = np.exp(0.6 * logits)
    return truth, tilted / tilted.sum(axis=1, keepdims=True)


def of_classes(y: np.ndarray, proba: np.ndarray) -> Conformity:
    return Conformity.of(LAC, class_scores(y, proba))


def noise_of(level: float, n_learnt: int, n_tested: int) -> float:
    """Return four standard deviations of coverage: of the limit that was learnt (a beta variable), and of the rows tested."""
    return 4 * math.sqrt(level * (1 - level) * (1 / (n_learnt + 2) + 1 / n_tested)) + 1 / n_learnt


@pytest.mark.parametrize("n_classes", [2, 3, 7])
@pytest.mark.parametrize("level", [0.9, 0.99])
def test_sets_hold_the_truth_as_often_as_asked(n_classes: int, level: float):
    y, proba = drawn(6000, n_classes, seed=n_classes)
    learnt = of_classes(y[:2000], proba[:2000])
    held = learnt.sets(proba[2000:], level)[np.arange(4000), y[2000:]].mean()
    empty_allowed = ((1 - proba[2000:]) <= learnt.limit(level))[np.arange(4000), y[2000:]].mean()
    assert abs(empty_allowed - level) < noise_of(level, 2000, 4000)
    assert held >= empty_allowed


@pytest.mark.parametrize("level", LEVELS)
def test_intervals_hold_the_truth_as_often_as_asked_when_errors_grow(level: float):
    rng = np.random.default_rng(5)
    predicted = rng.uniform(1, 50, 6000)
    y = predicted + rng.normal(size=6000) * predicted * 0.2
    learnt = Conformity.of(ABSOLUTE, residuals(y[:2000], predicted[:2000]))
    lower, upper = learnt.interval(predicted[2000:], level)
    held = ((lower <= y[2000:]) & (y[2000:] <= upper)).mean()
    assert abs(held - level) < noise_of(level, 2000, 4000)


def test_coverage_over_many_small_draws_is_at_least_the_level():
    rng = np.random.default_rng(0)
    errors = np.abs(rng.standard_cauchy((4000, 20)))
    held = [errors[row, -1] <= Conformity.of(ABSOLUTE, errors[row, :-1]).limit(0.9) for row in range(4000)]
    assert 0.9 - 4 * math.sqrt(0.09 / 4000) <= np.mean(held) <= 0.95 + 4 * math.sqrt(0.09 / 4000)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_sets_are_mapies_except_that_none_is_empty(n_classes: int):
    y, proba = drawn(900, n_classes, seed=11, sharpness=4)
    mapie = SplitConformalClassifier(Said(n_classes), confidence_level=list(LEVELS), prefit=True).conformalize(proba[:400], y[:400])
    theirs = mapie.predict_set(proba[400:])[1]
    learnt = of_classes(y[:400], proba[:400])
    some_are_empty = False
    for place, level in enumerate(LEVELS):
        ours, sets = learnt.sets(proba[400:], level), theirs[:, :, place]
        empty = ~sets.any(axis=1)
        some_are_empty |= bool(empty.any())
        assert np.array_equal(ours[~empty], sets[~empty])
        assert (ours[empty].sum(axis=1) == 1).all()
        assert np.array_equal(ours[empty].argmax(axis=1), proba[400:][empty].argmax(axis=1))
    assert some_are_empty  # else the difference was not looked at


def test_intervals_are_mapies():
    rng = np.random.default_rng(3)
    predicted = rng.normal(100, 20, (700, 1))
    y = predicted[:, 0] + rng.standard_t(3, 700)
    mapie = SplitConformalRegressor(SaidNumber(), confidence_level=list(LEVELS), prefit=True)
    theirs = mapie.conformalize(predicted[:300], y[:300]).predict_interval(predicted[300:])[1]
    learnt = Conformity.of(ABSOLUTE, residuals(y[:300], predicted[:300, 0]))
    for place, level in enumerate(LEVELS):
        lower, upper = learnt.interval(predicted[300:, 0], level)
        assert np.allclose(lower, theirs[:, 0, place])
        assert np.allclose(upper, theirs[:, 1, place])


def test_equal_probabilities_are_held_or_left_out_together():
    proba = np.full((40, 4), 0.25)
    learnt = of_classes(np.arange(40) % 4, proba)
    assert learnt.sets(proba, 0.5).all()


def test_a_probability_that_differs_by_rounding_is_the_same():
    learnt = of_classes(np.zeros(50, dtype=int), np.tile([0.3, 0.7], (50, 1)))
    assert learnt.sets(np.array([[0.3 - 1e-12, 0.7 + 1e-12]]), 0.9)[0].tolist() == [True, True]
    assert learnt.sets(np.array([[0.299, 0.701]]), 0.9)[0].tolist() == [False, True]


def test_a_class_of_few_rows_is_in_the_set_when_its_probability_says_so():
    y = np.array([0] * 190 + [1] * 10)
    proba = np.column_stack([np.where(y == 0, 0.95, 0.6), np.where(y == 0, 0.05, 0.4)])
    learnt = of_classes(y, proba)
    assert learnt.sets(np.array([[0.6, 0.4]]), 0.9)[0].tolist() == [True, False]  # 90 % can be had without the rare class
    assert learnt.sets(np.array([[0.6, 0.4]]), 0.96)[0].tolist() == [True, True]


@pytest.mark.parametrize("proba", [[[np.nan, 0.5]], [[0.5, 0.5], [np.nan, np.nan]]])
def test_a_row_without_a_probability_is_refused(proba: list[list[float]]):
    learnt = of_classes(np.zeros(20, dtype=int), np.tile([0.3, 0.7], (20, 1)))
    with pytest.raises(DataError, match=f"none for row {len(proba)}"):
        learnt.sets(np.array(proba), 0.8)


def test_a_row_without_a_number_is_refused():
    with pytest.raises(DataError, match="none for row 2"):
        Conformity.of(ABSOLUTE, np.arange(20.0)).interval(np.array([1.0, np.nan]), 0.8)


def test_numpys_numbers_are_levels():
    assert [checked_level(kind(0.75)) for kind in (np.float32, np.float64)] == [0.75, 0.75]


def test_scores_that_are_not_numbers_are_refused():
    with pytest.raises(DataError, match="none for row 2 of 3"):
        of_classes(np.array([0, 1, 0]), np.array([[0.5, 0.5], [np.nan, np.nan], [0.5, 0.5]]))
    with pytest.raises(DataError, match="got none"):
        Conformity.of(LAC, np.empty(0))


@pytest.mark.parametrize("level", [0, 0.4999, 0.9991, 1, 90, -0.9, math.nan, math.inf, True, "0.9", None])
def test_what_is_no_level_is_refused(level: object):
    with pytest.raises(LevelError, match=r"Expected a level from 0\.5 to 0\.999"):
        checked_level(level)


@pytest.mark.parametrize(("n_rows", "level", "needs"), [(8, 0.9, 9), (98, 0.99, 99), (998, 0.999, 999), (18, 0.95, 19)])
def test_too_few_rows_for_a_level_is_a_sentence_that_says_how_many(n_rows: int, level: float, needs: int):
    with pytest.raises(LevelError, match=rf"the {n_rows} out-of-fold rows .* got {level}, which needs {needs}\. Ask for 0\.\d+ at"):
        Conformity.of(ABSOLUTE, np.arange(float(n_rows))).limit(level)
    assert Conformity.of(ABSOLUTE, np.arange(float(needs))).limit(level) == needs - 1


@pytest.mark.parametrize("n_rows", [1, 2, 8, 57, 1000])
def test_the_highest_level_is_one_that_can_be_had(n_rows: int):
    learnt = Conformity.of(ABSOLUTE, np.arange(float(n_rows)))
    assert learnt.limit(learnt.highest_level) <= n_rows - 1
    if learnt.highest_level < 0.999:
        with pytest.raises(LevelError):
            learnt.limit(learnt.highest_level + 0.001)


@pytest.mark.parametrize("n_rows", [1, 2, 17, 9_999, 10_001, 200_000])
def test_few_scores_are_kept_and_no_level_gets_less_than_its_own(n_rows: int):
    learnt = Conformity.of(ABSOLUTE, np.random.default_rng(0).permutation(n_rows).astype(float))
    assert len(learnt.scores) <= MOST_SCORES
    assert kept_ranks(n_rows)[-1] == n_rows
    for level in (0.5, 0.77, 0.9, 0.999):
        if rank(n_rows, level) <= n_rows:
            exact = rank(n_rows, level) - 1
            assert exact <= learnt.limit(level) <= exact + max(0, math.ceil(0.0001 * n_rows) if n_rows > MOST_SCORES else 0) + 1


def test_a_record_comes_back_as_it_was():
    spread = Spread(np.array([1.0, 2.0]), np.array([0.5, 0.7]))
    for made in (of_classes(*drawn(300, 3, 0)), Conformity.of(SCALED, np.arange(30.0), spread)):
        back = Conformity.from_record(json.loads(json.dumps(made.as_record())))
        assert np.array_equal(back.scores, made.scores)
        assert (back.method, back.n_rows) == (made.method, made.n_rows)
        assert back.limit(0.9) == made.limit(0.9)
    assert np.array_equal(back.spread.at(np.array([0.0, 1.5, 9.0])), [0.5, 0.6, 0.7])


@pytest.mark.parametrize(
    "change",
    [
        {"rows": 40},
        {"rows": 0},
        {"rows": "many"},
        {"method": "guess"},
        {"method": SCALED},
        {"format": 2},
        {"scores": [1.0, 0.0]},
        {"scores": [[1.0]]},
        {"scores": None},
        {"scores": ["a"] * 16},
        {"scores": [float("nan")] * 16},
        {"scores": [-1.0] * 16},
        {"scores": list(range(16, 0, -1))},
        {"spread": {"knots": [1.0, 1.0], "sizes": [1.0, 1.0]}, "method": SCALED},
        {"spread": {"knots": [1.0, 2.0], "sizes": [1.0, 0.0]}, "method": SCALED},
        {"spread": {"knots": [], "sizes": []}, "method": SCALED},
        {"spread": {}, "method": SCALED},
    ],
)
def test_a_record_that_is_none_is_refused(change: dict[str, object]):
    record = Conformity.of(ABSOLUTE, np.arange(30.0)).as_record()
    assert len(record["scores"]) == 15
    with pytest.raises(ArtifactError, match="conformity scores"):
        Conformity.from_record(record | change)
    with pytest.raises(ArtifactError, match="conformity scores"):
        Conformity.from_record([record])


def test_the_size_of_errors_follows_the_prediction():
    rng = np.random.default_rng(2)
    predicted = rng.uniform(0, 100, 4000)
    spread = fit_spread(predicted, np.abs(rng.normal(size=4000)) * (1 + predicted))
    low, high = spread.at(np.array([5.0, 95.0]))
    assert low == pytest.approx(0.8 * 6, rel=0.25)
    assert high == pytest.approx(0.8 * 96, rel=0.25)
    assert spread.at(np.array([1e9]))[0] == spread.sizes[-1]


@pytest.mark.parametrize(
    ("predicted", "errors"),
    [(np.arange(199.0), np.ones(199)), (np.ones(500), np.ones(500)), (np.arange(500.0), np.zeros(500)), (np.empty(0), np.empty(0))],
)
def test_too_few_too_alike_or_faultless_rows_give_no_curve(predicted: np.ndarray, errors: np.ndarray):
    assert fit_spread(predicted, errors) is None
