"""The neural family: who trains it is decided by what is installed, and is part of the configuration."""

import importlib
import importlib.util
import subprocess
import sys

import numpy as np
import optuna
import pytest
from tests.conftest import needs_torch
from tests.unit.modeling.conftest import make_rows

from gristmill.errors import CaseFileError
from gristmill.modeling.families import neural
from gristmill.modeling.families.catalogue import build, portfolio
from gristmill.modeling.threads import one_core

TORCH_PARAMS = {
    "trainer": "torch", "numeric": "quantile", "hidden": "8", "members": 2, "bins": 4, "embedding": 2,
    "dropout": 0.1, "decay": 0.01, "learning_rate": 1e-3, "epochs": 2,
}  # fmt: skip


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide PyTorch, whether or not it is installed."""
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == "torch" else found(name, *rest))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_without_torch_scikit_learn_trains(no_torch: None, task: str):
    rows = make_rows(task, n_rows=40)
    known = portfolio("neural", rows.problem)
    assert {params["trainer"] for params in known} == {"scikit-learn"}
    for params in known:
        with one_core():
            model = build("neural", params | {"epochs": 3}, rows.problem).fit(rows.X, rows.y)
        assert np.isfinite(model.predict(rows.X)).all()
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    assert neural.suggest(study.ask(), rows.problem)["trainer"] == "scikit-learn"


def test_what_torch_trained_is_not_trained_by_another(no_torch: None):
    with pytest.raises(CaseFileError, match=r"Expected PyTorch.*`make setup-torch`"):
        neural.estimator(TORCH_PARAMS, make_rows("binary", n_rows=40).problem)


def test_what_scikit_learn_trained_is_trained_by_it_again_wherever_torch_is():
    problem = make_rows("binary", n_rows=40).problem
    params = {"trainer": "scikit-learn", "numeric": "standard", "hidden": "8-4", "decay": 0.1, "learning_rate": 1e-3, "epochs": 2}
    model = neural.estimator(params, problem)
    assert (model.trainer, model.hidden, model.epochs) == ("scikit-learn", (8, 4), 2)


@needs_torch
def test_with_torch_it_trains_every_configuration():
    problem = make_rows("binary", n_rows=40).problem
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    proposed = [*neural.portfolio(problem), neural.suggest(study.ask(), problem)]
    assert [params["trainer"] for params in proposed] == ["scikit-learn", "scikit-learn", "torch", "torch"]  # the quickest first
    model = neural.estimator(proposed[2] | {"dropout": 0.25}, problem)
    assert model.dropout == 0.25
    assert "-".join(map(str, model.hidden)) == proposed[2]["hidden"]


def test_a_report_says_who_trained(no_torch: None):
    assert "make setup-torch" in neural.trained_by({"trainer": "scikit-learn"})
    assert neural.trained_by({}) == ""


@needs_torch
def test_a_report_says_which_version_trained():
    assert "PyTorch trained did better" in neural.trained_by({"trainer": "scikit-learn"})
    assert neural.trained_by(TORCH_PARAMS).startswith(f"Trained by PyTorch {importlib.import_module('torch').__version__[:4]}")


def test_torch_is_not_imported_to_see_whether_it_is_there():
    code = (
        "import sys; from gristmill.modeling.families import catalogue, neural; neural.trainer(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
