"""The OpenAPI document: FastAPI's own for the plain routes, and the data contract of each model for its predictions."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from gristmill.serving.api.answer_schemas import PROBLEM, answer_schema
from gristmill.serving.api.column_schemas import row_schema
from gristmill.serving.api.routes import TABLE
from gristmill.serving.served.serving_model import ServingModel
from gristmill.serving.served.versions import ServedVersion

Schema = dict[str, Any]

_JSON, _PROBLEM_JSON = "application/json", "application/problem+json"

_INNER = "x-inner-schemas"

REFUSALS = {
    400: "The request or its JSON is malformed.",
    401: "There is no key, or none that is valid.",
    403: "The key does not allow this.",
    404: "There is nothing of this name.",
    405: "The path has no such method.",
    408: "The request came too slowly.",
    409: "It cannot be done as things stand.",
    413: "The body, or the number of rows, is too large.",
    414: "Path and query are too long.",
    415: "The body is not JSON.",
    421: "The service does not go by the name it was called.",
    422: "Something in the request is not what is expected.",
    429: "Too many requests with this key, or too many wrong keys.",
    431: "The headers are too large.",
    503: "The service cannot answer at present; see `Retry-After`.",
}
"""Status -> what it means wherever it is answered."""


def body_of(kind: type[BaseModel], *, required: bool = True) -> Schema:
    """Return what documents that a route reads a body of a kind."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs", {})
    return {"requestBody": {"required": required, "content": {_JSON: {"schema": schema}}}, _INNER: inner}


def document(app: FastAPI, models: dict[str, ServingModel]) -> Schema:
    """Return the OpenAPI document of the models that serve now."""
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "`gristmill keys create`"}}
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method.upper(), path, models, schemas)
    for name, model in models.items():
        if model.line_up is not None:
            _add_predictions(made, name, model.line_up.champion, sorted(model.line_up.versions))
    return made


def _complete(operation: Schema, method: str, path: str, models: dict[str, ServingModel], schemas: Schema) -> None:
    """Add to an operation which key it needs, how it may be refused, and what its path and body may be."""
    schemas.update(operation.pop(_INNER, {}))
    route = next(one for one in TABLE.routes if (one.method, one.path) == (method, path))
    operation["security"] = [] if route.scope is None else [{"key": []}]
    if route.scope is not None:
        operation["description"] = (
            f"Needs a key with the scope `{route.scope}`." if route.scope != "any" else "Needs any valid key."
        )
    if "{name}" in path:
        operation["parameters"] = [
            {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "enum": list(models)}}
        ]
    operation["responses"].pop("422", None)
    operation["responses"] |= {str(status): one for status, one in refusals(public=route.scope is None).items()
                               if str(status) not in operation["responses"]}  # fmt: skip


def refusals(*, public: bool) -> dict[int, Schema]:
    """Return the documented refusals of an operation."""
    left_out = {401, 403, 404, 409, 415, 421, 422, 429} if public else set()
    content = {_PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": said, "content": content} for status, said in REFUSALS.items() if status not in left_out}


def _add_predictions(made: Schema, name: str, version: ServedVersion, versions: list[int]) -> None:
    """Add the routes for predictions of one model."""
    model, schemas = version.predictor.model, made["components"]["schemas"]
    title = "".join(part.capitalize() for part in name.split("_"))
    row, answer = f"{title}Row", f"{title}Answer"
    schemas[row], schemas[answer] = row_schema(model, version.checker), answer_schema(model)
    schemas[f"{title}Request"] = {
        "type": "object",
        "properties": {"instances": {"type": "array", "minItems": 1, "items": {"$ref": f"#/components/schemas/{row}"}}},
        "required": ["instances"],
        "additionalProperties": False,
    }
    operation: Schema = {
        "tags": ["predictions"],
        "summary": f"Predict {model.target}",
        "description": "Needs a key with the scope `predict`. The answer leaves when its predictions are in the log.",
        "operationId": f"predict_{name}",
        "security": [{"key": []}],
        "parameters": _options(),
        "requestBody": {"required": True, "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{title}Request"}}}},
        "responses": {
            "200": {
                "description": "One of each, a row, in order.",
                "content": {_JSON: {"schema": {"$ref": f"#/components/schemas/{answer}"}}},
            },
            **{str(status): one for status, one in refusals(public=False).items()},
        },
    }
    made["paths"][f"/v1/models/{name}/predict"] = {"post": operation}
    pinned = {"name": "version", "in": "path", "required": True, "schema": {"type": "integer", "enum": versions}}
    made["paths"][f"/v1/models/{name}/versions/{{version}}/predict"] = {
        "post": {
            **operation,
            "summary": f"Predict {model.target} with a certain version",
            "operationId": f"predict_{name}_version",
            "parameters": [pinned, *operation["parameters"]],
        }
    }


def _options() -> list[Schema]:
    """Return the options of a request for predictions."""
    return [
        {
            "name": "explain", "in": "query", "required": False, "schema": {"type": "string", "enum": ["shap"]},
            "description": "With `shap`, also the reasons for each row.",
        },
        {
            "name": "interval", "in": "query", "required": False, "schema": {"type": "number", "minimum": 0.5, "maximum": 0.999},
            "description": "Share of rows, such as 0.9, whose set of classes or interval is to hold the truth.",
        },
        {
            "name": "X-Sticky-Key", "in": "header", "required": False,
            "schema": {"type": "string", "maxLength": 256, "pattern": "^[!-~]+$"},
            "description": "Keeps a user with one version where two share the traffic; without it, what names the first row does.",
        },
    ]  # fmt: skip
