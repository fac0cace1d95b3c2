"""The parts of a compiled model as plain data: JSON for what is small, arrays for what is large, and nothing that runs.

A part is a frozen dataclass that is registered here by name. What is read may name only these, with exactly their fields; arrays
hold numbers and never objects, so that no pickle is ever opened.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gristmill.errors import ArtifactError

ARRAY, KIND = "array", "part"
NUMERIC = "biuf"
"""Kinds of numbers that an array may hold: truth values, whole numbers with and without a sign, floats."""

MOST_NESTED = 60
"""Levels that parts may lie inside each other; a model has a tenth of it."""

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T", bound=type)
_PARTS: dict[str, type] = {}


def part(kind: T) -> T:
    """Register a dataclass as a part, under its own name."""
    _PARTS[kind.__name__] = kind
    return kind


def as_data(value: Any, arrays: Arrays) -> Any:
    """Return a part, or what one holds, as JSON-able data; arrays are put into ``arrays`` and named.

    Parameters
    ----------
    value
        A part, an array, plain data, or tuples and mappings of these.
    arrays
        Filled with the arrays, by name.
    """
    if is_dataclass(value) and not isinstance(value, type):
        made = {one.name: as_data(getattr(value, one.name), arrays) for one in fields(value) if one.init}
        return {KIND: type(value).__name__, **made}
    if isinstance(value, np.ndarray):
        name = f"{ARRAY}_{len(arrays)}"
        arrays[name] = np.ascontiguousarray(value)
        return {ARRAY: name}
    if isinstance(value, Mapping):
        return {"map": [[key, as_data(item, arrays)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return [as_data(item, arrays) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def from_data(data: Any, arrays: Mapping[str, NDArray[Any]], depth: int = 0) -> Any:
    """Return what :func:`as_data` was given; lists come back as tuples.

    Raises
    ------
    ArtifactError
        The data names a part, a field or an array that does not exist, or is nested beyond reason.
    """
    if depth > MOST_NESTED:
        raise _wrong("parts lie too deep inside each other")
    if isinstance(data, list):
        return tuple(from_data(item, arrays, depth + 1) for item in data)
    if not isinstance(data, dict):
        return data
    if ARRAY in data:
        return _array(data, arrays)
    if "map" in data:
        return {str(key): from_data(item, arrays, depth + 1) for key, item in data["map"]}
    return _part(data, lambda item: from_data(item, arrays, depth + 1))


def _array(data: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the array that data names."""
    name = data[ARRAY]
    if not isinstance(name, str) or name not in arrays or arrays[name].dtype.kind not in NUMERIC:
        raise _wrong(f"there is no array of numbers {name!r}")
    return arrays[name]


def _part(data: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
    """Return the part that data describes."""
    kind = _PARTS.get(str(data.get(KIND)))
    if kind is None:
        raise _wrong(f"there is no part {data.get(KIND)!r}")
    names = [one.name for one in fields(kind) if one.init]
    if set(data) != {KIND, *names}:
        raise _wrong(f"a {data[KIND]} has other fields than it should have")
    try:
        return kind(**{name: read(data[name]) for name in names})
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise _wrong(f"a {data[KIND]} does not hold together ({error})") from error


def _wrong(reason: str) -> ArtifactError:
    return ArtifactError(f"The compiled form of the model cannot be used: {reason}. It was altered; build the case again.")
