"""``gristmill score``: predictions for a whole table."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE

if TYPE_CHECKING:
    from gristmill.serving.batch.scoring import Progress

_STEPS = 1_000


def score(
    input_table: Annotated[str, typer.Argument(metavar="IN", help="Rows to predict: CSV, Parquet, or the URI of a database.")],
    output_file: Annotated[Path, typer.Argument(metavar="OUT", help="Where predictions go, CSV or Parquet.")],
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--model", help="NAME@alias, NAME/VERSION or a model directory; the default case's champion if not given."),
    ] = None,
    interval: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--interval", help="Share of rows, such as 0.9, whose set of classes or interval is to hold the truth."),
    ] = None,
    query: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--query", help="SELECT that gives the rows; of a file, it calls them `source`."),
    ] = None,
    strict: Annotated[  # noqa: FBT002
        bool, typer.Option("--strict", help="Refuse a row that cannot be predicted, instead of leaving its prediction empty.")
    ] = False,
    counts: Annotated[  # noqa: FBT002
        bool, typer.Option("--counts/--no-counts", help="Count missing, outlying and unseen values; without, it is quicker.")
    ] = True,
) -> None:
    """Predict every row of IN with the production model and write OUT, one row for each, in order.

    A row that cannot be predicted has an empty prediction, and is listed with the reason beside OUT. After an interruption, the
    same command goes on where it stopped.
    """
    from gristmill.serving.batch.scoring import score as score_table  # noqa: PLC0415

    reference = model or f"{DEFAULT_CASE}@champion"
    with _progress() as progress:
        scored = score_table(
            input_table, output_file, reference,
            interval=interval, query=query, strict=strict, counted=counts, progress=progress,
        )  # fmt: skip
    typer.echo(f"Wrote {scored.rows - scored.quarantined:,} predictions to {output_file}. {scored.sentence}".rstrip())


@contextmanager
def _progress() -> "Iterator[Progress | None]":
    """Give what draws a bar, on a terminal only: scripts and logs are spared."""
    if not sys.stderr.isatty():
        yield None
        return
    with typer.progressbar(length=_STEPS, label="Scoring", file=sys.stderr) as bar:
        yield lambda share, _rows: bar.update(int(share * _STEPS) - bar.pos)
