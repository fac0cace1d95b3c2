"""Networks answer from arrays what their trainer trained, stop where the validation loss does, and repeat themselves."""

import copy
import importlib
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier
from tests.conftest import needs_torch

from gristmill.modeling.artifact.persistence import dump_pipeline, load_pipeline_bytes
from gristmill.modeling.families import networks
from gristmill.modeling.families.network_answers import find_pieces, outputs, probabilities
from gristmill.modeling.families.networks import NetworkClassifier, NetworkRegressor, rows_a_step
from gristmill.modeling.families.torch_training import forward

SMALL = {"hidden": (8,), "members": 3, "bins": 4, "embedding": 2, "learning_rate": 1e-2}
each_trainer = pytest.mark.parametrize("trainer", [pytest.param("torch", marks=needs_torch), "scikit-learn"])
each_task = pytest.mark.parametrize("n_classes", [0, 2, 3])


def draw(n_rows: int = 150, n_classes: int = 2, seed: int = 0):
    """Return rows of two numbers and a flag, and a target that they determine but for some noise."""
    random = np.random.default_rng(seed)
    X = np.column_stack([random.normal(size=(n_rows, 2)), random.integers(0, 2, n_rows)])
    signal = np.abs(X[:, 0]) * 2 - 1.5 + X[:, 2] + random.normal(size=n_rows) * 0.3
    return X, signal if not n_classes else np.digitize(signal, [0.0, 1.5][: n_classes - 1])


def network(trainer: str, n_classes: int = 2, **settings):
    kind = NetworkClassifier if n_classes else NetworkRegressor
    return kind(trainer=trainer, **{**SMALL, **settings})


def answers(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@each_trainer
@each_task
def test_it_learns_what_no_line_could(trainer: str, n_classes: int):
    X, y = draw(400, n_classes)
    model = network(trainer, n_classes, hidden=(16, 16), epochs=60).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.7  # a line gets about half of the classes, and nothing of the variance


@each_trainer
@each_task
def test_cutting_a_watched_network_off_is_training_it_for_fewer_epochs(trainer: str, n_classes: int):
    X, y = draw(n_classes=n_classes)
    watched = network(trainer, n_classes, epochs=6).fit_watched(X[:100], y[:100], X[100:], y[100:])
    cut, plain = watched.truncated(3), network(trainer, n_classes, epochs=3).fit(X[:100], y[:100])
    assert np.array_equal(answers(cut, X), answers(plain, X))
    assert not np.array_equal(answers(cut, X), answers(watched.truncated(5), X))
    assert (cut.epochs_, plain.epochs_) == (3, 3)
    assert cut.curve_.tolist() == watched.curve_.tolist()
    assert watched.truncated(99).epochs_ == len(watched.curve_)


@each_trainer
def test_it_keeps_the_best_epoch_and_stops_after_five_that_bring_nothing(trainer: str):
    X, y = draw(120)
    noise = np.random.default_rng(1).permutation(y)  # there is nothing to learn, so every epoch soon makes it worse
    model = network(trainer, epochs=200, learning_rate=0.03).fit_watched(X[:80], noise[:80], X[80:], noise[80:])
    best = int(np.argmin(model.curve_))
    assert model.epochs_ == best + 1
    assert len(model.curve_) < 60
    assert min(model.curve_[-networks.PATIENCE :]) > min(model.curve_[: -networks.PATIENCE]) - networks.MIN_DELTA
    assert model.train_curve_[-1] < model.train_curve_[0]
    proba = model.predict_proba(X[80:])[np.arange(40), noise[80:]]
    assert -np.log(proba).mean() == pytest.approx(model.curve_[best])


@each_trainer
def test_the_same_seed_gives_the_same_weights_and_another_others(trainer: str):
    X, y = draw()
    one, same = (network(trainer, epochs=2).fit(X, y) for _ in range(2))
    other = network(trainer, epochs=2, random_state=7).fit(X, y)
    assert np.array_equal(answers(one, X), answers(same, X))
    assert not np.array_equal(answers(one, X), answers(other, X))


@needs_torch
@each_task
def test_numpy_answers_what_pytorch_does(n_classes: int):
    torch = importlib.import_module("torch")
    X, y = draw(200, n_classes)
    model = network("torch", n_classes, hidden=(16, 8), epochs=4).fit(X, y)
    tensors, pieces = ({name: torch.from_numpy(part) for name, part in parts.items()} for parts in (model.weights_, model.pieces_))
    with torch.no_grad():
        theirs = forward(torch, tensors, pieces, torch.from_numpy(X.astype(np.float32))).numpy()
    ours = outputs(model.weights_, model.pieces_, X)
    assert ours.shape == (200, 3, max(1, n_classes if n_classes > 2 else 1))
    assert np.abs(ours - theirs).max() < 1e-6 * max(1.0, np.abs(theirs).max())
    if n_classes:
        logits = torch.from_numpy(theirs)
        expected = torch.sigmoid(logits[:, :, 0]).mean(1) if n_classes == 2 else torch.softmax(logits, 2).mean(1)[:, 1]
        assert np.abs(probabilities(ours)[:, 1] - expected.numpy()).max() < 1e-6


def test_numpy_answers_what_scikit_learn_does():
    X, y = draw()
    model = network("scikit-learn", hidden=(6, 4), epochs=3, decay=0.1, learning_rate=0.01).fit(X, y)
    theirs = MLPClassifier((6, 4), alpha=0.1, learning_rate_init=0.01, batch_size=32, random_state=np.random.RandomState(42))
    for _ in range(3):
        theirs.partial_fit(X, y, classes=[0, 1])
    assert np.abs(model.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-12


@each_trainer
def test_rows_answered_alone_are_answered_as_in_a_batch(trainer: str):
    X, y = draw()
    model = network(trainer, epochs=2).fit(X, y)
    whole = model.predict_proba(X)
    alone = np.vstack([model.predict_proba(X[[row]]) for row in range(20)])
    assert np.abs(alone - whole[:20]).max() < 1e-6
    assert model.predict_proba(X[:0]).shape == (0, 2)


@each_trainer
def test_weights_by_epoch_are_not_stored(trainer: str):
    X, y = draw()
    watched = network(trainer, epochs=3).fit_watched(X[:100], y[:100], X[100:], y[100:])
    for kept in (copy.deepcopy(watched), load_pipeline_bytes(dump_pipeline(watched)), watched.truncated(2)):
        assert "checkpoints_" not in vars(kept)
        with pytest.raises(ValueError, match="Train it again"):
            kept.truncated(1)
    with pytest.raises(ValueError, match="at least one epoch"):
        watched.truncated(0)


@each_trainer
def test_validation_rows_of_an_unknown_class_are_not_looked_at(trainer: str):
    X, y = draw(n_classes=3)
    two = y[:100] < 2
    train = X[:100][two], y[:100][two]
    model = network(trainer, epochs=2).fit_watched(*train, X[100:], y[100:])
    known = y[100:] < 2
    assert model.curve_.tolist() == network(trainer, epochs=2).fit_watched(*train, X[100:][known], y[100:][known]).curve_.tolist()
    lost = network(trainer, epochs=2).fit_watched(*train, X[100:][~known], y[100:][~known])
    assert lost.curve_.tolist() == lost.train_curve_.tolist()


@each_trainer
def test_extremes_and_a_diverging_training_have_an_end(trainer: str):
    X, y = draw()
    model = network(trainer, epochs=2).fit(X, y)
    assert np.isfinite(model.predict_proba(np.array([[1e300, -1e300, 1.0], [np.inf, 0.0, 0.0]]))).all()
    with pytest.raises((FloatingPointError, ValueError)), np.errstate(all="ignore"):
        network(trainer, 0, epochs=30, learning_rate={"torch": 1e30, "scikit-learn": 1e200}[trainer]).fit(X, X[:, 0])


@each_trainer
def test_a_target_of_a_single_row_or_value_is_learnt(trainer: str):
    X, y = draw(5)
    assert network(trainer, epochs=2).fit(X[:1], y[:1]).predict(X).shape == (5,)
    assert np.isfinite(network(trainer, 0, epochs=2).fit(X, np.zeros(5)).predict(X)).all()
    assert clone(network(trainer)).get_params() == network(trainer).get_params()


@needs_torch
def test_torch_is_left_as_it_was():
    torch = importlib.import_module("torch")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)  # on any machine other than what training sets
    try:
        network("torch", epochs=1).fit(*draw())
        assert torch.equal(torch.rand(3), expected)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@needs_torch
def test_answering_needs_no_torch():
    X, y = draw()
    model = network("torch", epochs=1).fit(X, y)
    code = "\n".join(
        [
            "import sys",
            "sys.modules['torch'] = None",
            "from gristmill.modeling.artifact.persistence import load_pipeline_bytes",
            "print(load_pipeline_bytes(sys.stdin.buffer.read()).predict_proba([[0.1, 0.2, 1]])[0, 1])",
        ]
    )
    told = subprocess.run([sys.executable, "-c", code], input=dump_pipeline(model), capture_output=True, check=True)
    assert float(told.stdout) == pytest.approx(model.predict_proba([[0.1, 0.2, 1]])[0, 1])


def test_numbers_are_cut_at_their_quantiles_and_flags_are_not():
    X = np.column_stack([np.arange(101.0), np.r_[np.zeros(99), 1, 2], np.arange(101) % 2, np.ones(101)])
    pieces = find_pieces(X, 4)
    assert pieces["numbers"].tolist() == [0, 1]
    assert pieces["others"].tolist() == [2, 3]
    assert pieces["starts"].tolist() == [[0, 25, 50, 75], [0, 1, 0, 0]]
    assert pieces["slopes"].astype(float).round(3).tolist() == [[0.04, 0.04, 0.04, 0.04], [1, 1, 0, 0]]
    assert find_pieces(X, 0)["others"].tolist() == [0, 1, 2, 3]


def test_a_step_takes_from_32_to_1024_rows():
    assert [rows_a_step(n_rows) for n_rows in (5, 1_000, 5_000, 10**6)] == [5, 32, 100, 1024]


def test_memory_is_bounded_whatever_the_number_of_rows(monkeypatch: pytest.MonkeyPatch):
    X, y = draw()
    model = network("scikit-learn", epochs=1).fit(X, y)
    whole = outputs(model.weights_, model.pieces_, X)
    monkeypatch.setattr("gristmill.modeling.families.network_answers.AT_ONCE", 16)
    assert np.abs(outputs(model.weights_, model.pieces_, X) - whole).max() < 1e-12
