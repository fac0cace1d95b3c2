"""``gristmill performance``: how good the model in production is, from late labels and before they come."""

from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import case_paths


def performance(
    case: CaseName = DEFAULT_CASE,
    labels: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--labels", metavar="TABLE", help="Table with prediction_id or the id columns, label, and maybe time."),
    ] = None,
) -> None:
    """Say how good the model of CASE in production is, beside what its test rows promised; exit 3 if it has become worse."""
    from gristmill.monitoring.performance.command import run  # noqa: PLC0415

    lines, worse = run(case_paths(case), labels)
    for line in lines:
        typer.echo(line)
    if worse:
        raise typer.Exit(3)
