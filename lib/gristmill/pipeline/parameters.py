"""Checks what a notebook is given against its ``parameters`` cell, before a kernel starts.

The cell is the notebook's signature: a name it does not assign is unknown, and a value must have the type of the default, or of
the annotation where there is one. A default of None takes anything.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from gristmill.errors import ParameterError
from gristmill.pipeline.definition import Cell

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
    "None": (type(None),),
}


def check_parameters(name: str, cells: Sequence[Cell], given: Mapping[str, Any]) -> None:
    """Refuse parameters that a notebook does not have, or that have another type there.

    Parameters
    ----------
    name
        Name of the notebook, for messages.
    cells
        Its cells.
    given
        Parameter -> value.

    Raises
    ------
    ParameterError
        A parameter is unknown or ill-typed.
    """
    signature = _signature(cells)
    for parameter, value in given.items():
        if parameter not in signature:
            known = ", ".join(signature) or "none"
            raise ParameterError(
                f"The notebook {name} has no parameter {parameter!r} (it has: {known}). Remove it from pipeline.yaml, or "
                "assign it a default in the cell tagged `parameters`."
            )
        expected = signature[parameter]
        if expected and not _fits(value, expected):
            raise ParameterError(
                f"The parameter {parameter!r} of the notebook {name} must be {' or '.join(expected)}, got {value!r} "
                f"({type(value).__name__}). Mend it in pipeline.yaml or env.yaml."
            )


def _signature(cells: Sequence[Cell]) -> dict[str, tuple[str, ...]]:
    """Return parameter -> names of the types it takes; no names where it takes anything."""
    code = "\n".join(cell.source for cell in cells if cell.kind == "code" and "parameters" in cell.tags)
    signature: dict[str, tuple[str, ...]] = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            signature[node.target.id] = _annotated(node.annotation)
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            signature.update(dict.fromkeys(names, _of_default(node.value)))
    return signature


def _annotated(annotation: ast.expr) -> tuple[str, ...]:
    """Return the names of the types in an annotation such as ``int | None`` or ``list[str]``; none if one is unknown."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        left, right = _annotated(annotation.left), _annotated(annotation.right)
        return (*left, *right) if left and right else ()
    if isinstance(annotation, ast.Subscript):
        return _annotated(annotation.value)
    name = annotation.id if isinstance(annotation, ast.Name) else str(getattr(annotation, "value", ""))
    return (name,) if name in _TYPES else ()


def _of_default(value: ast.expr) -> tuple[str, ...]:
    """Return the name of a default's type; none for None and for what is not written out."""
    try:
        default = ast.literal_eval(value)
    except ValueError:
        return ()
    name = type(default).__name__
    return (name,) if name in _TYPES else ()


def _fits(value: Any, expected: tuple[str, ...]) -> bool:
    """Return whether a value has one of the types; a boolean is not a number."""
    if isinstance(value, bool):
        return "bool" in expected
    return any(isinstance(value, _TYPES[name]) for name in expected)
