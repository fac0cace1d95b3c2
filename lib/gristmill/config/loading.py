"""Reading a case file, and saying what is wrong with it in words that mend it."""

import difflib
import re
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from gristmill.config.case import Case
from gristmill.config.stages import StageCase
from gristmill.errors import CaseFileError
from gristmill.paths import project_paths


class _CaseLoader(yaml.SafeLoader):
    """YAML in which only ``true`` and ``false`` are booleans: a class called ``Yes`` stays the text ``Yes``."""


_CaseLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_CaseLoader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def _construct_unique_mapping(loader: _CaseLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    """Build a mapping and refuse a key that stands twice, which YAML would silently let win."""
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_CaseLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_unique_mapping)


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the mapping that the YAML ``text`` holds.

    Raises
    ------
    CaseFileError
        ``text`` is not YAML or not a mapping; the message names ``source`` and the line.
    """
    try:
        content = yaml.load(text, Loader=_CaseLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        problem = getattr(error, "problem", None) or str(error)
        raise CaseFileError(f"{place}: expected YAML, but {problem}. Mend that line and run `gristmill check` again.") from error
    if not isinstance(content, dict):
        raise CaseFileError(f"{source}: expected a mapping of keys such as `name:` and `task:`, got {type(content).__name__}.")
    return content


def parse_case(text: str, source: str) -> Case:
    """Return the case that the YAML ``text`` of the file ``source`` states.

    Raises
    ------
    CaseFileError
        A key is unknown, missing or has a wrong value; every problem gets a line of its own.
    """
    try:
        return Case.model_validate(parse_yaml(text, source))
    except ValidationError as error:
        problems = "\n".join(f"  - {explain(problem, Case)}" for problem in error.errors())
        raise CaseFileError(
            f"{source} is not a valid case file:\n{problems}\nMend it and run `gristmill check {Path(source).stem}` again; every "
            "key is explained in docs/configuration.md."
        ) from error


def load_case(name: str, root: Path | None = None) -> Case:
    """Return the case ``name`` of the project at ``root`` (found from the working directory when omitted).

    Raises
    ------
    CaseFileError
        There is no such case file, it is wrong, or its ``name`` is not that of the file.
    """
    paths = project_paths(root)
    path = paths.case(name).case_file
    if not path.is_file():
        near = difflib.get_close_matches(name, paths.cases, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise CaseFileError(
            f"Expected a case file at configs/{name}.yaml, but there is none; {hint}"
            f"existing cases: {', '.join(paths.cases) or 'none'}. `gristmill init TABLE --target COL --name NAME` writes one."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseFileError(
            f"configs/{name}.yaml cannot be read as UTF-8 text: {error}. Save it as UTF-8 and try again."
        ) from error
    case = parse_case(text, f"configs/{name}.yaml")
    if case.name != name:
        raise CaseFileError(f"configs/{name}.yaml says `name: {case.name}`; the name must be that of the file, {name!r}.")
    return case


def load_stage_case(name: str, stage: str, root: Path | None = None) -> StageCase:
    """Return the case ``name`` as the notebook ``stage`` may see it: only the keys it has declared to read.

    Raises
    ------
    CaseFileError
        As :func:`load_case`.
    """
    return StageCase(load_case(name, root), stage)


def explain(problem: Any, model: type[BaseModel]) -> str:
    """Say in one sentence what one of pydantic's problems means for a file that states a ``model``."""
    location = [part for part in problem["loc"] if not str(part).startswith("function-before[")]
    key = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        valid = _valid_keys(location[:-1], model)
        near = difflib.get_close_matches(str(location[-1]), valid, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"valid keys here: {', '.join(valid)}"
        return f"unknown key `{key}`; {hint}"
    if problem["type"] == "missing":
        return f"the key `{key}` is missing; it is required"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not key:
        return message
    return f"`{key}`: {message[0].lower()}{message[1:]}, got {problem['input']!r}"


def _valid_keys(location: list[Any], root: type[BaseModel]) -> list[str]:
    """Return the keys that the section at ``location`` of a file may have."""
    model: Any = root
    for part in location:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = _section_in(field.annotation) if field is not None else model
    return sorted(model.model_fields)


def _section_in(annotation: Any) -> Any:
    """Return the section model inside a field's annotation, looking through unions and containers."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, types.UnionType, dict, tuple, list):
        for argument in get_args(annotation):
            section = _section_in(argument)
            if section is not None:
                return section
    return None
