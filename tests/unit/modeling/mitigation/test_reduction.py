import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn.linear_model import LogisticRegression

from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.families.known_classes import KnownClasses
from gristmill.modeling.mitigation.reduction import fit_mixture, told_apart


@pytest.fixture(scope="module")
def unlike():
    rng = np.random.default_rng(0)
    groups = rng.choice(["f", "m"], 600).astype(object)
    X = np.column_stack([rng.normal(size=600), groups == "m"]).astype(float)
    y = (X[:, 0] + 1.5 * X[:, 1] + rng.normal(size=600) > 0.75).astype(int)
    return X, y, groups


@pytest.fixture(scope="module")
def mixture(unlike):
    return fit_mixture("selection", KnownClasses(LogisticRegression(), 2), *unlike, random_state=0)


def test_a_mixture_selects_groups_more_alike(unlike, mixture):
    X, y, groups = unlike
    plain = LogisticRegression().fit(X, y).predict(X)
    apart = [demographic_parity_difference(y, decided, sensitive_features=groups) for decided in (plain, mixture.predict(X))]
    assert apart[1] < apart[0] / 2


def test_its_answer_is_the_expected_probability_of_its_weighted_members(unlike, mixture):
    X = unlike[0]
    expected = sum(w * member.predict_proba(X) for w, member in zip(mixture.weights, mixture.estimators_, strict=True))
    assert mixture.predict_proba(X) == pytest.approx(expected)
    assert sum(mixture.weights) == pytest.approx(1.0)
    assert len(mixture.weights) > 1


def test_nothing_of_fairlearn_is_stored_and_what_is_answers_the_same(unlike, mixture):
    content = dump_pipeline(mixture)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        assert "fairlearn" not in json.dumps(json.loads(archive.read("schema.json")))
    X = unlike[0]
    assert (load_pipeline_bytes(content).predict_proba(X) == mixture.predict_proba(X)).all()


def test_fitted_twice_it_is_the_same(unlike, mixture):
    again = fit_mixture("selection", KnownClasses(LogisticRegression(), 2), *unlike, random_state=0)
    assert (again.predict_proba(unlike[0]) == mixture.predict_proba(unlike[0])).all()


def test_groups_too_small_to_hold_a_bound_count_with_the_largest():
    groups = np.array(["f"] * 30 + ["m"] * 50 + ["x"] * 2, dtype=object)
    y = np.r_[np.ones(3), np.zeros(27), np.ones(50), np.ones(2)].astype(int)
    assert told_apart("selection", y, groups, 20).tolist() == ["f"] * 30 + ["m"] * 52
    assert set(told_apart("opportunity", y, groups, 20)) == {"m"}


def test_where_nothing_can_be_held_against_each_other_one_model_is_fitted(unlike):
    X, y, _ = unlike
    alone = fit_mixture("selection", KnownClasses(LogisticRegression(), 2), X, y, np.full(len(y), "m", dtype=object), 0)
    assert (alone.predict_proba(X) == LogisticRegression().fit(X, y).predict_proba(X)).all()
