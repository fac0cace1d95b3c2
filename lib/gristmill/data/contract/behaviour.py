"""The behaviour that a case file asks for, read against the columns and classes of its table."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gristmill.config.behaviour import BehaviourTest, CriticalSegment
from gristmill.data.contract.changes import Change, read_changes
from gristmill.data.contract.conditions import Condition, in_words, read_where
from gristmill.errors import DataError


@dataclass(frozen=True)
class ReadTest:
    """A behaviour test: its name and settings, on which rows, what is changed in them, and whose answer is meant, in words."""

    name: str
    settings: BehaviourTest
    where: tuple[Condition, ...]
    changes: tuple[Change, ...]
    meant: str

    @property
    def claim(self) -> str:
        """What is expected, as one line: ``tenure up 12 → probability of Yes not up, where plan = basic``."""
        asked, changed = self.settings, ", ".join(change.text for change in self.changes)
        if asked.answer is not None:
            wanted = f"answer {asked.answer}"
        elif asked.expect is not None:
            wanted = "same answer" if asked.expect == "same" and not asked.of else f"{self.meant} {asked.expect}"
        else:
            ends = [f"{word} {end:g}" for word, end in (("at least", asked.minimum), ("at most", asked.maximum)) if end is not None]
            wanted = f"{self.meant} {' and '.join(ends)}"
        rows = f", where {in_words(self.where)}" if self.where else ""
        return f"{f'{changed} → ' if changed else ''}{wanted}{rows}"


@dataclass(frozen=True)
class ReadSegment:
    """A critical segment: its name and settings, and which rows lie in it."""

    name: str
    settings: CriticalSegment
    where: tuple[Condition, ...]


def read_tests(behaviour: Any, contract: Mapping[str, Any]) -> list[ReadTest]:
    """Return the behaviour tests of a case, read against its contract.

    Raises
    ------
    DataError
        A test names a column, level or class that the table does not have, or a change its kind does not know.
    """
    found = []
    for name, test in behaviour.tests.items():
        key = f"behaviour.tests.{name}"
        for part in ("answer", "of"):
            _require_class(getattr(test, part), contract, f"{key}.{part}")
        where, changes = read_where(test.where, contract, f"{key}.where"), read_changes(test.change, contract, f"{key}.change")
        found.append(ReadTest(name, test, where, changes, _meant(test, contract)))
    return found


def read_segments(behaviour: Any, contract: Mapping[str, Any]) -> list[ReadSegment]:
    """Return the critical segments of a case, read against its contract.

    Raises
    ------
    DataError
        A segment names a column or level that the table does not have.
    """
    return [
        ReadSegment(name, segment, read_where(segment.where, contract, f"behaviour.critical_segments.{name}.where"))
        for name, segment in behaviour.critical_segments.items()
    ]


def _meant(test: BehaviourTest, contract: Mapping[str, Any]) -> str:
    """Return what a test looks at: a class's probability, or the number that is predicted."""
    classes = list(contract["classes"] or ())
    if not classes:
        return str(contract["target"])
    of = test.of or (classes[1] if contract["task"] == "binary" else None)
    return f"probability of {of}" if of else "answer"


def _require_class(name: str | None, contract: Mapping[str, Any], key: str) -> None:
    """Refuse a class that the target does not have."""
    classes = list(contract["classes"] or ())
    if name is None or name in classes:
        return
    near = difflib.get_close_matches(name, classes, n=1, cutoff=0.5) or [one for one in classes if one.lower() == name.lower()]
    hint = f"did you mean {near[0]!r}?" if near else f"they are {', '.join(map(repr, classes[:12]))}."
    raise DataError(f"`{key}` of the case file: {name!r} is not a class of {contract['target']!r}; {hint}")


def require(behaviour: Any, contract: Mapping[str, Any], *, sampled: bool = False) -> None:
    """Refuse a case whose behaviour tests or critical segments do not fit its table.

    Parameters
    ----------
    behaviour
        The case's ``behaviour``.
    contract
        The data contract.
    sampled
        Whether it was inferred from a part of the rows, which may lack rare levels: any level is accepted then.

    Raises
    ------
    DataError
        As :func:`read_tests` and :func:`read_segments`.
    """
    if sampled:
        contract = {**contract, "columns": [{**column, "levels": None} for column in contract["columns"]]}
    read_tests(behaviour, contract)
    read_segments(behaviour, contract)
