"""What turned out to be true, joined to predictions by their names: late, again, or corrected (R43)."""

import time
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from gristmill.errors import LogUnavailable
from gristmill.serving.api.openapi import body_of
from gristmill.serving.api.reading import Body, read
from gristmill.serving.api.refusals import log_unavailable
from gristmill.serving.api.service import Service
from gristmill.serving.prediction_log import records
from gristmill.serving.prediction_log.feedback import LabelCheck
from gristmill.serving.problems import ProblemError
from gristmill.serving.served.traffic import CHAMPION

MOST_REFUSALS = 20


class Truth(Body):
    """What turned out to be true of one prediction."""

    prediction_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9a-f-]+$")] = Field(
        description="As the answer named it.", examples=["019ab7a0-1c00-7000-8000-000000000000"]
    )
    label: Annotated[str, Field(max_length=1000)] | float = Field(
        description="The class as it is written in the table, or the number.", examples=["Yes"]
    )


class Truths(Body):
    """What turned out to be true."""

    feedback: Annotated[list[Truth], Field(min_length=1)]


class Refused(BaseModel):
    """A label that was not taken."""

    prediction_id: str
    reason: str


class FeedbackTaken(BaseModel):
    """What became of labels; each is in one of the four."""

    recorded: list[str] = Field(description="First labels of their predictions.")
    repeated: list[str] = Field(description="Labels that were there already; nothing was done.")
    corrected: list[str] = Field(description="Labels in the place of others, which are kept as well.")
    refused: list[Refused]


def router(service: Service) -> APIRouter:
    """Return the route of a service."""
    made = APIRouter(tags=["feedback"], prefix="/v1")

    @made.post("/feedback", summary="Say what turned out to be true", openapi_extra=body_of(Truths))
    async def feedback(request: Request) -> FeedbackTaken:
        truths, now = read(request, Truths).feedback, time.time()
        if len({one.prediction_id for one in truths}) < len(truths):
            raise ProblemError(422, "Request Not Understood", "Expected one label for a prediction, got two of the same name.")
        key = request.scope["state"]["key"]
        labels = [records.Feedback(one.prediction_id, one.label, now, key.id) for one in truths]
        try:
            outcome = await service.log.record_feedback(labels, _checking(service))
        except LogUnavailable as error:
            raise log_unavailable() from error
        refused = [Refused(prediction_id=name, reason=why) for name, why in outcome.refused.items()]
        if len(refused) == len(truths):
            errors = [one.model_dump() for one in refused[:MOST_REFUSALS]]
            raise ProblemError(422, "No Label Taken", "None of the labels was taken.", errors=errors)
        return FeedbackTaken(
            recorded=list(outcome.recorded), repeated=list(outcome.repeated), corrected=list(outcome.corrected), refused=refused
        )

    return made


def _checking(service: Service) -> LabelCheck:
    """Return what says whether a label can be one of the model that predicted."""

    def check(predicted: records.Predicted, label: records.Label) -> str | None:
        model = service.models.get(predicted.model)
        if model is None or model.line_up is None:
            return None
        versions = model.line_up.versions
        _, version = versions.get(int(predicted.version), (CHAMPION, model.line_up.champion))
        classes = version.predictor.model.classes
        if not classes:
            return None if isinstance(label, float | int) else "Expected a number: the model predicts numbers."
        return None if label in classes else f"Expected one of the classes {', '.join(classes)}."

    return check
