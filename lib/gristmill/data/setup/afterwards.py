"""Columns that may be known only after what is predicted has happened, though they do not give it away.

They are told by signs. None of these is proof, so what is found is a suggestion for ``validation.known_later`` and never a setting.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from gristmill.data.contract.schema import Contract
from gristmill.data.leakage.combinations import made_of_two
from gristmill.data.setup.case_text import Guess

FEWEST_WITHOUT = 30
"""Rows without a target from which their gaps say something."""

GONE, THERE = 0.5, 0.05
"""Share of the rows without a target in which a column that comes with it is missing, at least; and of those with one, at most."""

PLANNED = re.compile(
    r"(?:^|[_ .-])(?:sched(?:uled?)?|plan(?:ned)?|expect(?:ed)?|estimated|forecast|budget(?:ed)?)(?=$|[_ .-])", re.I
)
"""What is added to the name of something by which it is meant as it was planned."""

MEASURED = re.compile(
    r"(?:^|[_ .-])(?:actual|elapsed|duration|delay(?:s|ed)?|cancel+ed|cancel+ation|diverted|completed|finished|resolved|"
    r"(?:air|travel|trip|transit|processing|handling|waiting|response)[_ .-]?time)(?:$|[_ .-])",
    re.IGNORECASE,
)
"""Names of what is measured while something happens, or after it."""


@dataclass(frozen=True)
class Looked:
    """What is looked at.

    Attributes
    ----------
    rows
        Training rows.
    contract
        What their columns are.
    gaps
        Rows in which each column is missing: of those without a target, and of those with one.
    n_without, n_with
        How many rows those are.
    """

    rows: pd.DataFrame
    contract: Contract
    gaps: Mapping[str, tuple[int, int]]
    n_without: int
    n_with: int


def guess_known_later(looked: Looked, names: Sequence[str]) -> Iterator[Guess]:
    """Suggest the columns among ``names`` that may be known only afterwards, with the sign by which each is told; or nothing.

    Parameters
    ----------
    looked
        The table.
    names
        Columns that the model would see.
    """
    twins = {name: twin for name in names if (twin := _planned_twin(name, list(looked.rows.columns))) is not None}
    found: dict[str, str] = {}
    for name in names:
        why = _with_the_target(name, looked) or _as_planned(name, twins) or _made_of(name, twins, looked) or _by_name(name)
        if why is not None:
            found[name] = why
    if found:
        say = "uncomment those that are; a build then stops until they, and what stands in for them, are in features.exclude"
        told = ["known only afterwards?", *(f"{name!r} {reason}" for name, reason in found.items()), say]
        yield Guess("validation.known_later", list(found), told, suggested=True)


def _with_the_target(name: str, looked: Looked) -> str | None:
    """Return whether a column is filled where the target is, and mostly only there."""
    without, present = looked.gaps[name]
    if looked.n_without < FEWEST_WITHOUT or without < GONE * looked.n_without or present > THERE * looked.n_with:
        return None
    return (
        f"is missing in {without:,} of {looked.n_without:,} rows without a target, and in {present:,} of {looked.n_with:,} with one"
    )


def _planned_twin(name: str, columns: Sequence[Any]) -> str | None:
    """Return the column that has, by its name, the same thing as it was planned."""
    if PLANNED.search(name):
        return None
    return next((str(other) for other in columns if PLANNED.search(str(other)) and _bare(str(other)) == _bare(name)), None)


def _bare(name: str) -> str:
    """Return a name without words of planning, and without what separates its words."""
    return re.sub(r"[_ .-]+", "", PLANNED.sub("", name)).lower()


def _as_planned(name: str, twins: Mapping[str, str]) -> str | None:
    """Return whether a column has what was planned as it turned out."""
    return f"is, by its name, what became of {twins[name]!r}" if name in twins else None


def _made_of(name: str, twins: Mapping[str, str], looked: Looked) -> str | None:
    """Return whether a column is what was planned compared with what became of it."""
    if PLANNED.search(name) or not any(one["name"] == name and one["kind"] == "numeric" for one in looked.contract["columns"]):
        return None
    for actual, planned in twins.items():
        if name not in (actual, planned):
            for *_, how, _ in made_of_two(looked.rows, name, [actual, planned], looked.contract):
                return f"is {how}"
    return None


def _by_name(name: str) -> str | None:
    """Return whether a column is called as what is measured afterwards is."""
    return "has the name of something that is measured afterwards" if MEASURED.search(name) and not PLANNED.search(name) else None
