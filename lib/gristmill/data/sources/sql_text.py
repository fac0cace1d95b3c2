"""SQL as text: names quoted, parameters bound instead of pasted in."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from gristmill.data.sources.table_source import nearest
from gristmill.errors import SourceError

_TOKENS = re.compile(
    r"'(?:[^']|'')*'"  # text
    r'|"(?:[^"]|"")*"'  # a name
    r"|--[^\n]*|/\*.*?\*/"  # comments
    r"|(?P<dollar>\$\w*\$).*?(?P=dollar)"  # PostgreSQL's other way to write text
    r"|::"  # a cast
    r"|:(?P<name>[A-Za-z_]\w*)",
    re.DOTALL,
)


def quoted(name: str) -> str:
    """Return a name as SQL quotes it."""
    return '"' + name.replace('"', '""') + '"'


def bind(query: str, params: Mapping[str, Any], mark: Callable[[int, str], str]) -> tuple[str, list[str]]:
    """Return ``query`` with each ``:name`` as the database marks a parameter, and the names in the order of their numbers.

    Parameters
    ----------
    query
        A query; a colon inside text, a quoted name, a comment or ``::`` is none.
    params
        The values by name.
    mark
        Gives the mark for number (from 1) and name.

    Raises
    ------
    SourceError
        The query names a parameter that has no value, or a value is given that it does not name.
    """
    names: list[str] = []

    def replaced(token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return token[0]
        if name not in params:
            raise SourceError(
                f"`source.query` names the parameter :{name}, but `source.options.params` has no {name!r}" + nearest(name, params)
            )
        if name not in names:
            names.append(name)
        return mark(names.index(name) + 1, name)

    text = _TOKENS.sub(replaced, query.strip().rstrip(";").rstrip())
    unused = next((name for name in params if name not in names), None)
    if unused is not None:
        raise SourceError(f"`source.options.params` gives {unused!r}, but `source.query` does not name :{unused}. Remove it.")
    return text, names
