"""Which models and versions serve, and what is to be known about them."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gristmill.serving.api.refusals import not_served
from gristmill.serving.api.service import Service
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.traffic import CHAMPION, LineUp
from gristmill.serving.served.versions import ServedVersion


class Column(BaseModel):
    """A column that a row must have."""

    name: str
    kind: str = Field(description="numeric, categorical, boolean, date or text.")
    missing_allowed: bool


class VersionInService(BaseModel):
    """A version that serves."""

    version: str
    role: str = Field(description="champion, challenger, or shadow: predicts for the log alone.")
    share: float = Field(description="Share of the traffic that it answers.")
    digest: str = Field(description="SHA-256 over the files of the model.")
    task: str
    classes: list[str]
    threshold: float | None = Field(description="Smallest probability of the second class that counts as it.")
    id_columns: list[str]
    columns: list[Column]
    compiled: bool = Field(description="Whether a row takes no detour over a table.")
    why_not_compiled: str
    row_ms: float = Field(description="Milliseconds of one row when the version was loaded.")
    batched: bool = Field(description="Whether requests that arrive together are predicted together.")


class ModelInService(BaseModel):
    """A model that serves."""

    name: str
    versions: list[VersionInService]
    release: int = Field(description="Token of the release row that says what serves; it grows with each change.")


class ModelsInService(BaseModel):
    """The models of this service."""

    models: list[ModelInService]


def router(service: Service) -> APIRouter:
    """Return the routes of a service."""
    made = APIRouter(tags=["models"], prefix="/v1")

    @made.get("/models", summary="Which models serve?")
    async def models() -> ModelsInService:
        line_ups = [model.line_up for model in service.models.values()]
        return ModelsInService(models=[_described(one) for one in line_ups if one is not None])

    @made.get("/models/{name}", summary="Which versions of a model serve, and what do they need?")
    async def model(request: Request) -> ModelInService:
        found = service.models.get(request.path_params["name"])
        if found is None:
            raise not_served(service.models)
        if found.line_up is None:
            raise ProblemError(503, "Not Ready", "The model is being loaded.", headers={"Retry-After": "1"})
        return _described(found.line_up)

    return made


def _described(line_up: LineUp) -> ModelInService:
    """Return what is to be known about a model."""
    share = line_up.share if line_up.splits else 0.0
    versions = [_version(line_up.champion, CHAMPION, 1 - share)]
    if line_up.challenger is not None and line_up.challenger is not line_up.champion:
        versions.append(_version(line_up.challenger, "shadow" if line_up.shadow else "challenger", share))
    return ModelInService(name=line_up.name, versions=versions, release=line_up.token)


def _version(version: ServedVersion, role: str, share: float) -> VersionInService:
    predictor, model = version.predictor, version.predictor.model
    rules = {rule.name: rule for rule in version.checker.rules}
    kinds: dict[str, Any] = {column["name"]: column["kind"] for column in model.contract["columns"]}
    return VersionInService(
        version=version.label, role=role, share=share, digest=model.manifest.digest, task=model.task, classes=list(model.classes),
        threshold=model.threshold, id_columns=list(model.id_columns),
        columns=[Column(name=name, kind=kinds[name], missing_allowed=rules[name].nullable) for name in model.feature_columns],
        compiled=getattr(predictor, "compiled", False), why_not_compiled=getattr(predictor, "why_not_compiled", ""),
        row_ms=round(version.row_ms, 4),
        batched=version.batcher.batches,
    )  # fmt: skip
