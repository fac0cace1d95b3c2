"""That a text is a model of LightGBM that cannot lead it astray.

LightGBM reads a model's text on trust: a child that does not exist, or a column beyond the last, makes it read memory that is not
its own when it answers, and ends the process at best. So a text is held against the exact form of ``model_to_string`` (LightGBM 4,
``src/boosting/gbdt_model_text.cpp`` and ``src/io/tree.cpp``), and every number in it that is used as a place is looked at, before
LightGBM reads it.
"""

import re
from collections.abc import Mapping
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

END = "\nend of trees\n"
"""What stands behind the last tree; nothing behind it is kept."""

HEADER = (
    "version",
    "num_class",
    "num_tree_per_iteration",
    "label_index",
    "max_feature_idx",
    "objective",
    "feature_names",
    "feature_infos",
    "tree_sizes",
)
BY_NODE = ("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child")
BY_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
NOTED = ("internal_value", "internal_weight", "internal_count")
SETS = ("cat_boundaries", "cat_threshold")
"""The lines of a tree, in this order: some with a number a node, a leaf or a node again; some only where categories are split."""

CATEGORICAL, HIGHEST_DECISION = 1, 11
"""Bits of a node's decision: the first says that it splits categories, the third and fourth (0, 1 or 2) how it takes gaps."""

WHOLE = re.compile(r"(-?\d{1,10}( -?\d{1,10})*)?")
DECIMAL = re.compile(r"([-+.0-9einfa]+( [-+.0-9einfa]+)*)?")
"""Numbers with one space between them, as LightGBM writes and reads them."""

Whole = NDArray[np.int64]
Decimals = NDArray[np.float64]


def verify(text: str, n_columns: int, n_classes: int) -> None:
    """Refuse a text that is no model of LightGBM, or one whose trees do not hold together.

    Parameters
    ----------
    text
        What ``model_to_string`` wrote, up to and with the line "end of trees".
    n_columns
        Columns the model must be made for.
    n_classes
        Classes it must answer for; 0 for a regression.

    Raises
    ------
    ValueError
        The message says what is wrong.
    """
    if not text.isascii() or not text.startswith("tree\n") or not text.endswith(END):
        _refuse("it does not begin and end as one")
    head, *trees = text.removeprefix("tree\n").removesuffix(END).split("\nTree=")
    header = _fields(head, HEADER, "\n", "the header")
    n_outputs = n_classes if n_classes > 2 else 1
    objective = {0: "regression", 2: "binary sigmoid:1"}.get(n_classes, f"multiclass num_class:{n_classes}")
    expected = {"version": "v4", "num_class": n_outputs, "num_tree_per_iteration": n_outputs, "label_index": 0}
    expected |= {"max_feature_idx": n_columns - 1, "objective": objective}
    expected |= {"feature_names": " ".join(f"Column_{place}" for place in range(n_columns))}
    for key, value in expected.items():
        if header[key] != str(value):
            _refuse(f"{key} is {header[key][:40]!r}, and {str(value)[:40]!r} was expected")
    if len(header["feature_infos"].split(" ")) != n_columns:
        _refuse(f"it does not describe {n_columns} columns")
    if not trees or len(trees) % n_outputs:
        _refuse(f"{len(trees)} trees do not answer for {n_outputs} outputs")
    _verify_sizes(header, text, len(trees))
    for place, tree in enumerate(trees):
        _verify_tree(tree, place, n_columns)


def _verify_sizes(header: Mapping[str, str], text: str, n_trees: int) -> None:
    """Refuse sizes of trees that are not those of the trees, by which LightGBM jumps from one to the next."""
    starts = [found.start() + 1 for found in re.finditer("\nTree=", text)]
    ends = [*starts[1:], len(text) - len(END) + 1]
    if not np.array_equal(_whole(header, "tree_sizes", n_trees, "the header"), np.subtract(ends, starts)):
        _refuse("the sizes of its trees are not those it says")


def _verify_tree(block: str, place: int, n_columns: int) -> None:
    """Refuse a tree with a child, a column or a set of categories that does not exist."""
    where = f"tree {place}"
    number, _, body = block.partition("\n")
    n_sets = 1 if "\ncat_boundaries=" in body else 0
    keys = ("num_leaves", "num_cat", *BY_NODE, *BY_LEAF, *NOTED, *(SETS if n_sets else ()), "is_linear", "shrinkage")
    tree = _fields(body, keys, "\n\n", where)
    leaves, n_sets = int(_whole(tree, "num_leaves", 1, where)[0]), int(_whole(tree, "num_cat", 1, where)[0])
    if number != str(place) or leaves < 1 or n_sets < 0 or (n_sets > 0) != ("cat_boundaries" in tree) or tree["is_linear"] != "0":
        _refuse(f"{where} has another number, no leaves, or leaves of a kind that is not grown here")
    _decimals(tree, "shrinkage", 1, where)
    if not np.isfinite(_decimals(tree, "leaf_value", leaves, where)).all():
        _refuse(f"{where} answers with what is no number")
    if leaves > 1:
        for key in ("leaf_weight", "leaf_count", "split_gain", *NOTED):
            _decimals(tree, key, leaves if key in BY_LEAF else leaves - 1, where)
        _verify_branches(tree, leaves, where)
        _verify_splits(tree, leaves, n_sets, n_columns, where)


def _verify_branches(tree: Mapping[str, str], leaves: int, where: str) -> None:
    """Refuse a branch that leads back, or to a node or leaf that does not exist."""
    nodes = np.arange(leaves - 1)
    for side in ("left_child", "right_child"):
        child = _whole(tree, side, leaves - 1, where)
        inner = child >= 0
        if (child[inner] <= nodes[inner]).any() or (child >= leaves - 1).any() or (child < -leaves).any():
            _refuse(f"{where} has a branch that leads nowhere")


def _verify_splits(tree: Mapping[str, str], leaves: int, n_sets: int, n_columns: int, where: str) -> None:
    """Refuse a split by a column or a set of categories that does not exist, or in a way that does not."""
    column = _whole(tree, "split_feature", leaves - 1, where)
    if (column < 0).any() or (column >= n_columns).any():
        _refuse(f"{where} asks for a column that the model does not have")
    decision = _whole(tree, "decision_type", leaves - 1, where)
    if (decision < 0).any() or (decision > HIGHEST_DECISION).any():
        _refuse(f"{where} decides in a way that does not exist")
    threshold = _decimals(tree, "threshold", leaves - 1, where)
    chosen = threshold[(decision & CATEGORICAL) > 0]
    if np.isnan(threshold).any() or (chosen < 0).any() or (chosen >= n_sets).any():
        _refuse(f"{where} asks for a set of categories that does not exist")
    if n_sets:
        bounds, words = _whole(tree, "cat_boundaries", n_sets + 1, where), _whole(tree, "cat_threshold", None, where)
        fits = bounds[0] == 0 and (np.diff(bounds) >= 0).all() and bounds[-1] == len(words)
        if not fits or (words < 0).any() or (words >= 2**32).any():
            _refuse(f"{where} has sets of categories that do not fit together")


def _fields(block: str, keys: tuple[str, ...], ending: str, where: str) -> dict[str, str]:
    """Return the ``key=value`` lines of a block, which must be these, in this order, before ``ending``."""
    lines = [line.partition("=") for line in block.removesuffix(ending).split("\n")]
    if not block.endswith(ending) or tuple(key for key, _, _ in lines) != keys or not all(sign for _, sign, _ in lines):
        _refuse(f"{where} has other lines than it should have")
    return {key: value for key, _, value in lines}


def _whole(block: Mapping[str, str], key: str, size: int | None, where: str) -> Whole:
    """Return the whole numbers of a line, which must be ``size`` unless that is None."""
    if not WHOLE.fullmatch(block[key]):
        _refuse(f"{key} of {where} are no whole numbers")
    return np.asarray(_counted(block[key], key, size, where), dtype=np.int64)


def _decimals(block: Mapping[str, str], key: str, size: int, where: str) -> Decimals:
    """Return the numbers of a line, which must be ``size``."""
    if not DECIMAL.fullmatch(block[key]):
        _refuse(f"{key} of {where} are no numbers")
    words = _counted(block[key], key, size, where)
    try:
        return np.array(words, dtype=np.float64)
    except ValueError:
        _refuse(f"{key} of {where} are no numbers")


def _counted(line: str, key: str, size: int | None, where: str) -> list[str]:
    """Return the words of a line, which must be ``size`` unless that is None."""
    words = line.split(" ") if line else []
    if size is not None and len(words) != size:
        _refuse(f"{key} of {where} holds {len(words)} numbers, and {size} were expected")
    return words


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"The text is no model of LightGBM that may be loaded: {reason}. It was altered; build the case again.")
