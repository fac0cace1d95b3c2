"""Bodies of requests other than those for predictions: strict, and every wrong member named without its value."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from gristmill.serving.problems import ProblemError

MOST_ERRORS = 20


class Body(BaseModel):
    """Base of all bodies: of exactly these members, and no type is taken for another."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


AnyBody = TypeVar("AnyBody", bound=Body)


def read(request: Request, kind: type[AnyBody]) -> AnyBody:
    """Return the body of a request; an empty one is ``{}``.

    Raises
    ------
    ProblemError
        It is not of that kind (422).
    """
    given = request.scope["state"]["json"]
    try:
        return kind.model_validate({} if given is None else given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [
            {"member": ".".join(str(part) for part in one["loc"])[:100], "expected": one["msg"]} for one in found[:MOST_ERRORS]
        ]
        raise ProblemError(
            422, "Request Not Understood", f"{len(found)} of the members are not what is expected.", errors=errors
        ) from None
