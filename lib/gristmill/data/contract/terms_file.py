"""The file of a data contract: read with errors that mend it, and written so that people like to edit it."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from gristmill.config.base import Section
from gristmill.config.loading import explain, parse_yaml
from gristmill.data.contract.terms import ColumnTerms, RuleSeverity, Terms
from gristmill.data.products import replacing
from gristmill.errors import CaseFileError
from gristmill.paths import CasePaths

HEAD = """\
# What the table of the case {case} has to be; checked in full by 02_validate. Written by `gristmill contract accept {case}`,
# then yours to edit: docs/data-contracts.md explains every key.
#
# expect:  a departure warns. `gristmill contract accept {case}` widens what the data have outgrown.
# require: a departure stops the build, with the rule, the number of rows and examples. Only people write here.
"""

_MOST_ON_A_LINE = 120
_COMMENT = re.compile(r"\s+#.*$")
_SNAPSHOT = re.compile(r"^snapshot:.*\n", re.MULTILINE)


def read(paths: CasePaths) -> Terms | None:
    """Return the contract of a case, or None if it has no file.

    Raises
    ------
    CaseFileError
        The file cannot be read or is wrong; every problem has a line.
    """
    if not paths.contract_file.is_file():
        return None
    try:
        text = paths.contract_file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseFileError(f"{shown(paths)} cannot be read as UTF-8 text: {error}. Save it as UTF-8 and try again.") from error
    return parse(text, shown(paths), paths.name)


def shown(paths: CasePaths) -> str:
    """Return the path of a case's contract as the project's owner would write it."""
    return str(paths.contract_file.relative_to(paths.root))


def parse(text: str, source: str, case: str) -> Terms:
    """Return the contract that the YAML ``text`` of the file ``source`` states.

    Raises
    ------
    CaseFileError
        A key is unknown, missing or has a wrong value; every problem gets a line of its own.
    """
    content = parse_yaml(text, source)
    try:
        return Terms.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  - {explain(problem, Terms)}" for problem in error.errors())
        raise CaseFileError(
            f"{source} is not a valid data contract:\n{problems}\nMend it and run `gristmill check {case}` again; every key is "
            "explained in docs/data-contracts.md."
        ) from error


def write(paths: CasePaths, terms: Terms, old: Terms | None = None) -> Path:
    """Write the contract of a case, whole or not at all, and return the file.

    Parameters
    ----------
    paths
        The case.
    terms
        The contract.
    old
        The one that the file states now; what is the same in both stays as it is written there, comments included.
    """
    known = paths.contract_file.read_text(encoding="utf-8-sig") if old is not None else ""
    text = renewed(known, old, terms, paths.name) if old is not None else as_text(terms, paths.name)
    with replacing(paths.contract_file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return paths.contract_file


def renewed(text: str, old: Terms, new: Terms, case: str) -> str:
    """Return the text of a contract's file with what is different in ``new`` written anew, and all else as it was."""
    head, blocks = _blocks(text)
    if not blocks:
        return as_text(new, case)
    same_head = (old.table, old.severity) == (new.table, new.severity)
    parts = [_with_snapshot(head, new.snapshot) if same_head else _head(new, case)]
    for name, column in new.columns.items():
        if name in blocks and old.columns.get(name) == column:
            parts.append(blocks[name])
        else:
            comment = _COMMENT.search(blocks.get(name, "").partition("\n")[0])
            parts.append("\n".join([f"  {_scalar(name)}:{comment.group() if comment else ''}", *_column(column)]) + "\n")
    return "".join(parts)


def _blocks(text: str) -> tuple[str, dict[str, str]]:
    """Return the lines before the first column, and the lines of each column by its name; none if columns share lines."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return "", {}
    columns = next((value for key, value in root.value if key.value == "columns"), None)
    if columns is None or columns.flow_style or not columns.value or root.value[-1][1] is not columns:
        return "", {}
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    starts = [key.start_mark.line for key, _ in columns.value] + [len(lines)]
    names = [str(key.value) for key, _ in columns.value]
    blocks = {name: "".join(lines[starts[place] : starts[place + 1]]) for place, name in enumerate(names)}
    return "".join(lines[: starts[0]]), blocks if len(set(starts)) == len(starts) else {}


def _with_snapshot(head: str, snapshot: str | None) -> str:
    """Return the lines before the columns with another snapshot noted."""
    line = "" if snapshot is None else f"snapshot: {_scalar(snapshot)}\n"
    if _SNAPSHOT.search(head):
        return _SNAPSHOT.sub(line, head, count=1)
    return head


def as_text(terms: Terms, case: str) -> str:
    """Return a contract as the YAML that a person reads and edits: a line or a few for each column."""
    blocks = ["\n".join([f"  {_scalar(name)}:", *_column(column)]) + "\n" for name, column in terms.columns.items()]
    return _head(terms, case) + "".join(blocks)


def _head(terms: Terms, case: str) -> str:
    """Return what stands before the columns."""
    parts = [HEAD.format(case=case)]
    if terms.snapshot is not None:
        parts.append(f"snapshot: {_scalar(terms.snapshot)}\n")
    blocks = [("expect", terms.table.expect.stated), ("require", terms.table.require.stated)]
    if any(limits for _, limits in blocks):
        parts += ["table:", *(f"  {name}: {_flow(limits)}" for name, limits in blocks if limits), ""]
    parts += ["severity:", *_severities(terms.severity), "", "columns:"]
    return "\n".join(parts) + "\n"


def _severities(severity: RuleSeverity) -> list[str]:
    """Return a line for each rule without a limit, with its meaning."""
    return [
        f"  {name + ':':<16}{getattr(severity, name):<6}# {(field.description or '').rstrip('.')}"
        for name, field in RuleSeverity.model_fields.items()
    ]


def _column(column: ColumnTerms) -> list[str]:
    """Return the lines of one column."""
    own = {name: value for name, value in column.severity.model_dump().items() if value is not None}
    lines = [f"    type: {column.type}"]
    if column.format is not None:
        lines.append(f"    format: {_scalar(column.format)}")
    for name, content in (("expect", column.expect.stated), ("require", column.require.stated), ("severity", own)):
        if content:
            line = f"    {name}: {_flow(content)}"
            lines += [line] if len(line) <= _MOST_ON_A_LINE else [f"    {name}:", *_wrapped(content)]
    return lines


def _wrapped(content: dict[str, Any]) -> list[str]:
    """Return limits a line each, long lists of levels on several lines."""
    lines = []
    for name, value in content.items():
        if isinstance(value, tuple):
            lines += _list(f"      {name}: [", [_scalar(level) for level in value])
        else:
            lines.append(f"      {name}: {_flow(value)}")
    return lines


def _list(beginning: str, items: list[str]) -> list[str]:
    """Return a list in brackets, broken between items where a line is full."""
    lines = [beginning]
    for number, item in enumerate(items):
        text = item + ("]" if number == len(items) - 1 else ", ")
        if len(lines[-1]) + len(text) > _MOST_ON_A_LINE and number:
            lines.append(" " * 8)
        lines[-1] += text
    return [line.rstrip() for line in lines]


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Section):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_scalar(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Return one value as YAML; text that YAML would read as something else is quoted."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else _float(float(value))
    dumped: str = yaml.safe_dump([value], allow_unicode=True, default_flow_style=True, width=10**9)
    return dumped.strip()[1:-1]


def _float(value: float) -> str:
    """Return a number as YAML has it: with a point, even before an exponent."""
    text = repr(value)
    return text if "e" not in text or "." in text else text.replace("e", ".0e")
