"""``gristmill data``: versions of a case's source."""

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import CasePaths, case_paths

if TYPE_CHECKING:
    from gristmill.data.snapshots.remote import Carried

app = typer.Typer(
    no_args_is_help=True, help="Versions of a case's source: list, show, compare, go back to one, carry them to a remote."
)

Digest = Annotated[
    Optional[str],  # noqa: UP045
    typer.Argument(help="A version, by the beginning of its digest; see `gristmill data log`."),
]

Test = Annotated[bool, typer.Option("--test", help="The case's own test table (`split.test_source`), not its source.")]


def _paths(case: str, *, test: bool) -> CasePaths:
    """Return where the snapshots of a case's source, or of its own test table, are known."""
    paths = case_paths(case)
    return paths.own_test if test else paths


@app.command()
def log(case: CaseName = DEFAULT_CASE, test: Test = False) -> None:  # noqa: FBT002
    """List the versions of the source of CASE, the newest first, and say which is current."""
    from gristmill.data.snapshots.version_text import log_lines  # noqa: PLC0415

    _print(log_lines(_paths(case, test=test)))


@app.command()
def show(case: CaseName = DEFAULT_CASE, digest: Digest = None, test: Test = False) -> None:  # noqa: FBT002
    """Show what the columns of a version hold; of the current one if none is named."""
    from gristmill.data.snapshots.version_text import show_lines  # noqa: PLC0415

    _print(show_lines(_paths(case, test=test), digest))


@app.command()
def diff(case: CaseName = DEFAULT_CASE, old: Digest = None, new: Digest = None, test: Test = False) -> None:  # noqa: FBT002
    """Compare two versions: columns, rows, distributions. The last two if none is named, OLD and the current one if one is."""
    from gristmill.data.snapshots.version_text import diff_lines  # noqa: PLC0415

    _print(diff_lines(_paths(case, test=test), old, new))


@app.command()
def restore(
    case: CaseName,
    digest: Annotated[
        str, typer.Argument(help="A version, by the beginning of its digest; or `source`, to read the source again.")
    ],
    test: Test = False,  # noqa: FBT002
) -> None:
    """Let builds of CASE use a former version from now on, whatever the source has become."""
    from gristmill.data.snapshots import history  # noqa: PLC0415

    paths = _paths(case, test=test)
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
    typer.echo(f"  gristmill data restore {paths.argument} {history.SOURCE}    # to read the source again")


Remote = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--remote", metavar="URL", help="A folder, a URL that DVC knows, or a remote's name; DVC's default if not given."),
]


@app.command()
def push(case: CaseName = DEFAULT_CASE, digest: Digest = None, remote: Remote = None, test: Test = False) -> None:  # noqa: FBT002
    """Copy the versions of CASE that are here, and its stored split, to a remote with DVC; write a pointer to commit for each."""
    from gristmill.data.snapshots import remote as remotes  # noqa: PLC0415

    done = remotes.push(_paths(case, test=test), digest, remote)
    typer.echo(f"The remote {done.remote!r} has {_listed(done)}. Commit the pointers, so that a clone can pull them:")
    typer.echo(f"  git add .dvc {' '.join(done.pointers)}")


@app.command()
def pull(case: CaseName = DEFAULT_CASE, digest: Digest = None, remote: Remote = None, test: Test = False) -> None:  # noqa: FBT002
    """Bring the versions of CASE that pointer files name, and its stored split, back from a remote with DVC, each verified."""
    from gristmill.data.snapshots import history  # noqa: PLC0415
    from gristmill.data.snapshots import remote as remotes  # noqa: PLC0415

    paths = _paths(case, test=test)
    done = remotes.pull(paths, digest, remote)
    typer.echo(f"Here, verified: {_listed(done)}. To build from exactly the newest of them:")
    typer.echo(f"  gristmill data restore {paths.argument} {done.digests[-1][: history.SHOWN]}")
    typer.echo(f"  ploomber build --env--case {case}")


def _listed(done: "Carried") -> str:
    """Return what was carried as people are shown it."""
    from gristmill.data.snapshots.history import SHOWN  # noqa: PLC0415

    digests = ", ".join(digest[:SHOWN] for digest in done.digests)
    versions = f"{len(done.digests)} {'version' if len(done.digests) == 1 else 'versions'} ({digests})"
    return f"{versions} and the stored split of the case" if done.split else versions


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
