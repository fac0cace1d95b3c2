"""``gristmill init``: from a table to a case file; every question it asks in a terminal is an option as well."""

import re
import sys
from typing import Annotated, Any, Optional

import typer

from gristmill.errors import CaseFileError
from gristmill.paths import project_paths

_WHOLE = re.compile(r"[+-]?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"[+-]?(?:0|[1-9]\d*)\.\d+")

Text = Optional[str]  # noqa: UP045 - what typer reads
Names = Optional[list[str]]  # noqa: UP045


def init(  # noqa: PLR0913, PLR0917 - each is an option of the command
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A file, a folder, a pattern, or another source URI.")],
    target: Annotated[Text, typer.Option("--target", metavar="COL", help="Column to predict.")] = None,
    name: Annotated[Text, typer.Option("--name", help="Name of the case; the table's by default.")] = None,
    query: Annotated[
        Text, typer.Option("--query", metavar="SQL", help="What is asked of a database, or of a file, which it calls `source`.")
    ] = None,
    watermark: Annotated[
        Text,
        typer.Option("--watermark", metavar="COL", help="Column of a database's table that only grows; refreshes read on."),
    ] = None,
    option: Annotated[
        Names, typer.Option("--option", metavar="KEY=VALUE", help="Option of the reader, or params.NAME=VALUE; may be repeated.")
    ] = None,
    test_source: Annotated[
        Text, typer.Option("--test-source", metavar="TABLE", help="A second table that is the test set.")
    ] = None,
    task: Annotated[Text, typer.Option("--task", help="binary, multiclass or regression.")] = None,
    positive_class: Annotated[
        Text, typer.Option("--positive-class", metavar="CLASS", help="The class whose probability is meant.")
    ] = None,
    id_column: Annotated[
        Names, typer.Option("--id-column", metavar="COL", help="Column that only names rows; may be repeated; `none`.")
    ] = None,
    time_column: Annotated[Text, typer.Option("--time-column", metavar="COL", help="When a row became known, or `none`.")] = None,
    group_column: Annotated[Text, typer.Option("--group-column", metavar="COL", help="What a row is about, or `none`.")] = None,
    sensitive: Annotated[
        Names, typer.Option("--sensitive", metavar="COL", help="Column whose groups are audited; may be repeated; `none`.")
    ] = None,
    exclude: Annotated[
        Names, typer.Option("--exclude", metavar="COL", help="Column that the model must not see; may be repeated.")
    ] = None,
    split: Annotated[Text, typer.Option("--split", help="stratified, random, time, group or stratified_group.")] = None,
    budget: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--budget", metavar="SECONDS", help="Time for the training of all families together."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, even in a terminal.")] = False,  # noqa: FBT002
    force: Annotated[bool, typer.Option("--force", help="Replace an existing case file.")] = False,  # noqa: FBT002
) -> None:
    """Look at TABLE and write a case file that predicts its column COL, with a reason beside every guess."""
    from gristmill.commands.questions import Dialogue  # noqa: PLC0415
    from gristmill.data.setup.answers import Answers  # noqa: PLC0415
    from gristmill.data.setup.writing import Request, write_case  # noqa: PLC0415

    answers = Answers(
        name, target, task, positive_class, _tuple(id_column), time_column, group_column, _tuple(sensitive), tuple(exclude or ()),
        split, test_source, budget,
    )  # fmt: skip
    paths = project_paths()
    ask = Dialogue(table, paths, replace_existing=force) if not yes and is_terminal() else None
    request = Request(table, query, watermark, options(option or ()))
    written = write_case(request, answers, paths, replace_existing=force, ask=ask)
    typer.echo(f"Wrote {written.relative_to(paths.root)}. Look at its guesses, then build it:")
    typer.echo(f"  gristmill check {written.stem}")
    typer.echo(f"  ploomber build --env--case {written.stem}")


def is_terminal() -> bool:
    """Return whether somebody can read a question and answer it."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def options(pairs: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Return the mapping that ``KEY=VALUE`` texts make; ``params.NAME=VALUE`` is a parameter of the query.

    Raises
    ------
    CaseFileError
        One has not that form.
    """
    made: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        section, dot, inner = key.partition(".")
        if not equals or not key or (dot and not (section and inner)):
            raise CaseFileError(f"Expected --option KEY=VALUE, such as --option delimiter=';', got {pair!r}.")
        if dot:
            made.setdefault(section, {})[inner] = _scalar(value)
        else:
            made[key] = _scalar(value)
    return made


def _scalar(text: str) -> str | int | float | bool:
    """Return a value as YAML would read it; a code with leading zeros stays text."""
    if text in ("true", "false"):
        return text == "true"
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None
