"""Whether the process is there, whether it can answer, and what it has counted."""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from gristmill.serving.api.refusals import RETRY_SOON
from gristmill.serving.api.service import Service
from gristmill.serving.problems import ProblemError


class Health(BaseModel):
    """The process is there."""

    status: str = Field("ok", description="Always `ok`.")


class Readiness(BaseModel):
    """Whether predictions can be answered, and what was looked at."""

    ready: bool
    checks: dict[str, str]


def router(service: Service) -> APIRouter:
    """Return the routes of a service."""
    made = APIRouter(tags=["health"])

    @made.get("/healthz", summary="Is the process there?")
    async def healthz() -> Health:
        return Health(status="ok")

    @made.get("/readyz", summary="Can predictions be answered?")
    async def readyz() -> Readiness:
        ready, checks = await service.readiness()
        if not ready:
            raise ProblemError(503, "Not Ready", "Predictions cannot be answered now.", headers=RETRY_SOON, checks=checks)
        return Readiness(ready=True, checks=checks)

    @made.get(
        "/metrics", summary="What was counted and measured, for Prometheus", response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def metrics() -> Response:
        content, kind = service.metrics.exposition()
        return Response(content, media_type=kind)

    return made
