"""The data contract of a model as JSON Schema: what the OpenAPI document says of each column.

Only what a row is refused for is a constraint. Ranges and levels of the training rows are told in words and as ``x-`` members,
because a row beyond them is answered, with a warning, unless the case refuses it.
"""

from collections.abc import Mapping
from typing import Any

from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.rows import LARGEST, LARGEST_WHOLE, RowChecker, is_whole
from gristmill.serving.served.versions import example_value

Schema = dict[str, Any]

_TEXT = {"type": "string", "pattern": r"^[^\u0000\ud800-\udfff]*$"}
_WHOLE = {"type": "integer", "minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE}
_MOST_LEVELS_TOLD = 30


def row_schema(model: FittedModel, checker: RowChecker) -> Schema:
    """Return the schema of one row.

    Parameters
    ----------
    model
        The model whose contract it is.
    checker
        What rows are held against; the schema says the same.
    """
    nullable = {rule.name: rule.nullable for rule in checker.rules}
    columns = {str(column["name"]): column for column in model.contract["columns"]}
    properties = {name: column_schema(column, nullable=nullable[name]) for name, column in columns.items()}
    return {
        "type": "object",
        "description": f"One row of the table that {model.target!r} is predicted for.",
        "properties": properties,
        "required": list(model.feature_columns),
        "additionalProperties": False,
        "example": {name: example_value(columns[name]) for name in (*model.id_columns, *model.feature_columns)},
    }


def column_schema(column: Mapping[str, Any], *, nullable: bool) -> Schema:
    """Return the schema of one contracted column."""
    kinds = _types(column)
    if nullable:
        kinds = [*kinds, {"type": "null"}]
    schema: Schema = dict(kinds[0]) if len(kinds) == 1 else {"anyOf": kinds}
    schema["description"] = _described(column, nullable=nullable)
    if column["example"] is not None:
        schema["examples"] = [example_value(column)]
    if column.get("unit"):
        schema["x-unit"] = column["unit"]
    if column.get("minimum") is not None:
        schema["x-range"] = [column["minimum"], column["maximum"]]
    if column.get("levels"):
        schema["x-levels"] = column["levels"]
    return schema


def _types(column: Mapping[str, Any]) -> list[Schema]:
    """Return the types that a value of a column may have."""
    kind = column["kind"]
    if column["role"] == "id":
        return [_TEXT, _WHOLE]
    if kind == "numeric":
        return [_WHOLE] if is_whole(column) else [{"type": "number", "minimum": -LARGEST, "maximum": LARGEST}]
    if kind == "boolean":
        return [{"type": "boolean"}]
    if kind == "date":
        return [{**_TEXT, "x-format": column.get("format") or "ISO8601"}]
    return [_TEXT, _WHOLE] if is_whole(column) else [_TEXT]


_USES = {
    "id": "Names the row: kept in the log to find it again, never a feature",
    "target": "What is predicted; not needed, and not read",
    "group": "Names a group of rows; not read by the model",
}


def _described(column: Mapping[str, Any], *, nullable: bool) -> str:
    """Return what a reader should know of a column."""
    said = [_USES.get(column["role"]) or ("" if column["used"] else "Not read by the model")]
    said.append(str(column.get("description") or ""))
    if column.get("unit"):
        said.append(f"In {column['unit']}")
    if column["kind"] == "date":
        written = column.get("format") or "ISO8601"
        said.append(f"A date in ISO 8601{'' if written == 'ISO8601' else f', or written as {written}'}")
    if column.get("minimum") is not None:
        said.append(f"From {_plain(column['minimum'])} to {_plain(column['maximum'])} in the rows the model learnt from")
    if column.get("levels"):
        more = ", ..." if len(column["levels"]) > _MOST_LEVELS_TOLD else ""
        said.append(f"One of {', '.join(column['levels'][:_MOST_LEVELS_TOLD])}{more}; another level is answered as unseen")
    missing = float(column["missing_share"])
    if nullable:
        said.append(f"null where it is missing, as in {missing:.2%} of the rows the model learnt from")
    else:
        said.append("Never missing")
    return ". ".join(part for part in said if part) + "."


def _plain(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
