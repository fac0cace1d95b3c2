"""``gristmill diagnose``: why a model got worse in a window of labelled rows."""

import time
from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import CaseName

File = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--window", metavar="FILE", help="Labelled rows of that time, any file a build reads; else the prediction log."),
]
Since = Annotated[Optional[str], typer.Option("--since", metavar="TIME", help="Served from this time on: 2026-05-01.")]  # noqa: UP045
Until = Annotated[Optional[str], typer.Option("--until", metavar="TIME", help="Served before this time; now if not given.")]  # noqa: UP045
Days = Annotated[Optional[float], typer.Option("--days", metavar="N", min=0, help="Served in the last N days before that.")]  # noqa: UP045
Labels = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--labels", metavar="TABLE", help="Table with prediction_id or the id columns, label, and maybe time."),
]


def diagnose(
    case: CaseName,
    window: File = None,
    since: Since = None,
    until: Until = None,
    days: Days = None,
    labels: Labels = None,
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--model", help="NAME@alias, NAME/VERSION or a model directory; CASE's champion if not given."),
    ] = None,
) -> None:
    """Say why the model of CASE lost more on the rows of a window than on its own test rows, and write a report."""
    from gristmill.errors import ParameterError  # noqa: PLC0415
    from gristmill.monitoring.diagnosis.case_diagnosis import diagnose_case  # noqa: PLC0415
    from gristmill.monitoring.diagnosis.logged_window import span_of  # noqa: PLC0415
    from gristmill.paths import case_paths  # noqa: PLC0415
    from gristmill.serving.prediction_log.report import seconds_of  # noqa: PLC0415

    paths = case_paths(case)
    if window is not None and (since, until, days, labels) != (None, None, None, None):
        raise ParameterError(
            "Expected --window, a file with its labels, or the log with --since, --until, --days and --labels; got both."
        )
    ends = seconds_of("--since", since), seconds_of("--until", until)
    asked = window or span_of(paths, time.time(), *ends, days)
    made = diagnose_case(paths, asked, model or f"{case}@champion", labels)
    typer.echo(f"Window: {made.diagnosis.window}, {made.diagnosis.rows[1]:,} labelled rows.")
    typer.echo(made.diagnosis.sentence)
    for place, cause in enumerate(made.diagnosis.causes, 1):
        typer.echo(f"{place}. {cause.kind}, {100 * cause.explained:.0f} %: {cause.words}. {cause.todo}")
    typer.echo(f"Report: {made.page}")
    typer.echo(f"Data:   {made.record}")
