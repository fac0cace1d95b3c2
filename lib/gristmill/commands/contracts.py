"""``gristmill contract``: what a case's table has to be."""

import typer

from gristmill.commands.arguments import DEFAULT_CASE, CaseName
from gristmill.paths import case_paths

app = typer.Typer(
    no_args_is_help=True, help="The data contract of a case: show it, compare it with the rows, accept what they are."
)


@app.command()
def accept(case: CaseName = DEFAULT_CASE) -> None:
    """Write configs/contracts/CASE.yaml from the rows CASE has now; what they do not contradict stays, the rest is shown."""
    from gristmill.data.contract import acceptance, terms_file  # noqa: PLC0415

    paths = case_paths(case)
    proposal = acceptance.accept(paths)
    _print(acceptance.change_lines(proposal, written=True, file=terms_file.shown(paths)))


@app.command()
def diff(case: CaseName = DEFAULT_CASE) -> None:
    """Show what `accept` would change; nothing is written."""
    from gristmill.data.contract import acceptance, terms_file  # noqa: PLC0415

    paths = case_paths(case)
    _print(acceptance.change_lines(acceptance.propose(paths), written=False, file=terms_file.shown(paths)))


@app.command()
def show(case: CaseName = DEFAULT_CASE) -> None:
    """Print the contract in force: that of the file, or the one the rows suggest if there is none."""
    from gristmill.config.loading import load_case  # noqa: PLC0415
    from gristmill.data.contract import acceptance, terms_file  # noqa: PLC0415

    paths = case_paths(case)
    about = load_case(case, paths.root)
    terms = terms_file.read(paths)
    if terms is None:
        with acceptance.current_rows(paths, about) as (rows, digest, _):
            agreement = acceptance.in_force(paths, rows, about, digest)
        typer.echo(f"# {agreement.sentence}", err=True)
        terms = agreement.terms
    typer.echo(terms_file.as_text(terms, case), nl=False)


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
