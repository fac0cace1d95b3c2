"""Compiling of scikit-learn's forests: every tree with its share of the answer in its leaves."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.kernels.simple import Constant
from gristmill.serving.compiled.kernels.tree_writing import Tree, write
from gristmill.serving.compiled.kernels.trees import TreeText

LEAF = -1
"""What scikit-learn has in the place of a leaf's children."""


def compile_forest(model: Any) -> TreeText | Constant:
    """Return the kernel that answers the forest's mean: a number, the share of the second of two classes, or of every class."""
    n_classes = len(getattr(model, "classes_", ()))
    n_outputs = n_classes if n_classes > 2 else 1
    base, trees = np.zeros(n_outputs), []
    for one in model.estimators_:
        values = _values(one.tree_, n_classes) / len(model.estimators_)
        if one.tree_.node_count == 1:
            base += values[0]
        else:
            trees += list(_trees(one.tree_, values))
    if not trees:
        return Constant(base)
    n_columns = int(model.n_features_in_)
    return TreeText(write(trees, n_columns, n_outputs), n_columns, n_outputs, base if base.any() else None, single=True, empty=None)


def _values(tree: Any, n_classes: int) -> Floats:
    """Return what each node answers, shape ``(n_nodes, n_outputs)``."""
    values = np.asarray(tree.value[:, 0, :], dtype=np.float64)
    if not n_classes:
        return values
    shares = values / values.sum(axis=1, keepdims=True)
    return np.asarray(shares if n_classes > 2 else shares[:, 1:2])


def _trees(tree: Any, values: Floats) -> Iterator[Tree]:
    """Give a tree of scikit-learn as one tree an output."""
    is_leaf = tree.children_left == LEAF
    numbers = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)  # leaf n is -1 - n, nodes are counted from 0
    nodes = np.flatnonzero(~is_leaf)
    gaps = np.asarray(tree.missing_go_to_left, dtype=bool)[nodes]
    left, right = numbers[tree.children_left[nodes]], numbers[tree.children_right[nodes]]
    for output in values[is_leaf].T:
        yield Tree(tree.feature[nodes], np.asarray(tree.threshold[nodes], dtype=np.float64), gaps, left, right, output, {})
