"""Training of a network by PyTorch, an optional extra; only the process that trains imports it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gristmill.modeling.families.network_answers import Numbers, Weights, n_layers

TakeWeights = Callable[[], Weights]


@dataclass(frozen=True)
class TorchSettings:
    """How a network is built and trained by PyTorch.

    Attributes
    ----------
    hidden
        Widths of the hidden layers.
    members
        Networks that share their matrices.
    embedding
        Numbers that each number is embedded in.
    dropout
        Share of hidden units left out of a training step.
    decay
        AdamW's weight decay, of matrices only (Loshchilov and Hutter 2019).
    learning_rate
        AdamW's step size.
    batch_rows
        Rows of a training step.
    random_state
        Seed of the first weights, the order of rows, and dropout.
    """

    hidden: tuple[int, ...]
    members: int
    embedding: int
    dropout: float
    decay: float
    learning_rate: float
    batch_rows: int
    random_state: int


def train(
    X: Numbers,
    y: Numbers,
    n_outputs: int,
    pieces: Weights,
    settings: TorchSettings,
    goes_on: Callable[[TakeWeights], bool],
) -> Weights:
    """Train a network epoch by epoch, on one thread, and return its weights.

    PyTorch's own random state and number of threads are as before when it returns.

    Parameters
    ----------
    X
        Training rows, shape ``(n_rows, n_columns)``.
    y
        Codes of classes, or numbers for a regression.
    n_outputs
        0 for a regression, 1 for two classes, else the number of classes.
    pieces
        What :func:`~gristmill.modeling.families.network_answers.find_pieces` returned.
    settings
        How it is built and trained.
    goes_on
        Called after every epoch with a function that returns a copy of the weights; it says whether there is to be another epoch.
    """
    import torch  # noqa: PLC0415 - seconds and memory, for those who train

    with _alone(torch, settings.random_state):
        weights = _first_weights(torch, X.shape[1], n_outputs, pieces, settings)
        cuts = {name: torch.from_numpy(part) for name, part in pieces.items()}
        rows = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
        truth = torch.from_numpy(np.asarray(y, dtype=np.int64 if n_outputs > 1 else np.float32))
        optimizer = _optimizer(torch, weights, settings)
        loss_of = _loss(torch, n_outputs)
        more = True
        while more:
            for batch in torch.randperm(len(rows)).split(settings.batch_rows):
                answer = forward(torch, weights, cuts, rows[batch], settings.dropout)
                loss = loss_of(answer, truth[batch])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
            more = goes_on(lambda: _taken(weights))
        return _taken(weights)


def forward(torch: Any, weights: dict[str, Any], pieces: dict[str, Any], X: Any, dropout: float = 0.0) -> Any:
    """Return what every member answers, as :func:`gristmill.modeling.families.network_answers.outputs` does, on tensors."""
    hidden = X
    if "embed_w" in weights:
        numbers = X[:, pieces["numbers"]].T.unsqueeze(2)
        steps = ((numbers - pieces["starts"].unsqueeze(1)) * pieces["slopes"].unsqueeze(1)).clamp(0, 1)
        embedded = torch.baddbmm(weights["embed_b"].unsqueeze(1), steps, weights["embed_w"])
        hidden = torch.cat([embedded.transpose(0, 1).reshape(len(X), -1), X[:, pieces["others"]]], dim=1)
    hidden = hidden.unsqueeze(1)
    for layer in range(n_layers(weights)):
        hidden = (hidden * weights[f"r_{layer}"]) @ weights[f"w_{layer}"] * weights[f"s_{layer}"] + weights[f"b_{layer}"]
        hidden = torch.relu(hidden)
        if dropout:
            hidden = torch.dropout(hidden, dropout, train=True)
    return torch.baddbmm(weights["head_b"].unsqueeze(1), hidden.transpose(0, 1), weights["head_w"]).transpose(0, 1)


@contextmanager
def _alone(torch: Any, seed: int) -> Iterator[None]:
    """Seed PyTorch and keep it on one thread, and put both back behind the block."""
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _first_weights(torch: Any, n_columns: int, n_outputs: int, pieces: Weights, settings: TorchSettings) -> dict[str, Any]:
    """Return the weights before the first step, as the paper of TabM sets them: members differ in their first scales and heads."""
    members, n_numbers = settings.members, len(pieces["numbers"])

    def even(*shape: int, n_in: int) -> Any:
        return torch.empty(*shape).uniform_(-(n_in**-0.5), n_in**-0.5)

    weights, n_in = {}, n_columns
    if n_numbers:
        n_bins = pieces["starts"].shape[1]
        weights["embed_w"] = even(n_numbers, n_bins, settings.embedding, n_in=n_bins)
        weights["embed_b"] = even(n_numbers, settings.embedding, n_in=n_bins)
        n_in = n_columns - n_numbers + n_numbers * settings.embedding
    for layer, n_out in enumerate(settings.hidden):
        signs = torch.randint(0, 2, (members, n_in)) * 2.0 - 1.0
        scales = torch.randn(members, n_in) if n_numbers else signs
        weights[f"r_{layer}"] = torch.ones(members, n_in) if layer or members == 1 else scales
        weights[f"w_{layer}"] = even(n_in, n_out, n_in=n_in)
        weights[f"s_{layer}"] = torch.ones(members, n_out)
        weights[f"b_{layer}"] = even(1, n_out, n_in=n_in).repeat(members, 1)
        n_in = n_out
    weights["head_w"] = even(members, n_in, max(1, n_outputs), n_in=n_in)
    weights["head_b"] = even(members, max(1, n_outputs), n_in=n_in)
    return {name: part.requires_grad_() for name, part in weights.items()}


def _optimizer(torch: Any, weights: dict[str, Any], settings: TorchSettings) -> Any:
    """Return AdamW over the weights, with decay of the matrices alone."""
    matrices = [part for name, part in weights.items() if name.startswith(("w_", "head_w"))]
    others = [part for name, part in weights.items() if not name.startswith(("w_", "head_w"))]
    groups = [{"params": matrices, "weight_decay": settings.decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


def _loss(torch: Any, n_outputs: int) -> Callable[[Any, Any], Any]:
    """Return the mean over members of the log loss, or of the squared error; each member learns for itself."""
    functional = torch.nn.functional
    if n_outputs > 1:
        return lambda answer, y: functional.cross_entropy(answer.flatten(0, 1), y.repeat_interleave(answer.shape[1]))
    loss = functional.binary_cross_entropy_with_logits if n_outputs else functional.mse_loss
    return lambda answer, y: loss(answer[:, :, 0], y.unsqueeze(1).expand(-1, answer.shape[1]))


def _taken(weights: dict[str, Any]) -> Weights:
    """Return a copy of the weights as arrays."""
    return {name: part.detach().numpy().copy() for name, part in weights.items()}
