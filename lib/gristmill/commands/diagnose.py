"""``gristmill diagnose``: why a model got worse in a window of labelled rows."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import CaseName


def diagnose(
    case: CaseName,
    window: Annotated[Path, typer.Option("--window", metavar="FILE", help="Labelled rows of that time: any file a build reads.")],
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--model", help="NAME@alias, NAME/VERSION or a model directory; CASE's champion if not given."),
    ] = None,
) -> None:
    """Say why the model of CASE lost more on the rows of a window than on its own test rows, and write a report."""
    from gristmill.monitoring.diagnosis.case_diagnosis import diagnose_case  # noqa: PLC0415
    from gristmill.paths import case_paths  # noqa: PLC0415

    made = diagnose_case(case_paths(case), window, model or f"{case}@champion")
    typer.echo(made.diagnosis.sentence)
    for place, cause in enumerate(made.diagnosis.causes, 1):
        typer.echo(f"{place}. {cause.kind}, {100 * cause.explained:.0f} %: {cause.words}. {cause.todo}")
    typer.echo(f"Report: {made.page}")
    typer.echo(f"Data:   {made.record}")
