"""Compiling of scikit-learn's histogram-based boosting.

Its categories come to a tree as places among those of the training rows. A missing or unknown one has the place behind them here,
so that it can be told to which side it goes.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.histogram_trees import HistogramTrees
from gristmill.serving.compiled.cells import Floats
from gristmill.serving.compiled.kernels.categories import Recoded
from gristmill.serving.compiled.kernels.simple import Constant
from gristmill.serving.compiled.kernels.tree_writing import Tree, write
from gristmill.serving.compiled.kernels.trees import TreeText

WORD = 32
"""Bits of a word of a set of categories."""


def compile_histogram_trees(model: HistogramTrees) -> TreeText | Constant | Recoded:
    """Return the kernel that answers the raw sums of the trees: a number, log-odds, or one number a class."""
    trees = model.trees_
    n_outputs, n_columns = int(trees.n_trees_per_iteration_), int(trees.n_features_in_)
    base = np.asarray(trees._baseline_prediction, dtype=np.float64).reshape(-1)
    known = _categories(trees)
    written: list[Tree] = []
    rounds = [one for one in trees._predictors if any(len(tree.nodes) > 1 for tree in one)]
    for one in trees._predictors:
        if not any(one is kept for kept in rounds):  # a round of bare leaves
            base = base + [tree.nodes["value"][0] for tree in one]
    for one in rounds:
        written += [_tree(tree, known) for tree in one]
    if not written:
        return Constant(base)
    empty = np.flatnonzero(model.empty_)
    text = write(written, n_columns, n_outputs)
    kernel = TreeText(text, n_columns, n_outputs, base, single=False, empty=empty.astype(np.intp) if len(empty) else None)
    return Recoded(kernel, _places(known)) if known else kernel


def _categories(trees: Any) -> list[Floats]:
    """Return the codes that each column of categories had in training, sorted; of the first columns, which all of them are."""
    if trees._preprocessor is None:
        return []
    found = [np.asarray(one, dtype=np.float64) for one in trees._preprocessor.named_transformers_["encoder"].categories_]
    return [one[~np.isnan(one)] for one in found]


def _places(known: list[Floats]) -> NDArray[np.int64]:
    """Return the place of each code among the known ones, by column; behind them one that is not known, and last a missing one."""
    highest = max((int(codes.max(initial=-1)) for codes in known), default=-1)
    made = np.tile(np.array([len(codes) for codes in known], dtype=np.int64), (highest + 2, 1))
    for column, codes in enumerate(known):
        made[codes.astype(np.intp), column] = np.arange(len(codes))
    return made


def _tree(predictor: Any, known: list[Floats]) -> Tree:
    """Return a tree of scikit-learn; a bare leaf as a split whose sides are alike."""
    nodes = predictor.nodes
    if len(nodes) == 1:
        value = np.repeat(nodes["value"].astype(np.float64), 2)
        zero = np.zeros(1, dtype=np.int64)
        return Tree(zero, np.zeros(1), np.zeros(1, dtype=bool), zero - 1, zero - 2, value, {})
    is_leaf = nodes["is_leaf"].astype(bool)
    numbers = np.where(is_leaf, -np.cumsum(is_leaf), np.cumsum(~is_leaf) - 1)
    inner = nodes[~is_leaf]
    sets = {
        place: _set(predictor.raw_left_cat_bitsets[int(node["bitset_idx"])], len(known[int(node["feature_idx"])]), node)
        for place, node in enumerate(inner)
        if node["is_categorical"]
    }
    return Tree(
        inner["feature_idx"].astype(np.int64),
        np.nan_to_num(inner["num_threshold"].astype(np.float64), nan=0.0),
        inner["missing_go_to_left"].astype(bool),
        numbers[inner["left"]],
        numbers[inner["right"]],
        nodes["value"][is_leaf].astype(np.float64),
        sets,
    )


def _set(bits: NDArray[np.uint32], n_known: int, node: Any) -> NDArray[np.int64]:
    """Return the places that go to the left at a node, the one behind the known ones if gaps do."""
    places = np.arange(n_known, dtype=np.int64)
    words = np.asarray(bits, dtype=np.uint32)[places // WORD] >> (places % WORD).astype(np.uint32)
    left: NDArray[np.int64] = places[(words & 1).astype(bool)]
    return np.append(left, np.int64(n_known)) if node["missing_go_to_left"] else left
