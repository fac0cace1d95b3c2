"""Building of an ONNX graph, operator by operator."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
OPSETS = {"": 21, ML: 5}
"""Versions of the operators: version 5 of those for machine learning has trees in double precision."""


class Graph:
    """The nodes, constants and inputs of a graph that is being built; every operator is called like its ONNX name."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self.inputs: list[Any] = []

    def constant(self, values: Any, dtype: Any = np.float64) -> str:
        """Return the name of a constant array."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def input(self, name: str, kind: int) -> str:
        """Return the name of an input of one column, shape ``(n_rows, 1)``."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", 1]))
        return name

    def do(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Return the name of what an operator makes of its inputs."""
        name = f"made_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def columns(self, table: str, places: Any) -> str:
        """Return some columns of a table, in the order of their places."""
        return self.do("Gather", table, self.constant(places, np.int64), axis=1)

    def double(self, value: str) -> str:
        """Return numbers in double precision."""
        return self.do("Cast", value, to=TensorProto.DOUBLE)

    def single(self, value: str) -> str:
        """Return numbers in double precision that were rounded to single precision."""
        return self.double(self.do("Cast", value, to=TensorProto.FLOAT))

    def side_by_side(self, parts: list[str]) -> str:
        """Return tables side by side."""
        return parts[0] if len(parts) == 1 else self.do("Concat", *parts, axis=1)

    def looked_up(self, tables: list[NDArray[Any]], codes: str) -> str:
        """Return what tables, one a column of ``codes``, give for codes; missing or unknown ones have the last row of a table."""
        parts = []
        for place, table in enumerate(tables):
            code, last = self.columns(codes, [place]), len(table) - 1
            above, below = self.do("GreaterOrEqual", code, self.constant(0.0)), self.do("Less", code, self.constant(float(last)))
            known = self.do("And", above, below)
            held = self.do("Where", known, code, self.constant(float(last)))
            row = self.do("Cast", held, to=TensorProto.INT64)
            parts.append(self.do("Squeeze", self.do("Gather", self.constant(table), row, axis=0), self.constant([1], np.int64)))
        return self.side_by_side(parts)
