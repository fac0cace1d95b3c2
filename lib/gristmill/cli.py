"""The command line: parses, calls the package, prints. No logic of its own.

Exit codes: 0 done, 1 a build failed or somebody else was first, 2 wrong input, 3 gates not passed.
"""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from gristmill.commands import (
    alerts,
    contracts,
    diagnose,
    init,
    keys,
    log,
    monitor,
    performance,
    releases,
    sampling,
    scoring,
    serve,
    signing,
    snapshots,
)
from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.errors import GristmillError
from gristmill.paths import case_paths, project_paths

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Gristmill: a raw table in, a trustworthy and watched model out.",
)

app.add_typer(snapshots.app, name="data")
app.add_typer(contracts.app, name="contract")
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.command()(init.init)
app.command()(diagnose.diagnose)
app.command()(sampling.sample)
app.command()(scoring.score)
app.command()(releases.promote)
app.command()(releases.rollback)
app.command()(releases.history)
app.command()(releases.challenge)
app.add_typer(alerts.app, name="alerts")
app.command()(performance.performance)
app.command()(monitor.monitor)
app.command()(serve.serve)
app.command()(signing.sign)


@app.command()
def check(case: CaseName = DEFAULT_CASE) -> None:
    """Say what a build of CASE will do, or what is wrong with its case file and how to mend it."""
    from gristmill.data.setup.preview import preview  # noqa: PLC0415

    typer.echo(preview(case_paths(case)))


@app.command()
def refresh(case: CaseName = DEFAULT_CASE) -> None:
    """Have the next build of CASE read its source again: a database's table does not say by itself that it has changed."""
    from gristmill.pipeline.refresh import refresh as note_refresh  # noqa: PLC0415

    note_refresh(case_paths(case))
    typer.echo("The source will be read again. Build it:")
    typer.echo(f"  ploomber build --env--case {case}")


@app.command()
def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="NAME@alias, NAME/VERSION or a model directory.")],
    output_file: Annotated[Path, typer.Argument(metavar="OUT", help="Where the model goes, such as model.onnx.")],
    int8: Annotated[  # noqa: FBT002
        bool, typer.Option("--int8", help="Store the matrices of networks as whole numbers of eight bits.")
    ] = False,
    tolerance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--tolerance", help="Largest difference from the model that is let pass; 1e-6 if not given, 0.05 with --int8."
        ),
    ] = None,
) -> None:
    """Write MODEL as ONNX to OUT, for devices without Python, once it has answered as the model does."""
    from gristmill.serving.compiled.edge.export import export as export_model  # noqa: PLC0415
    from gristmill.serving.predictor import Predictor  # noqa: PLC0415

    typer.echo(export_model(Predictor.named(model), output_file, int8=int8, tolerance=tolerance).sentence)


@app.command()
def gates(case: CaseName = DEFAULT_CASE) -> None:
    """Print the quality gates of the last build of CASE; exit 3 if one has failed."""
    from gristmill.registry.gates import read, table  # noqa: PLC0415

    verdicts = read(case_paths(case))
    typer.echo(table(verdicts))
    if any(gate.failed for gate in verdicts):
        raise typer.Exit(3)


@app.command()
def lineage(
    model: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[MODEL]", help="NAME, NAME@alias or NAME/VERSION: say what it was made from."),
    ] = None,
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", metavar="DIGEST", help="Say which models come from this snapshot; the beginning of its digest."),
    ] = None,
) -> None:
    """Say which data, source, code, lock and parameters made MODEL; or with --data which models came from a snapshot."""
    from gristmill.registry import origins  # noqa: PLC0415

    for line in origins.lines(model, data, project_paths()):
        typer.echo(line)


@app.command()
def why(
    task: Annotated[Optional[str], typer.Argument(metavar="[TASK]", help="A task such as 06_select; all if not given.")] = None,  # noqa: UP045
    case: Annotated[str, typer.Option("--case", help="Name of the case.")] = DEFAULT_CASE,
) -> None:
    """Say in a sentence a task why the next build will, or will not, run it."""
    from gristmill.pipeline.explain import why as reasons  # noqa: PLC0415

    for explanation in reasons(project_paths().root, case, task):
        typer.echo(explanation.sentence)


@app.command()
def status(case: CaseName = DEFAULT_CASE) -> None:
    """Show the DAG of CASE: the state of each task, how long it took, and how long ago."""
    from gristmill.pipeline.explain import status_lines  # noqa: PLC0415

    for line in status_lines(project_paths().root, case):
        typer.echo(line)


def main() -> None:
    """Run the command line; an error that a user can mend is printed as one sentence, without a traceback."""
    try:
        app()
    except GristmillError as error:
        typer.echo(f"gristmill: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
