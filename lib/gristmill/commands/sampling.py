"""``gristmill sample``: a synthetic table with known faults."""

from pathlib import Path
from typing import Annotated, Optional

import typer


def sample(  # noqa: PLR0913, PLR0917 - each is an option of the command
    output_file: Annotated[Path, typer.Argument(metavar="OUT", help="Where the table goes, CSV or Parquet.")],
    task: Annotated[str, typer.Option("--task", help="binary, multiclass or regression.")] = "binary",
    rows: Annotated[int, typer.Option("--rows", help="How many rows.")] = 10_000,
    columns: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--columns", help="How many columns in all; those beyond the usual ones say nothing about the target."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 0,
    drift: Annotated[float, typer.Option("--drift", help="Standard deviations by which log(usage_hours) is moved.")] = 0.0,
    missing: Annotated[float, typer.Option("--missing", help="Share of the cells of three columns that are emptied.")] = 0.0,
    leakage: Annotated[bool, typer.Option("--leakage", help="Add a column that is only known after the target.")] = False,  # noqa: FBT002
    bias: Annotated[float, typer.Option("--bias", help="Share of women's positive outcomes recorded as negative.")] = 0.0,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,  # noqa: FBT002
) -> None:
    """Write a synthetic table of subscription customers to OUT, and say what is known about it."""
    from gristmill.data.samples.sample_files import sentences, write_sample  # noqa: PLC0415
    from gristmill.data.samples.sampling import Recipe  # noqa: PLC0415

    recipe = Recipe(task, rows, columns, seed, drift, missing, leakage, bias)  # type: ignore[arg-type]  # the recipe checks it
    best = write_sample(output_file, recipe, replace=force)
    typer.echo(f"Wrote {rows:,} rows to {output_file}.")
    for sentence in sentences(recipe, best):
        typer.echo(sentence)
