"""``gristmill promote``, ``rollback`` and ``history``: which version of a model is in production, and how it came to that."""

from typing import Annotated, Optional

import typer

from gristmill.commands.arguments import CaseName
from gristmill.errors import RegistryError
from gristmill.paths import project_root

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]


def promote(
    case: CaseName,
    version: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--version", metavar="N", help="A registered version; the latest if not given."),
    ] = None,
    alias: Annotated[str, typer.Option("--as", metavar="ALIAS", help="champion, challenger or staging.")] = "champion",
    reason: Reason = "",
) -> None:
    """Make a version of CASE the champion, which is production; exit 3 if its gates failed or it is not what was registered."""
    from gristmill.registry import promotion, release_text  # noqa: PLC0415

    _print(release_text.outcome_lines(promotion.promote(case, version, alias, reason, project_root())))


def rollback(
    case: CaseName,
    to: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--to", metavar="N", help="A former champion; the one before the present champion if not given."),
    ] = None,
    reason: Reason = "",
) -> None:
    """Go back to the previous champion of CASE, or to a former one; its files are verified first, gates are not asked."""
    from gristmill.registry import promotion, release_text  # noqa: PLC0415

    _print(release_text.outcome_lines(promotion.rollback(case, reason, to, project_root())))


def challenge(
    case: CaseName,
    version: Annotated[
        Optional[int],  # noqa: UP045
        typer.Argument(metavar="[VERSION]", help="A registered version; the present challenger if not given."),
    ] = None,
    share: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--share", metavar="X", help="Share of the traffic that it answers, above 0 and up to 1."),
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="It predicts for the log alone, and answers nobody.")] = False,  # noqa: FBT002
    stop: Annotated[bool, typer.Option("--stop", help="There is to be no challenger any more.")] = False,  # noqa: FBT002
    reason: Reason = "",
) -> None:
    """Let a version of CASE be tried beside the champion: in the shadow, or with a share of the traffic; or stop that."""
    from gristmill.registry import challenge as challenging  # noqa: PLC0415
    from gristmill.registry import release_text  # noqa: PLC0415

    if (share is not None) + shadow + stop != 1 or (stop and version is not None):
        raise RegistryError("Expected one of --share X, --shadow and --stop, the last without a version.")
    if stop:
        outcome = challenging.stop(case, reason, project_root())
    else:
        outcome = challenging.challenge(case, version, share, reason, project_root())
    _print(release_text.outcome_lines(outcome))


def history(case: CaseName) -> None:
    """Show what is released of CASE, and every promotion, refusal and rollback: when, from, to, who, gates, why; newest first."""
    from gristmill.registry import release_text  # noqa: PLC0415

    _print(release_text.history_lines(case, project_root()))


def _print(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
