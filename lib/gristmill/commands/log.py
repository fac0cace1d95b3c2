"""``gristmill log``: show, export, prune and erase what the service has logged of its predictions."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import CaseName
from gristmill.paths import case_paths, project_root

app = typer.Typer(no_args_is_help=True, help="The prediction log: every prediction served, with its row, answer and label.")

_FROM = typer.Option("--since", metavar="TIME", help="From this time on: 2026-05-01, or 2026-05-01T14:00+02:00.")
Since = Annotated[Optional[str], _FROM]  # noqa: UP045
Until = Annotated[Optional[str], typer.Option("--until", metavar="TIME", help="Before this time.")]  # noqa: UP045
Model = Annotated[Optional[str], typer.Option("--model", metavar="NAME", help="Of this model only.")]  # noqa: UP045


@app.command()
def show(
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="How many, newest first.")] = 20,
    request: Annotated[Optional[str], typer.Option("--request", metavar="ID", help="Of this request only.")] = None,  # noqa: UP045
    subject: Annotated[Optional[str], typer.Option("--subject", metavar="COLUMN=VALUE", help="Of this subject only.")] = None,  # noqa: UP045
) -> None:
    """Print logged predictions, one JSON document a line, newest first."""
    from gristmill.serving.prediction_log.reader import LogReader  # noqa: PLC0415
    from gristmill.serving.prediction_log.report import line, subject_of  # noqa: PLC0415

    for record in LogReader(project_root()).last(last, request, subject_of(subject) if subject else None):
        typer.echo(line(record))


@app.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT.parquet", help="Where to.")],
    since: Since = None,
    until: Until = None,
    model: Model = None,
) -> None:
    """Write logged predictions with their latest labels to a Parquet file: whole, or not at all."""
    from gristmill.serving.prediction_log.export import export as write  # noqa: PLC0415
    from gristmill.serving.prediction_log.reader import LogReader  # noqa: PLC0415
    from gristmill.serving.prediction_log.report import seconds_of  # noqa: PLC0415

    written = write(LogReader(project_root()), out, model, seconds_of("--since", since), seconds_of("--until", until))
    typer.echo(f"Wrote {written:,} predictions to {out}.")


@app.command()
def replay(
    case: CaseName,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Former rows: any file or URI that a build reads.")],
    days: Annotated[float, typer.Option("--days", metavar="N", help="Over how many days they are spread, in their order.")],
    labels_after: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--labels-after", metavar="DAYS", help="When the label in TABLE came; without, no label is written."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--until", metavar="TIME", help="When the days end; now if not given."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the moments.")] = 0,
) -> None:
    """Write the rows of TABLE into the log as the champion of CASE would have answered them over some days.

    The same command again writes what is missing, and nothing twice.
    """
    from gristmill.serving.prediction_log.report import seconds_of  # noqa: PLC0415
    from gristmill.serving.replay.replaying import Replay  # noqa: PLC0415
    from gristmill.serving.replay.replaying import replay as carry_out  # noqa: PLC0415

    how = Replay(days, seconds_of("--until", until), labels_after, seed)
    typer.echo(carry_out(case_paths(case), table, how).sentence)


@app.command()
def prune() -> None:
    """Delete what is older than the case file of its model keeps it (`compliance.log_retention`)."""
    from gristmill.serving.prediction_log.retention import of_project, prune_all  # noqa: PLC0415

    root = project_root()
    for model, deleted in prune_all(root, of_project(root), time.time()).items():
        typer.echo(
            f"{model}: {deleted:,} predictions deleted."
            if deleted is not None
            else f"{model}: all kept, as no case file limits it."
        )


@app.command()
def erase(
    subject: Annotated[str, typer.Option("--subject", metavar="COLUMN=VALUE", help="An id column and the subject's value in it.")],
) -> None:
    """Erase every prediction and label of one subject, from the files too; a note of when, who and how many stays."""
    from gristmill.registry.releases import actor  # noqa: PLC0415
    from gristmill.serving.prediction_log.erasure import erase as carry_out  # noqa: PLC0415
    from gristmill.serving.prediction_log.report import subject_of  # noqa: PLC0415

    column, value = subject_of(subject)
    erased = carry_out(project_root(), column, value, actor(), time.time())
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    typer.echo(
        f"Erased {erased.predictions:,} predictions and {erased.labels:,} labels of that {column}: rows, ids and answers. "
        f"A note of {when} with these counts stays."
    )
