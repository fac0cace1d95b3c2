"""The reference of the case file's keys, written from the models themselves.

``python -m gristmill.config.reference docs/configuration.md`` renews the part of the page between its two markers.
"""

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from gristmill.config.base import Section
from gristmill.config.case import Case

BEGIN, END = "<!-- reference: begin -->", "<!-- reference: end -->"


def reference_tables() -> str:
    """Return the Markdown tables of all keys: one for the top level, one for each section, and for each section inside one."""
    sections = list(_sections_of(Case))
    inner = [(f"{name}.{key}", part) for name, section in sections for key, part in _sections_of(section)]
    parts = ["### Top level", section_table(Case)]
    for name, section in (*sections, *inner):
        parts += [f"### `{name}`", str(section.__doc__), section_table(section)]
    return "\n\n".join(parts)


def _sections_of(section: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    """Yield the keys that hold sections: by column as ``key.COLUMN``, by name ``key.NAME``, items of a list ``key[]``."""
    for name, field in section.model_fields.items():
        origin, inner = get_origin(field.annotation), get_args(field.annotation)
        kind = inner[1] if origin is dict else inner[0] if origin is tuple else field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            by = ".COLUMN" if name == "columns" else ".NAME"
            yield name + (by if origin is dict else "[]" if origin is tuple else ""), kind


def renewed(page: str, tables: str | None = None) -> str:
    """Return the text of a page with the tables between its markers written anew; those of the case file if none are given."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n\n{tables or reference_tables()}\n\n{END}{rest.split(END)[1]}"


def section_table(section: type[Section]) -> str:
    """Return the Markdown table of a section's keys."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in section.model_fields.items():
        cells = (f"`{name}`", _kind(field.annotation), _default(field), str(field.description))
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    if field.default is PydanticUndefined or field.default in (None, ()):
        return "see below" if isinstance(field.annotation, type) and issubclass(field.annotation, Section) else "empty"
    if isinstance(field.default, tuple):
        return f"`[{', '.join(map(str, field.default))}]`"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _kind(annotation: Any) -> str:
    """Say in a user's words what values a key takes."""
    origin, arguments = get_origin(annotation), [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return f"mapping of column or name to {_kind(arguments[1])}"
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_kind(part) for part in arguments))
    if origin is not None:  # Annotated
        return _kind(arguments[0])
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "section"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}.get(
        annotation, re.sub(r"\W", "", str(annotation))
    )


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
