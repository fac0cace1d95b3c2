"""From a table, wherever it is, to a case file that builds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from gristmill.config.loading import parse_case
from gristmill.data.products import replacing
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.case_text import Guess
from gristmill.data.setup.inference import case_text, infer_case
from gristmill.data.setup.preview import describe
from gristmill.data.setup.table import Table, spooled
from gristmill.data.sources.folders import table_files
from gristmill.data.sources.opening import open_source
from gristmill.errors import CaseFileError
from gristmill.paths import ProjectPaths

Infer = Callable[[Answers], list[Guess]]
Ask = Callable[[Table, Answers, Infer], Answers]
"""Completes the answers to a table by asking a person; what is guessed from some answers, the third argument says."""


@dataclass(frozen=True)
class Request:
    """The table that a case is wanted for: a URI, or a path from the working directory, and the rest of the section ``source``."""

    table: str
    query: str | None = None
    watermark: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def section(self, root: Path) -> dict[str, Any]:
        """Return the section ``source`` of the case file."""
        given = {"query": self.query, "watermark": self.watermark, "options": dict(self.options)}
        return {"uri": project_uri(self.table, root), **{key: value for key, value in given.items() if value}}


def write_case(
    request: Request | str, answers: Answers, paths: ProjectPaths, *, replace_existing: bool = False, ask: Ask | None = None
) -> Path:
    """Look at a table, write ``configs/<name>.yaml`` for it and return that path.

    Parameters
    ----------
    request
        The table; a plain text is its URI or path.
    answers
        What is known of it; what is not is guessed.
    paths
        The project.
    replace_existing
        Whether an existing case file may be overwritten.
    ask
        Asks a person; nobody is asked if None.

    Raises
    ------
    CaseFileError
        The name is not one, there is such a case already, or two answers contradict each other.
    SourceError, DataError
        The table cannot be read, the target cannot be predicted, or nothing is left to predict it from.

    Examples
    --------
    >>> write_case("sklearn://iris", Answers(target="target"), project_paths())  # doctest: +SKIP
    PosixPath('/home/me/gristmill/configs/iris.yaml')
    """
    request = Request(request) if isinstance(request, str) else request
    if ask is None or answers.name is not None:
        free_case_file(answers.name or case_name(request.table), paths, replace_existing=replace_existing)
    source = request.section(paths.root)
    if answers.test_source is not None:
        answers = replace(answers, test_source=project_uri(answers.test_source, paths.root))
    opened = open_source(source["uri"], request.options, paths.root, request.query, request.watermark)
    with spooled(opened) as table:

        def infer(known: Answers) -> list[Guess]:
            return infer_case(table, known.name or case_name(request.table), source, known)

        if ask is not None:
            answers = ask(table, answers, infer)
        guesses = infer(answers)
        name = str(guesses[0].value)
        file = free_case_file(name, paths, replace_existing=replace_existing)
        text = case_text(guesses)
        describe(table, parse_case(text, f"configs/{name}.yaml"), paths.root)
    with replacing(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return file


def free_case_file(name: str, paths: ProjectPaths, *, replace_existing: bool = False) -> Path:
    """Return the file of a new case.

    Raises
    ------
    CaseFileError
        The name is not one, or there is such a case already.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise CaseFileError(
            f"Expected a case name of lower-case letters, digits and underscores, got {name!r}. Give another --name."
        )
    file = paths.case(name).case_file
    if file.exists() and not replace_existing:
        raise CaseFileError(f"configs/{name}.yaml exists already. Give the new case another --name, or replace it with --force.")
    return file


def case_name(table: str) -> str:
    """Return a case name made from the last part of a path or URI."""
    asked = re.search(r"://.*[?&]table=([^&]+)", table)
    path = table.split("?", maxsplit=1)[0].rstrip("/")
    last = re.split(r"[/\\]", path)[-1].split(".")[0] if asked is None else unquote_plus(asked[1])
    slug = re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    return slug if slug[:1].isalpha() else f"case_{slug}".rstrip("_")


def project_uri(table: str, root: Path) -> str:
    """Return a path as the case file should have it: from the project's root where it lies inside.

    It is seen from the working directory; where nothing is there, from the project's root, as in a notebook of its folder.
    """
    if "://" in table:
        return table
    named = Path(table).expanduser()
    from_root = table_files(root / named) and not table_files(Path.cwd() / named)
    path = ((root if from_root else Path.cwd()) / named).resolve()
    return path.relative_to(root.resolve()).as_posix() if path.is_relative_to(root.resolve()) else path.as_posix()
