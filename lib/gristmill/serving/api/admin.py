"""What people and programs with an admin key may do: move the release, ask for a new model, take a profile.

Promotion and rollback are those of the commands, with their gates and their record; the record names the key.
"""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gristmill.errors import GateError, GristmillError, InstrumentError, RegistryError, ReleaseConflictError, StateError
from gristmill.serving import retrain_requests
from gristmill.serving.api.openapi import body_of
from gristmill.serving.api.reading import Body, read
from gristmill.serving.api.refusals import RETRY_SOON, not_served, too_busy
from gristmill.serving.api.service import Service
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.registry_process import ask
from gristmill.serving.served.serving_model import ServingModel

Reason = Annotated[str, Field(max_length=1000, pattern=r"^[^\u0000]*$")]
Version = Annotated[int, Field(ge=1, le=999_999_999)]


class Promote(Body):
    """Which version is to be what."""

    version: Version | None = Field(None, description="The latest if not given.")
    alias: Literal["champion", "challenger", "staging"] = "champion"
    reason: Reason = Field("", description="Why, for the record.")


class Rollback(Body):
    """Back to which champion, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\u0000]*\S[^\u0000]*$")] = Field(
        description="Why, for the record."
    )
    to: Version | None = Field(None, description="A former champion; the one before the present champion if not given.")


class Retrain(Body):
    """Why a new model is wanted."""

    reason: Reason = Field("", description="Why, for the record.")
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")] | None = Field(
        None, description="A request with the key of an earlier one is that one."
    )


class Profile(Body):
    """How long a profile is to be taken."""

    seconds: Annotated[float, Field(gt=0, le=600)] | Annotated[int, Field(gt=0, le=600)] = 10


class Released(BaseModel):
    """What is released now."""

    model: str
    moved: bool = Field(description="Whether anything had to be moved.")
    champion: int | None
    challenger: int | None
    staging: int | None
    notes: list[str] = Field(description="What was found on the way.")


class RetrainQueued(BaseModel):
    """A request for a new model that waits."""

    id: str
    model: str
    place: int = Field(description="How many requests for this model wait before it.")
    state: str
    repeated: bool = Field(description="Whether it was there already.")


class ProfileBegun(BaseModel):
    """A profile that is being taken, by the worker that answered."""

    file: str = Field(description="In `state/profiles/` of the project, when it has ended; speedscope shows it.")
    seconds: float


def router(service: Service) -> APIRouter:
    """Return the routes of a service."""
    made = APIRouter(tags=["admin"], prefix="/v1/admin")
    one_at_a_time = asyncio.Semaphore(1)

    @made.post("/models/{name}/promote", summary="Let a version be the champion", openapi_extra=body_of(Promote, required=False))
    async def promote(request: Request) -> Released:
        body = read(request, Promote)
        asked = {"what": "promote", "version": body.version, "alias": body.alias, "reason": body.reason}
        return await _move(service, request, asked, one_at_a_time)

    @made.post("/models/{name}/rollback", summary="Go back to a former champion", openapi_extra=body_of(Rollback))
    async def rollback(request: Request) -> Released:
        body = read(request, Rollback)
        return await _move(service, request, {"what": "rollback", "to": body.to, "reason": body.reason}, one_at_a_time)

    @made.post(
        "/models/{name}/retrain", status_code=202, summary="Ask for a new model", openapi_extra=body_of(Retrain, required=False)
    )
    async def retrain(request: Request) -> RetrainQueued:
        body, name = read(request, Retrain), _model(service, request).name
        arguments = (service.root, name, _who(request), body.reason, body.idempotency_key)
        try:
            found, place, is_new = await asyncio.to_thread(retrain_requests.enqueue, *arguments)
        except StateError as error:
            raise _state_away() from error
        return RetrainQueued(id=found.id, model=name, place=place, state=found.state, repeated=not is_new)

    @made.post("/profile", status_code=202, summary="Take a profile of a worker", openapi_extra=body_of(Profile, required=False))
    async def profile(request: Request) -> ProfileBegun:
        seconds = read(request, Profile).seconds
        if service.profiler is None:
            raise ProblemError(503, "Not Ready", "The service begins.", headers=RETRY_SOON)
        try:
            path = service.profiler.start(seconds)
        except InstrumentError as error:
            raise ProblemError(409, "No Profile", "A profile is being taken, or its folder cannot be written.") from error
        return ProfileBegun(file=path.name, seconds=seconds)

    return made


def _model(service: Service, request: Request) -> ServingModel:
    """Return the model that a path names."""
    found = service.models.get(request.path_params["name"])
    if found is None:
        raise not_served(service.models)
    return found


def _who(request: Request) -> str:
    """Return who asks, for the record."""
    key = request.scope["state"]["key"]
    return f"key {key.id} ({key.name})"


async def _move(service: Service, request: Request, asked: dict[str, Any], turn: asyncio.Semaphore) -> Released:
    """Have a release moved, and take in what it names."""
    model = _model(service, request)
    if turn.locked():  # each takes seconds; a queue of them would have no end
        raise too_busy("A release is being moved. Try again in 1 s.")
    try:
        async with turn:
            made = await ask(service.root, {**asked, "model": model.name, "who": _who(request)})
    except (GateError, ReleaseConflictError) as error:
        raise ProblemError(409, "Release Not Moved", str(error)) from error
    except RegistryError as error:
        raise ProblemError(422, "Release Not Moved", str(error)) from error
    except StateError as error:
        raise _state_away() from error
    except GristmillError as error:
        raise ProblemError(409, "Release Not Moved", str(error)) from error
    await model.refresh()
    return Released(
        model=model.name, moved=made["moved"], champion=made["champion"], challenger=made["challenger"], staging=made["staging"],
        notes=made["notes"],
    )  # fmt: skip


def _state_away() -> ProblemError:
    return ProblemError(503, "State Unavailable", "The state database does not answer; nothing was changed.", headers=RETRY_SOON)
