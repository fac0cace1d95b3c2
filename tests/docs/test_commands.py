"""Every command in a fenced block is one that would be understood: parsed as its program parses it, and not run."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, Command, commands, prose, shown
from typer.main import get_command

from gristmill.cli import app

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What the parser raises at a command it does not understand: typer brings its own click, and this name of it is public."""

PLOOMBER = ("build", "task", "status", "report", "plot")


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_gristmill_understands_its_commands(page: Path):
    wrong = []
    for command in commands(page, "gristmill"):
        try:
            parse(command.words)
        except UsageError as error:
            wrong.append(f"{command.place}: gristmill {' '.join(command.words)}: {error}")
    assert not wrong


def test_a_wrong_command_is_not_understood():
    for words in ("brew", "data", "keys make shop", "score in.csv", "score in.csv out.csv --levl 0.9", "serve churn --port many"):
        with pytest.raises(UsageError):
            parse(tuple(words.split()))


def parse(words: tuple[str, ...]) -> None:
    """Parse a command with the parser that would run it: its options, types and required arguments."""
    command, rest = down(words)
    if hasattr(command, "commands"):
        raise UsageError(f"no such command: {' '.join(rest) or 'none is named'}")
    command.make_context("gristmill", list(rest))


def down(words: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """Return the command that the first words name, and the others."""
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_and_options_named_in_sentences_exist(page: Path):
    wrong = []
    for text in re.findall(r"`(?:\.venv/bin/)?gristmill ([a-z][^`]*)`", prose(page)):
        command, words = down(tuple(re.sub(r"[\[\]|]", " ", text).split()))
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]} | {"--help"}
        unknown = [word for word in words if re.fullmatch(r"--[a-z0-9-]+", word) and word not in known]
        group = hasattr(command, "commands") and (words or not text.split())
        if unknown or group:
            wrong.append(f"gristmill {text}")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_ploomber_understands_its_commands(page: Path):
    wrong = [f"{command.place}: {problem}" for command in commands(page, "ploomber") if (problem := misunderstood(command))]
    assert not wrong


def misunderstood(command: Command) -> str | None:
    """Return what ploomber would object to, by its own options and by the pipeline the command names."""
    name, *words = command.words
    if name not in PLOOMBER:
        return f"ploomber has no {name}"
    package = importlib.util.find_spec("ploomber")  # found and not imported, which would take seconds
    assert package is not None
    folder = Path(str(package.origin)).parent / "cli"
    source = "".join((folder / file).read_text(encoding="utf-8") for file in (f"{name}.py", "parsers.py"))
    named = next((words[place + 1] for place, word in enumerate(words) if word in ("-e", "--entry-point")), "pipeline.yaml")
    if not (REPOSITORY / named).exists():
        return f"there is no {named}"
    keys = yaml.safe_load((REPOSITORY / named.replace("pipeline", "env")).read_text(encoding="utf-8"))
    tasks = [task["name"] for task in yaml.safe_load((REPOSITORY / named).read_text(encoding="utf-8"))["tasks"]]
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--env--") and option.removeprefix("--env--") not in keys:
            return f"{named} has no placeholder for {option}"
        if option.startswith("-") and not option.startswith("--env--") and f'"{option}"' not in source:
            return f"ploomber {name} has no {option}"
    if name == "task" and words[0] not in tasks:
        return f"{named} has no task {words[0]}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_make_has_its_targets(page: Path):
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z]+) [?:]?=", makefile, re.MULTILINE))
    wrong = []
    for command in commands(page, "make"):
        for word in command.words:
            name, equals, _ = word.partition("=")
            if (name not in variables) if equals else (name not in targets):
                wrong.append(f"{command.place}: make {' '.join(command.words)}")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_scripts_that_are_run_exist_and_know_their_options(page: Path):
    text = page.read_text(encoding="utf-8")
    wrong = []
    for path, rest in re.findall(r"python (?:-W \w+ )?((?:benchmarks|deploy|docs)/\S+?\.py)([^`\n#]*)", text):
        script = REPOSITORY / path
        source = script.read_text(encoding="utf-8") if script.exists() else ""
        options = re.findall(r"(--[a-z][a-z-]*)", rest)
        if not source or not all(f'"{option}"' in source for option in options):
            wrong.append(f"{path}{rest}")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_requests_name_routes_of_the_service(page: Path):
    from gristmill.serving.api.routes import TABLE  # noqa: PLC0415

    wrong = []
    for command in commands(page, "curl"):
        address = next((word for word in command.words if "://" in word), "")
        path = re.sub(r"^[a-z]+://[^/]+|\?.*$", "", address)
        if (
            address
            and "127.0.0.1:8000" in address
            and not any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path), path) for route in TABLE.routes)
        ):
            wrong.append(f"{command.place}: {address}")
    assert not wrong
