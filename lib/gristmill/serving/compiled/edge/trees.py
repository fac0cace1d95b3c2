"""Trees as a graph: one operator for all of them, in double precision."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from gristmill.serving.compiled.edge.graph import ML, Graph
from gristmill.serving.compiled.kernels.symmetric import Symmetric
from gristmill.serving.compiled.kernels.trees import TreeText

LESS_OR_EQUAL, SUM = 0, 1
"""Constants of the operator: numbers up to a split go to the first child; leaves are added up."""

CATEGORY, GAPS_LEFT, GAPS_APART = 1, 2, 8

Ints = NDArray[np.int64]


@dataclass
class _Nodes:
    """The nodes and leaves of all trees, as the operator has them."""

    columns: list[Ints]
    splits: list[NDArray[np.float64]]
    gaps: list[Ints]
    children: dict[str, list[Ints]]
    roots: list[int]
    weights: list[NDArray[np.float64]]
    targets: list[Ints]
    n_nodes: int = 0
    n_leaves: int = 0

    def add(self, column: Ints, split: Any, gaps_left: Any, left: Ints, right: Ints, leaf: NDArray[np.float64]) -> None:
        """Add a tree whose children are nodes, or ``-1 - leaf``; leaves have the shape ``(n_leaves, n_outputs)``.

        A leaf of several outputs takes a tree an output: see :func:`symmetric`.
        """
        self.roots.append(self.n_nodes)
        self.columns.append(column)
        self.splits.append(np.asarray(split, dtype=np.float64))
        self.gaps.append(np.asarray(gaps_left, dtype=np.int64))
        for side, child in (("true", left), ("false", right)):
            self.children[f"nodes_{side}leafs"].append((child < 0).astype(np.int64))
            self.children[f"nodes_{side}nodeids"].append(np.where(child < 0, -1 - child + self.n_leaves, child + self.n_nodes))
        self.weights.append(leaf)
        self.n_nodes, self.n_leaves = self.n_nodes + len(column), self.n_leaves + len(leaf)


def _empty() -> _Nodes:
    sides = ("nodes_trueleafs", "nodes_truenodeids", "nodes_falseleafs", "nodes_falsenodeids")
    return _Nodes([], [], [], {name: [] for name in sides}, [], [], [])


def _ensemble(graph: Graph, X: str, nodes: _Nodes, n_outputs: int) -> str:
    """Return the sum over the trees, shape ``(n_rows, n_outputs)``."""
    modes = numpy_helper.from_array(np.full(nodes.n_nodes, LESS_OR_EQUAL, dtype=np.uint8), "modes")
    attributes = {name: np.concatenate(parts).tolist() for name, parts in nodes.children.items()}
    node = helper.make_node(
        "TreeEnsemble", [X], [f"made_{len(graph.nodes)}"], domain=ML, n_targets=n_outputs, aggregate_function=SUM, post_transform=0,
        tree_roots=nodes.roots, nodes_modes=modes, nodes_featureids=np.concatenate(nodes.columns).tolist(),
        nodes_splits=numpy_helper.from_array(np.concatenate(nodes.splits), "splits"),
        nodes_missing_value_tracks_true=np.concatenate(nodes.gaps).tolist(),
        leaf_targetids=np.concatenate(nodes.targets).tolist(),
        leaf_weights=numpy_helper.from_array(np.concatenate(nodes.weights), "weights"), **attributes,
    )  # fmt: skip
    graph.nodes.append(node)
    return str(node.output[0])


def of_text(graph: Graph, kernel: TreeText, X: str) -> str:
    """Return the raw answers of trees in LightGBM's text, shape ``(n_rows, n_outputs)``."""
    if kernel.single:
        X = graph.single(X)
    if kernel.empty is not None:
        kept = np.ones(kernel.n_columns, dtype=bool)
        kept[kernel.empty] = False
        X = graph.do("Where", graph.constant(kept, np.bool_), X, graph.constant(0.0))
    trees = [_fields(block) for block in kernel.text.tobytes().decode().split("\nTree=")[1:]]
    asked = sorted({one for tree in trees for one in _sets(tree)})
    place = {one: kernel.n_columns + row for row, one in enumerate(asked)}
    if asked:
        X = graph.do("Concat", X, _membership(graph, X, asked), axis=1)
    nodes, base = _empty(), np.zeros(kernel.n_outputs) if kernel.base is None else kernel.base.copy()
    for number, tree in enumerate(trees):
        target = number % kernel.n_outputs
        if len(tree["leaf_value"]) == 1:
            base[target] += tree["leaf_value"][0]
        else:
            _add(nodes, tree, place, target)
    return graph.do("Add", _ensemble(graph, X, nodes, kernel.n_outputs), graph.constant(base))


def _add(nodes: _Nodes, tree: dict[str, Any], place: dict[Any, int], target: int) -> None:
    """Add one tree of a text; a set of categories is asked for as a truth value that is above one half."""
    column, decision = tree["split_feature"].astype(np.int64), tree["decision_type"].astype(np.int64)
    split, left, right = tree["threshold"].copy(), tree["left_child"].astype(np.int64), tree["right_child"].astype(np.int64)
    apart = (decision & GAPS_APART) > 0
    gaps = np.where(apart, (decision & GAPS_LEFT) > 0, split >= 0)  # where gaps are not told apart, they count as 0
    for node, one in enumerate(tree["sets"]):
        if one is not None:
            column[node], split[node], gaps[node] = place[int(column[node]), tuple(one.tolist())], 0.5, False
            left[node], right[node] = right[node], left[node]
    nodes.add(column, split, gaps, left, right, tree["leaf_value"])
    nodes.targets.append(np.full(len(tree["leaf_value"]), target))


def _sets(tree: dict[str, Any]) -> list[tuple[int, tuple[int, ...]]]:
    """Return the sets of categories that a tree asks for, each with its column."""
    splits = zip(tree["split_feature"], tree["sets"], strict=True)
    return [(int(column), tuple(codes.tolist())) for column, codes in splits if codes is not None]


def _membership(graph: Graph, X: str, asked: list[tuple[int, tuple[int, ...]]]) -> str:
    """Return whether codes are in sets of categories, a column each."""
    parts, columns = [], sorted({column for column, _ in asked})
    for column in columns:
        sets = [codes for one, codes in asked if one == column]
        table = np.zeros((max(max(codes, default=0) for codes in sets) + 2, len(sets)))
        for row, codes in enumerate(sets):
            table[list(codes), row] = 1.0
        parts.append(graph.looked_up([table], graph.columns(X, [column])))
    return graph.side_by_side(parts)


def _fields(block: str) -> dict[str, Any]:
    """Return the numbers of a tree of a text, and the codes of each node that splits categories."""
    lines = dict(line.split("=", 1) for line in block.split("\n") if "=" in line)
    found: dict[str, Any] = {key: np.array(lines[key].split(), dtype=np.float64) for key in _READ}
    words = [int(word) for word in lines.get("cat_threshold", "").split()]
    ends = [int(word) for word in lines.get("cat_boundaries", "0").split()]
    found["sets"] = [None] * len(found["split_feature"])
    for node, decision in enumerate(found["decision_type"].astype(np.int64)):
        if decision & CATEGORY:
            start, end = ends[int(found["threshold"][node])], ends[int(found["threshold"][node]) + 1]
            bits = [32 * word + bit for word in range(end - start) for bit in range(32) if words[start + word] >> bit & 1]
            found["sets"][node] = np.array(bits, dtype=np.int64)
    return found


_READ = ("split_feature", "threshold", "decision_type", "left_child", "right_child", "leaf_value")


def symmetric(graph: Graph, kernel: Symmetric, X: str) -> str:
    """Return the raw answers of symmetric trees, shape ``(n_rows, n_outputs)``; every question is a truth value."""
    about = len(kernel.code_columns)
    parts = []
    if len(kernel.columns):
        held = graph.single(graph.do("Clip", X, graph.constant(-3.4028234e38), graph.constant(3.4028234e38)))
        above = graph.do("Greater", graph.columns(held, kernel.columns), graph.constant(kernel.borders))
        parts.append(graph.double(above))
    if about:
        last = np.concatenate([kernel.truths[1:], kernel.truths[:1]]).astype(np.float64)  # a missing one is the last
        tables = [last[:, [place]] for place in range(about)]
        parts.append(graph.looked_up(tables, graph.columns(X, kernel.code_columns)))
    never = graph.do("Mul", graph.columns(parts[0], [0]), graph.constant(0.0))
    bits = graph.side_by_side([*parts, never])
    nodes, n_outputs = _empty(), kernel.leaves.shape[1]
    ends = [*kernel.starts[1:].tolist(), len(kernel.leaves)]
    for tree, (start, end) in enumerate(zip(kernel.starts.tolist(), ends, strict=True)):
        depth = (end - start).bit_length() - 1
        for output in range(n_outputs):
            _full(nodes, kernel.questions[:depth, tree], kernel.leaves[start:end, output], output)
    total = graph.do("Mul", _ensemble(graph, bits, nodes, n_outputs), graph.constant(kernel.scale))
    return graph.do("Add", total, graph.constant(kernel.bias))


def _full(nodes: _Nodes, questions: Ints, leaves: NDArray[np.float64], output: int) -> None:
    """Add a symmetric tree; the first question decides the last binary digit of a leaf's place, so that it is asked last."""
    depth = len(questions)
    if depth == 0:
        questions, leaves, depth = np.zeros(1, dtype=np.int64), np.repeat(leaves, 2), 1
    level = np.concatenate([np.full(2**row, depth - 1 - row) for row in range(depth)])
    place = np.arange(2**depth - 1)
    left, right = 2 * place + 1, 2 * place + 2
    last = len(place)
    left, right = (np.where(child >= last, -1 - (child - last), child) for child in (left, right))
    nodes.add(questions[level].astype(np.int64), np.full(last, 0.5), np.zeros(last), left, right, leaves)
    nodes.targets.append(np.full(len(leaves), output))
