"""Kernels, and what is made of their answers, as a graph."""

from typing import Any

import numpy as np
from onnx import TensorProto

from gristmill.errors import NoCompiledForm
from gristmill.modeling.choice.calibration import SMALLEST
from gristmill.modeling.choice.stacking import SMALLEST as SMALLEST_SHARE
from gristmill.modeling.families.network_answers import n_layers
from gristmill.serving.compiled.answers import CalibratedShares, KnownShares, Mean, Odds, Prepared, Rescaled, Shares, Stack
from gristmill.serving.compiled.edge import trees
from gristmill.serving.compiled.edge.graph import Graph
from gristmill.serving.compiled.edge.matrices import matrix
from gristmill.serving.compiled.kernels.categories import Recoded
from gristmill.serving.compiled.kernels.simple import Constant, Linear, Network
from gristmill.serving.compiled.kernels.symmetric import Symmetric
from gristmill.serving.compiled.kernels.trees import TreeText


class Answers:
    """Writes the parts of a compiled model into a graph.

    Parameters
    ----------
    graph
        The graph.
    single
        Whether networks reckon in single precision, as quantisation needs it.
    """

    def __init__(self, graph: Graph, *, single: bool = False) -> None:
        self.graph, self.single = graph, single

    def of(self, part: Any, given: Any) -> str:
        """Return probabilities ``(n_rows, n_classes)`` or numbers ``(n_rows, 1)`` of a part, from cells or from a matrix.

        Raises
        ------
        NoCompiledForm
            A part cannot be said in ONNX; the message names it.
        """
        do, constant = self.graph.do, self.graph.constant
        if isinstance(part, Prepared):
            return self.of(part.inner, matrix(self.graph, part.matrix, *given))
        if isinstance(part, Odds | Shares):
            return self.shares(part, given)
        if isinstance(part, Rescaled):
            held = do("Clip", self.of(part.inner, given), constant(part.lowest), constant(part.highest))
            made = do("Add", do("Mul", held, constant(part.spread)), constant(part.center))
            return do("Exp", made) if part.logarithm else made
        if isinstance(part, Mean | Stack):
            return self.together(part, given)
        if isinstance(part, CalibratedShares):
            return self.calibrated(part, self.of(part.inner, given))
        if isinstance(part, KnownShares) and part.inner is not None:
            return self.known(part, self.of(part.inner, given))
        raw, _ = self.kernel(part, given)
        return raw

    def kernel(self, kernel: Any, X: str) -> tuple[str, int]:
        """Return the raw answers of a kernel, and how many there are a row."""
        do, constant = self.graph.do, self.graph.constant
        if isinstance(kernel, TreeText):
            return trees.of_text(self.graph, kernel, X), kernel.n_outputs
        if isinstance(kernel, Symmetric):
            return trees.symmetric(self.graph, kernel, X), kernel.leaves.shape[1]
        if isinstance(kernel, Recoded):
            n_columns = kernel.places.shape[1]
            placed = self.graph.looked_up([kernel.places[:, [place]] for place in range(n_columns)], X)
            rest = self.graph.columns(X, np.arange(n_columns, kernel.kernel.n_columns))
            return self.kernel(kernel.kernel, do("Concat", placed, rest, axis=1))
        if isinstance(kernel, Linear):
            weights = kernel.weights.reshape(len(kernel.weights), -1)
            return do("Add", do("MatMul", X, constant(weights)), constant(kernel.intercept)), weights.shape[1]
        if isinstance(kernel, Constant):
            none = self.graph.double(do("IsNaN", self.graph.columns(X, [0])))
            return do("Add", do("Mul", none, constant(0.0)), constant(kernel.values)), len(kernel.values)
        if isinstance(kernel, Network):
            return self.network(kernel, X), max(1, kernel.n_classes)
        raise NoCompiledForm(f"{type(kernel).__name__} is answered by its own library, and has no form in ONNX")

    def network(self, kernel: Network, X: str) -> str:
        """Return the mean of the members' probabilities, or of their numbers; shapes as in ``network_answers``."""
        if "embed_w" in kernel.weights:
            raise NoCompiledForm("a network whose numbers are embedded piece by piece is not exported")
        do, kind = self.graph.do, np.float32 if self.single or kernel.weights["head_w"].dtype == np.float32 else np.float64
        members, n_inputs, _ = kernel.weights["head_w"].shape

        def weight(name: str) -> str:
            return self.graph.constant(kernel.weights[name], kind)

        held = do("Clip", X, self.graph.constant(-kernel.furthest), self.graph.constant(kernel.furthest))
        hidden = held if kind == np.float64 else do("Cast", held, to=TensorProto.FLOAT)
        hidden = do("Unsqueeze", hidden, self.graph.constant([1], np.int64))
        for layer in range(n_layers(dict(kernel.weights))):
            if f"r_{layer}" in kernel.weights:
                hidden = do("Mul", hidden, weight(f"r_{layer}"))
            hidden = do("MatMul", hidden, weight(f"w_{layer}"))
            if f"s_{layer}" in kernel.weights:
                hidden = do("Mul", hidden, weight(f"s_{layer}"))
            hidden = do("Relu", do("Add", hidden, weight(f"b_{layer}")))
        if members > 1:
            hidden = do("Expand", hidden, self.graph.constant([1, members, n_inputs], np.int64))
        by_member = do("MatMul", do("Transpose", hidden, perm=[1, 0, 2]), weight("head_w"))
        said = self.graph.double(do("Add", do("Transpose", by_member, perm=[1, 0, 2]), weight("head_b")))
        if kernel.n_classes:
            said = do("Sigmoid", said) if kernel.n_classes == 2 else do("Softmax", said, axis=2)
        mean = do("ReduceMean", said, self.graph.constant([1], np.int64), keepdims=0)
        return self.both(mean) if kernel.n_classes == 2 else mean

    def both(self, positive: str) -> str:
        """Return the probabilities of both of two classes."""
        return self.graph.do("Concat", self.graph.do("Sub", self.graph.constant(1.0), positive), positive, axis=1)

    def known(self, part: KnownShares, shares: str) -> str:
        """Return the probabilities of all classes, where some never occurred."""
        n_absent = part.n_classes - len(part.present)
        spread = np.zeros((len(part.present), part.n_classes))
        spread[np.arange(len(part.present)), list(part.present)] = 1 - n_absent * part.absent_share
        absent = np.full(part.n_classes, part.absent_share)
        absent[list(part.present)] = 0.0
        return self.graph.do("Add", self.graph.do("MatMul", shares, self.graph.constant(spread)), self.graph.constant(absent))

    def shares(self, part: Odds | Shares, given: Any) -> str:
        """Return the probabilities of a kernel that answers log-odds, or shares."""
        raw, width = self.kernel(part.kernel, given)
        if isinstance(part, Shares):
            return self.both(raw) if width == 1 else raw
        return self.both(self.graph.do("Sigmoid", raw)) if width == 1 else self.graph.do("Softmax", raw, axis=1)

    def together(self, part: Mean | Stack, given: Any) -> str:
        """Return the weighted mean of several answers, or what a meta-model makes of them."""
        if isinstance(part, Stack):
            return self.stack(part, given)
        shares = [weight / sum(part.weights) for weight in part.weights]
        answers = [self.of(one, given) for one in part.members]
        return self.graph.do(
            "Sum", *(self.graph.do("Mul", a, self.graph.constant(w)) for a, w in zip(answers, shares, strict=True))
        )

    def stack(self, part: Stack, given: Any) -> str:
        """Return what a meta-model makes of its members' answers."""
        do, constant = self.graph.do, self.graph.constant
        answers = [self.of(one, given) for one in part.members]
        if part.n_classes:
            logs = [do("Log", do("Max", one, constant(SMALLEST_SHARE))) for one in answers]
            answers = [do("Sub", one, do("ReduceMean", one, constant([1], np.int64), keepdims=1)) for one in logs]
        weighted = [do("Mul", one, constant(weight)) for one, weight in zip(answers, part.weights.tolist(), strict=True)]
        total = do("Add", do("Sum", *weighted), constant(part.bias))
        return do("Softmax", total, axis=1) if part.n_classes else total

    def calibrated(self, part: CalibratedShares, shares: str) -> str:
        """Return calibrated probabilities."""
        do, constant = self.graph.do, self.graph.constant
        columns = [1] if len(part.inputs) == 1 else range(len(part.inputs))
        moved = [
            do("Clip", self.curve(part, row, self.graph.columns(shares, [column])), constant(SMALLEST), constant(1 - SMALLEST))
            for row, column in enumerate(columns)
        ]
        if len(moved) == 1:
            return self.both(moved[0])
        table = self.graph.side_by_side(moved)
        return do("Div", table, do("ReduceSum", table, constant([1], np.int64), keepdims=1))

    def curve(self, part: CalibratedShares, row: int, column: str) -> str:
        """Return one class's probabilities moved along its curve."""
        do, constant = self.graph.do, self.graph.constant
        inputs, outputs = part.inputs[row], part.outputs[row]
        if part.sigmoid:
            held = do("Clip", column, constant(SMALLEST), constant(1 - SMALLEST))
            odds = do("Log", do("Div", held, do("Sub", constant(1.0), held)))
            return do("Sigmoid", do("Add", do("Mul", odds, constant(inputs[0])), constant(outputs[0])))
        if len(inputs) == 1:
            return do("Add", do("Mul", column, constant(0.0)), constant(outputs[0]))
        steps, width = np.diff(outputs), np.diff(inputs)
        along = do("Div", do("Sub", column, constant(inputs[:-1])), constant(width))
        share = do("Max", do("Min", along, constant(1.0)), constant(0.0))
        return do("Add", do("MatMul", share, constant(steps[:, None])), constant(outputs[0]))
