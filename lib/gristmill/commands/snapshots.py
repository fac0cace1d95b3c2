"""``gristmill data``: versions of a case's source."""

from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import case_paths

app = typer.Typer(no_args_is_help=True, help="Versions of a case's source: list, show, compare, go back to one.")

Digest = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(help="A version, by the beginning of its digest; see `gristmill data log`."),
]


@app.command()
def log(case: CaseName = DEFAULT_CASE) -> None:
    """List the versions of the source of CASE, the newest first, and say which is current."""
    from gristmill.data.snapshots.version_text import log_lines  # noqa: PLC0415

    _print(log_lines(case_paths(case)))


@app.command()
def show(case: CaseName = DEFAULT_CASE, digest: Digest = None) -> None:
    """Show what the columns of a version hold; of the current one if none is named."""
    from gristmill.data.snapshots.version_text import show_lines  # noqa: PLC0415

    _print(show_lines(case_paths(case), digest))


@app.command()
def diff(case: CaseName = DEFAULT_CASE, old: Digest = None, new: Digest = None) -> None:
    """Compare two versions: columns, rows, distributions. The last two if none is named, OLD and the current one if one is."""
    from gristmill.data.snapshots.version_text import diff_lines  # noqa: PLC0415

    _print(diff_lines(case_paths(case), old, new))


@app.command()
def restore(
    case: CaseName,
    digest: Annotated[
        str, typer.Argument(help="A version, by the beginning of its digest; or `source`, to read the source again.")
    ],
) -> None:
    """Let builds of CASE use a former version from now on, whatever the source has become."""
    from gristmill.data.snapshots import history  # noqa: PLC0415

    paths = case_paths(case)
    if digest == history.SOURCE:
        history.release(paths)
        typer.echo(f"The next build of {case} reads its source again: ploomber build --env--case {case}")
        return
    version = history.restore(paths, digest)
    typer.echo(
        f"The next build of {case} uses version {version.digest[: history.SHOWN]}: {version.snapshot.rows:,} rows, verified."
    )
    typer.echo(f"  gristmill why 01_ingest --case {case}")
    typer.echo(f"  ploomber build --env--case {case}")
    typer.echo(f"  gristmill data restore {case} {history.SOURCE}    # to read the source again")


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
