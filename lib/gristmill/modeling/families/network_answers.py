"""What a trained network answers, from its weights alone: plain arrays and NumPy, whoever trained it.

A network here is TabM (Gorishniy, Kotelnikov, Babenko 2024, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
Ensembling"): ``members`` perceptrons that share their matrices and differ in the scales before and behind each (Wen, Tran, Ba 2020,
"BatchEnsemble"). A plain perceptron is one with a single member and without scales.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
Weights = dict[str, Numbers]
"""Name of an array -> the array.

Layer ``i`` has ``w_i`` ``(n_in, n_out)``, ``b_i`` ``(members or 1, n_out)`` and, in an ensemble, ``r_i`` ``(members, n_in)`` and
``s_i`` ``(members, n_out)``; then come ``head_w`` ``(members, n_in, n_outputs)`` and ``head_b`` ``(members, n_outputs)``. Embedded
numbers have ``embed_w`` ``(n_numbers, n_bins, width)`` and ``embed_b`` ``(n_numbers, width)``.
"""

AT_ONCE = 2_000_000
"""Numbers that a layer's answers may hold at a time, which bounds the memory for any number of rows."""


def find_pieces(X: Numbers, n_bins: int) -> Weights:
    """Return how the numbers among the columns of a matrix are cut into pieces, at their quantiles.

    A column of more than two values is a number; the others (levels, flags) go into the network as they are.

    Parameters
    ----------
    X
        The training rows, shape ``(n_rows, n_columns)``.
    n_bins
        Most pieces a number is cut into; 0 for none, which takes every column as it is.

    Returns
    -------
    Weights
        ``numbers`` and ``others``, positions of columns; ``starts`` and ``slopes`` of the pieces, both ``(n_numbers, n_bins)``. A
        number with fewer pieces has slopes of 0 for the rest.
    """
    edges = {}
    for place, column in enumerate(X.T if n_bins else ()):
        cuts = np.unique(np.quantile(column, np.linspace(0, 1, n_bins + 1)))
        if len(cuts) > 2:
            edges[place] = cuts
        elif len(values := np.unique(column)) > 2:  # nearly always the same value: cut at the values themselves
            edges[place] = values[np.unique(np.linspace(0, len(values) - 1, n_bins + 1).astype(int))]
    starts, slopes = np.zeros((len(edges), n_bins)), np.zeros((len(edges), n_bins))
    for row, cuts in enumerate(edges.values()):
        starts[row, : len(cuts) - 1] = cuts[:-1]
        slopes[row, : len(cuts) - 1] = 1 / np.diff(cuts)
    numbers = np.array(list(edges), dtype=np.int64)
    others = np.setdiff1d(np.arange(X.shape[1]), numbers)
    return {"numbers": numbers, "others": others, "starts": starts.astype(np.float32), "slopes": slopes.astype(np.float32)}


def outputs(weights: Weights, pieces: Weights, X: Numbers) -> Numbers:
    """Return what every member answers, before any link function, shape ``(n_rows, members, n_outputs)``.

    Parameters
    ----------
    weights
        The trained weights.
    pieces
        What :func:`find_pieces` returned.
    X
        The rows, shape ``(n_rows, n_columns)``.
    """
    widest = max(max(matrix.shape) for matrix in weights.values()) * len(weights["head_w"])
    step = max(1, AT_ONCE // widest)
    parts = [_outputs(weights, pieces, X[start : start + step]) for start in range(0, len(X), step)]
    return np.concatenate(parts) if parts else np.empty((0, *weights["head_b"].shape))


def _outputs(weights: Weights, pieces: Weights, X: Numbers) -> Numbers:
    """Return :func:`outputs` of so many rows as fit in memory at once."""
    members, n_inputs, _ = weights["head_w"].shape
    hidden = _inputs(weights, pieces, X.astype(weights["head_w"].dtype, copy=False))[:, None, :]
    for layer in range(n_layers(weights)):
        if f"r_{layer}" in weights:
            hidden = hidden * weights[f"r_{layer}"]
        hidden = (
            hidden @ weights[f"w_{layer}"]
        )  # a product a row: one for all rows would add up in an order that depends on how many
        if f"s_{layer}" in weights:
            hidden *= weights[f"s_{layer}"]
        hidden += weights[f"b_{layer}"]
        np.maximum(hidden, 0, out=hidden)
    hidden = np.broadcast_to(hidden, (len(X), members, n_inputs))
    answer: Numbers = np.matmul(hidden[:, :, None, :], weights["head_w"])[:, :, 0] + weights["head_b"]
    return answer


def n_layers(weights: Weights) -> int:
    """Return the number of hidden layers."""
    return sum(name.startswith("w_") for name in weights)


def _inputs(weights: Weights, pieces: Weights, X: Numbers) -> Numbers:
    """Return what the first layer gets: numbers embedded piece by piece, the other columns as they are."""
    if "embed_w" not in weights:
        return X
    numbers = X[:, pieces["numbers"]].T[:, :, None]
    steps = np.clip((numbers - pieces["starts"][:, None, :]) * pieces["slopes"][:, None, :], 0, 1)
    embedded = np.matmul(steps[:, :, None, :], weights["embed_w"][:, None])[:, :, 0] + weights["embed_b"][:, None, :]
    flat = embedded.transpose(1, 0, 2).reshape(len(X), -1)
    return np.concatenate([flat, X[:, pieces["others"]]], axis=1)


def probabilities(outputs: Numbers) -> Numbers:
    """Return the mean over members of the probabilities of the classes, shape ``(n_rows, n_classes)``.

    One output is the logit of the second of two classes; several are the logits of as many classes.
    """
    if outputs.shape[2] == 1:
        positive = (1 / (1 + np.exp(-np.clip(outputs[:, :, 0].astype(np.float64), -500, 500)))).mean(axis=1)
        return np.column_stack([1 - positive, positive])
    logits = outputs.astype(np.float64)
    odds = np.exp(logits - logits.max(axis=2, keepdims=True))
    return np.asarray((odds / odds.sum(axis=2, keepdims=True)).mean(axis=1))
