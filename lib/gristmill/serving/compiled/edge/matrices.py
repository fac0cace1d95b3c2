"""The matrix of a family as a graph."""

import numpy as np

from gristmill.errors import NoCompiledForm
from gristmill.serving.compiled.blocks import Flags, Matrix, Numbers, Table
from gristmill.serving.compiled.edge.graph import Graph
from gristmill.serving.compiled.ranks import Circle


def matrix(graph: Graph, made: Matrix, numbers: str, codes: str) -> str:
    """Return the matrix that is made of numbers and of codes of levels.

    Raises
    ------
    NoCompiledForm
        A part of it cannot be said in ONNX; the message names it.
    """
    if made.before:
        raise NoCompiledForm(f"features that are added or left out ({type(made.before[0]).__name__}) are not exported")
    return graph.side_by_side([_block(graph, block, numbers, codes) for block in made.blocks])


def _block(graph: Graph, block: Table | Flags | Numbers, numbers: str, codes: str) -> str:
    """Return one block."""
    if isinstance(block, Numbers):
        return _numbers(graph, block, numbers)
    rows = graph.do("Add", graph.columns(codes, block.columns), graph.constant(block.starts, np.int64))
    if isinstance(block, Table):
        found = graph.do("Gather", graph.constant(block.values), rows, axis=0)
        return graph.do("Reshape", found, graph.constant([-1, block.width], np.int64))
    places = graph.do("Gather", graph.constant(block.places, np.int64), rows, axis=0)
    hot = graph.do("OneHot", places, graph.constant(block.width + 1, np.int64), graph.constant([0.0, 1.0], np.float32), axis=-1)
    flags = graph.double(graph.do("ReduceSum", hot, graph.constant([1], np.int64), keepdims=0))
    return graph.columns(flags, np.arange(block.width))


def _numbers(graph: Graph, block: Numbers, numbers: str) -> str:
    """Return a block of numbers."""
    if block.ranks is not None:
        raise NoCompiledForm("ranks of numbers, which splines and deviates are made of, have no operator in ONNX")
    table = graph.columns(numbers, block.columns)
    if block.lower is not None and block.upper is not None:
        below, above = (
            graph.do(name, table, graph.constant(end)) for name, end in (("Less", block.lower), ("Greater", block.upper))
        )
        ends = (block.lower, block.upper) if block.clip else (np.full_like(block.lower, np.nan),) * 2
        table = graph.do("Where", below, graph.constant(ends[0]), graph.do("Where", above, graph.constant(ends[1]), table))
    if block.filling is not None:
        missing = graph.do("IsNaN", table)
        table = graph.do("Where", missing, graph.constant(block.filling), table)
        if block.flagged is not None:
            flags = graph.double(graph.columns(missing, block.flagged))
            table = graph.do("Concat", table, flags, axis=1)
    if isinstance(block.curves, Circle):
        table = _circle(graph, block.curves, table)
    elif block.curves is not None:
        raise NoCompiledForm("splines are not exported")
    if block.centre is not None and block.scale is not None:
        table = graph.do("Div", graph.do("Sub", table, graph.constant(block.centre)), graph.constant(block.scale))
    return table


def _circle(graph: Graph, circle: Circle, table: str) -> str:
    """Return sine and cosine of numbers, column by column."""
    periods = graph.constant(circle.periods)
    turned = graph.do("Div", graph.do("Mod", table, periods, fmod=1), periods)
    angle = graph.do("Mul", turned, graph.constant(2 * np.pi))
    parts = [graph.do("Sin", one) for one in (angle, graph.do("Add", angle, graph.constant(np.pi / 2)))]
    held = [graph.do("Where", graph.do("IsNaN", one), graph.constant(0.0), one) for one in parts]
    stacked = graph.do("Concat", *(graph.do("Unsqueeze", one, graph.constant([2], np.int64)) for one in held), axis=2)
    return graph.do("Reshape", stacked, graph.constant([-1, 2 * len(circle.periods)], np.int64))
