"""What the sections of the case file are made of: their base, and the kinds of values that several of them take."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _as_text(value: object) -> object:
    """Read a class or level as the text it has in the table: YAML's ``1`` is the class ``"1"``."""
    return str(value) if isinstance(value, bool | int | float) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Scalar = str | int | float | bool
Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Section(BaseModel):
    """Base of all sections: frozen; unknown keys, and numbers that are not finite, refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)
