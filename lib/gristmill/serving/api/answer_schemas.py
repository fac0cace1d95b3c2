"""What the service answers, as JSON Schema: predictions in the words of the model, and problem documents."""

from typing import Any

from gristmill.modeling.artifact.fitted import FittedModel

Schema = dict[str, Any]

PROBLEM: Schema = {
    "type": "object",
    "description": "What is wrong (RFC 9457). No value that was sent is repeated.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "What kind of problem it is."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was expected, what came, what to do."},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer", "description": "Its place in `instances`, from 0."},
                    "column": {"type": "string"},
                    "expected": {"type": "string"},
                    "got": {"type": "string"},
                },
                "required": ["row", "column", "expected", "got"],
            },
        },
    },
    "required": ["type", "title", "status", "detail"],
}

_WARNING: Schema = {
    "type": "object",
    "description": "A row is unlike those that the model learnt from.",
    "properties": {
        "row": {"type": "integer", "description": "Its place in `instances`, from 0."},
        "code": {"type": "string"},
        "column": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["row", "code", "column", "detail"],
}
_REASONS: Schema = {
    "type": "object",
    "description": "Why a row is predicted as it is: contributions of its columns, which add up to `value` minus `base`.",
    "properties": {
        "prediction": {"anyOf": [{"type": "string"}, {"type": "number"}]},
        "output": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "The class whose probability is explained."},
        "value": {"type": "number"},
        "base": {"type": "number", "description": "The prediction where no column is known."},
        "reasons": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "feature": {"type": "string"},
                    "value": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "reason": {"type": "string"},
                    "contribution": {"type": "number"},
                },
                "required": ["feature", "value", "reason", "contribution"],
            },
        },
        "rest": {"type": "number"},
    },
    "required": ["prediction", "output", "value", "base", "reasons", "rest"],
}


def answer_schema(model: FittedModel) -> Schema:
    """Return the schema of the answer to a request for predictions."""
    properties: Schema = {
        "predictions": {"type": "array", "items": _prediction(model), "description": f"{model.target}, a row."},
        "model": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
            "required": ["name", "version"],
        },
        "request_id": {"type": "string"},
        "prediction_ids": {
            "type": "array", "items": {"type": "string"}, "description": "Names of the predictions, by which labels are reported."
        },
        "warnings": {"type": "array", "items": _WARNING, "description": "Only where there is one."},
        "explanations": {"type": "array", "items": _REASONS, "description": "With `explain=shap`, one a row."},
        **_ranges(model),
    }  # fmt: skip
    required = ["predictions", "model", "request_id", "prediction_ids"]
    if model.classes:
        properties["probabilities"] = {"type": "array", "items": _probabilities(model), "description": "Of each class, a row."}
        required.append("probabilities")
    return {"type": "object", "properties": properties, "required": required}


def _prediction(model: FittedModel) -> Schema:
    return {"type": "string", "enum": list(model.classes)} if model.classes else {"type": "number"}


def _probabilities(model: FittedModel) -> Schema:
    one = {"type": "number", "minimum": 0, "maximum": 1}
    return {"type": "object", "properties": dict.fromkeys(model.classes, one), "required": list(model.classes)}


def _ranges(model: FittedModel) -> Schema:
    """Return the schema of what `interval` adds."""
    if model.classes:
        one: Schema = {"type": "array", "items": _prediction(model)}
        return {"prediction_sets": {"type": "array", "items": one, "description": "With `interval`, the classes a row may have."}}
    ends: Schema = {
        "type": "object",
        "properties": {"lower": {"type": "number"}, "upper": {"type": "number"}},
        "required": ["lower", "upper"],
    }
    return {"intervals": {"type": "array", "items": ends, "description": "With `interval`, where the truth of a row lies."}}
