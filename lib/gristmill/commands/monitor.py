"""``gristmill monitor``: the reports on a model in production, and what they recommend."""

from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import case_paths


def monitor(
    case: CaseName = DEFAULT_CASE,
    days: Annotated[float, typer.Option("--days", metavar="N", help="How many days to look at.")] = 7,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--until", metavar="TIME", help="When they end; now if not given. Dashboards and alerts see what is of now."),
    ] = None,
) -> None:
    """Look at the rows, drift and performance of CASE in production, write the reports, and say what is to be done."""
    from gristmill.pipeline.monitoring_run import monitor as run  # noqa: PLC0415

    for line in run(case_paths(case), days, until).lines:
        typer.echo(line)
