"""Writing of trees as a text of LightGBM, in the very form that :mod:`gristmill.modeling.families.lightgbm_text` expects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gristmill.modeling.families.lightgbm_text import END

CATEGORY, GAPS_LEFT, GAPS_APART = 1, 2, 8
"""Bits of a node's decision: it splits categories; gaps go to the left; gaps are told apart at all."""

LARGEST = float(np.finfo(np.float64).max)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """A tree with at least one split; a node's children come after it.

    Attributes
    ----------
    column
        Column that each node splits by, shape ``(n_nodes,)``.
    threshold
        Numbers up to it go to the left.
    gaps_left
        Whether missing numbers go to the left.
    left, right
        Children: a node, or ``-1 - leaf``.
    leaf
        Answer of each leaf, shape ``(n_nodes + 1,)``.
    sets
        Node -> the codes that go to the left, for nodes that split categories.
    """

    column: Ints
    threshold: Floats
    gaps_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    leaf: Floats
    sets: dict[int, Ints]


def write(trees: Sequence[Tree], n_columns: int, n_outputs: int) -> NDArray[np.uint8]:
    """Return trees as a text, in bytes.

    Parameters
    ----------
    trees
        At least one; of several outputs in turn, those of one round side by side.
    n_columns
        Columns that they read.
    n_outputs
        Numbers that they answer for a row.
    """
    blocks = [_block(tree, place) for place, tree in enumerate(trees)]
    head = [
        "tree", "version=v4", f"num_class={n_outputs}", f"num_tree_per_iteration={n_outputs}", "label_index=0",
        f"max_feature_idx={n_columns - 1}",
        f"objective={'regression' if n_outputs == 1 else f'multiclass num_class:{n_outputs}'}",
        f"feature_names={' '.join(f'Column_{place}' for place in range(n_columns))}",
        f"feature_infos={' '.join(['none'] * n_columns)}",
        f"tree_sizes={' '.join(str(len(block)) for block in blocks)}",
    ]  # fmt: skip
    text = "\n".join(head) + "\n\n" + "".join(blocks)
    return np.frombuffer((text + END.removeprefix("\n")).encode(), dtype=np.uint8)


def _block(tree: Tree, place: int) -> str:
    """Return one tree as its lines."""
    n_nodes, n_leaves = len(tree.column), len(tree.leaf)
    thresholds, decisions, bounds, words = _splits(tree)
    lines = {
        "num_leaves": str(n_leaves), "num_cat": str(len(tree.sets)), "split_feature": _words(tree.column),
        "split_gain": _zeros(n_nodes), "threshold": thresholds, "decision_type": decisions, "left_child": _words(tree.left),
        "right_child": _words(tree.right), "leaf_value": " ".join(map(repr, tree.leaf.tolist())), "leaf_weight": _zeros(n_leaves),
        "leaf_count": _zeros(n_leaves), "internal_value": _zeros(n_nodes), "internal_weight": _zeros(n_nodes),
        "internal_count": _zeros(n_nodes),
        **({"cat_boundaries": bounds, "cat_threshold": words} if tree.sets else {}),
        "is_linear": "0", "shrinkage": "1",
    }  # fmt: skip
    return f"Tree={place}\n" + "".join(f"{key}={value}\n" for key, value in lines.items()) + "\n\n"


def _splits(tree: Tree) -> tuple[str, str, str, str]:
    """Return thresholds, decisions, and the bounds and words of the sets of categories."""
    thresholds = np.clip(tree.threshold, -LARGEST, LARGEST).tolist()
    decisions = np.where(tree.gaps_left, GAPS_APART | GAPS_LEFT, GAPS_APART).tolist()
    bounds, words = [0], []
    for place, (node, codes) in enumerate(sorted(tree.sets.items())):
        bits = np.zeros(int(codes.max(initial=0)) // 32 + 1, dtype=np.uint32)
        np.bitwise_or.at(bits, codes // 32, np.uint32(1) << (codes % 32).astype(np.uint32))
        words += bits.tolist()
        bounds.append(len(words))
        thresholds[node], decisions[node] = place, CATEGORY
    return " ".join(map(repr, thresholds)), _words(decisions), _words(bounds), _words(words)


def _words(values: Sequence[int] | Ints) -> str:
    """Return whole numbers with a space between them."""
    return " ".join(str(int(value)) for value in values)


def _zeros(count: int) -> str:
    """Return as many zeros, for what is not needed to answer."""
    return " ".join(["0"] * count)
