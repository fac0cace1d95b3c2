"""Arguments that several commands take."""

from typing import Annotated

import typer

DEFAULT_CASE = "churn"

CaseName = Annotated[str, typer.Argument(metavar="CASE", help="Name of the case: configs/CASE.yaml.")]
