"""``gristmill score``: predictions for a whole table."""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE

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
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse a row that cannot be predicted, instead of leaving its prediction empty.")
    ] = False,
) -> None:
    """Predict every row of IN with the production model and write OUT, one row for each, in order.

    A row that cannot be predicted has an empty prediction, and is listed with the reason beside OUT. After an interruption, the same
    command goes on where it stopped.
    """
    from gristmill.serving.batch.scoring import score as score_table  # noqa: PLC0415

    with typer.progressbar(length=_STEPS, label="Scoring", file=sys.stderr) as bar:  # on a terminal only

        def show(share: float, _rows: int) -> None:
            bar.update(int(share * _STEPS) - bar.pos)

        reference = model or f"{DEFAULT_CASE}@champion"
        scored = score_table(input_table, output_file, reference, interval=interval, query=query, strict=strict, progress=show)
    typer.echo(f"Wrote {scored.rows - scored.quarantined:,} predictions to {output_file}. {scored.sentence}".rstrip())
