"""What the columns of a table are for: identifiers, times, groups, groups of people, nothing."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from gristmill.data.kinds import Kind, is_numeric, kind_of
from gristmill.data.leakage.proxies import DENSE, is_id_name
from gristmill.data.setup.answers import Answers, all_named, named
from gristmill.data.setup.case_text import Guess
from gristmill.data.setup.table import Facts, Table
from gristmill.data.setup.times import guess_time

SENSITIVE = re.compile(
    r"(?:^|[_ .-])(?:gender|sex|female|male|age|ages|age_?group|senior|senior_?citizen|race|ethnic\w*|nationality|citizenship|"
    r"religion|disab\w*|pregnan\w*|marital\w*|veteran|foreign\w*|immigra\w*|caste|minority|sexual_?orientation)(?:$|[_ .-])",
    re.IGNORECASE,
)
"""Names of columns that may say which group of people a row belongs to."""

ENTITY = re.compile(
    r"^(?:id|pid|subject|subj|patient|person|participant|customer|client|user|member|household|student|pupil|employee|animal|"
    r"driver|vehicle|device|account|panelist|respondent|child)(?:[_ .-]?(?:id|no|nr|num|number|key|code))?$",
    re.IGNORECASE,
)
"""Names of columns that say who or what a row is about, when several rows may be about the same."""

FEWEST_GROUPS = 10
FEWEST_NAMED_GROUPS = 20
LARGEST_GROUP = 0.2
"""Share of the rows that one group may have: a split cannot divide it."""

ROWS_A_GROUP = 1.5
_FEWEST_IDENTIFIED = 20
_NEARLY_DIFFERENT = 0.9
_FEWEST_NEARLY_DIFFERENT = 50
_MANY_LEVELS = 30
_MOST_ID_PARTS = 4


@dataclass(frozen=True)
class View:
    """What roles are guessed from: the rows looked at that have a target, facts over all such rows, and the kinds of columns.

    ``different`` gives the different values of a column in all such rows.
    """

    rows: pd.DataFrame
    facts: Mapping[str, Facts]
    kinds: Mapping[str, Kind]
    formats: Mapping[str, str | None]
    target: str
    n_rows: int
    different: Callable[[str], pd.Series]

    @classmethod
    def of(cls, table: Table, rows: pd.DataFrame, facts: Mapping[str, Facts], target: str) -> "View":
        """Return the view of rows that have a target."""
        found = {name: kind_of(rows[name]) for name in rows.columns if name != target}
        kinds, formats = ({name: pair[at] for name, pair in found.items()} for at in (0, 1))
        different = partial(table.different, target=target)
        return cls(rows, facts, kinds, formats, target, facts[target].filled, different)  # type: ignore[arg-type]


def guess_roles(view: View, answers: Answers) -> Iterator[Guess]:
    """Guess what the columns are for.

    Parameters
    ----------
    view
        The table.
    answers
        What was said.
    """
    columns = list(view.rows.columns)
    evidence = {name: _identity(name, view) for name in view.kinds}
    ids = {name: f"{name!r}: {why}" for name, why in evidence.items() if why is not None}
    if answers.id_columns is not None:
        ids = dict.fromkeys(all_named(answers.id_columns, columns), "as you said")
    if ids:
        yield Guess("id_columns", list(ids), list(dict.fromkeys(ids.values())))
    others = [name for name in view.kinds if name not in ids]
    if answers.id_columns is None and not ids:
        yield from _compound(view)
    yield from _order(view, others, answers)
    people = _people(view, others)
    if answers.sensitive_features is not None:
        people = Guess("sensitive_features", all_named(answers.sensitive_features, columns), "as you said; audited for fairness")
    if people is not None and people.value:
        yield people
    yield from _useless(view, others, answers)


def _order(view: View, others: Sequence[str], answers: Answers) -> Iterator[Guess]:
    """Guess time and group column; only one of them divides the rows, the other is suggested."""
    columns = list(view.rows.columns)
    filled = {name: facts.filled == view.n_rows for name, facts in view.facts.items()}
    time = guess_time(view.rows, [name for name in others if _may_be_time(name, view)], view.formats, filled, view.different)
    group = _group(view, others)
    said_time = answers.time_column is not None or answers.split == "time"
    said_group = answers.group_column is not None or answers.split == "group"
    if answers.time_column is not None:
        name = named(answers.time_column, columns)
        time = Guess("time_column", name, "as you said: later rows test models trained on earlier ones") if name else None
    elif answers.split == "time" and time is not None:
        time = Guess("time_column", time.value, "the split by time that you asked for needs one")
    if answers.group_column is not None:
        name = named(answers.group_column, columns)
        group = Guess("group_column", name, "as you said: each of its groups is on one side of the split") if name else None
    elif answers.split == "group" and group is not None:
        group = Guess("group_column", group.value, "the split by group that you asked for needs one")
    if time is not None and group is not None and not (time.suggested or group.suggested):
        if said_time and not said_group:
            group = Guess(
                "group_column", group.value, "uncomment, in place of time_column, to keep its groups whole", suggested=True
            )
        elif not (said_time and said_group):
            time = Guess("time_column", time.value, "uncomment, in place of group_column, to test on later rows", suggested=True)
    yield from (guess for guess in (time, group) if guess is not None)


def _may_be_time(name: str, view: View) -> bool:
    """Return whether a column holds dates, or whole numbers that are called years."""
    if view.kinds[name] == "date":
        return True
    facts = view.facts[name]
    years = name.strip().lower() in ("year", "yr", "jahr") and view.kinds[name] == "numeric" and facts.whole and facts.filled
    return bool(years and 1000 <= facts.low <= facts.high <= 3000)


def _identity(name: str, view: View) -> str | None:
    """Return why a column looks like an identifier, or None: the rule of :mod:`gristmill.data.leakage.proxies` on all rows."""
    facts, kind = view.facts[name], view.kinds[name]
    if facts.filled < max(_FEWEST_IDENTIFIED, 0.99 * view.n_rows) or kind in ("boolean", "date", "text"):
        return None
    if facts.distinct < facts.filled:
        return None
    if kind == "categorical":
        return f"every one of its {facts.filled:,} texts is different"
    if facts.infinite or not facts.whole:
        return None
    if facts.high - facts.low < facts.filled / DENSE:
        return f"it counts rows, from {int(facts.low)} to {int(facts.high)}"
    return f"it is called an identifier and all its {facts.filled:,} numbers differ" if is_id_name(name) else None


def _compound(view: View) -> Iterator[Guess]:
    """Suggest columns that are called identifiers and only together name every row."""
    parts = [name for name in view.kinds if is_id_name(name) and view.facts[name].filled == view.n_rows][:_MOST_ID_PARTS]
    for size in range(2, len(parts) + 1):
        for some in itertools.combinations(parts, size):
            if len(view.rows) == view.n_rows and not view.rows.duplicated(list(some)).any():
                why = "uncomment if they only name rows: together they do so, but then no model sees them"
                yield Guess("id_columns", list(some), why, suggested=True)
                return


def _group(view: View, names: Sequence[str]) -> Guess | None:
    """Guess the group column: it says who a row is about, and several rows are about the same; else suggest an identifier."""
    suggestion: Guess | None = None
    for name in names:
        facts = view.facts[name]
        if view.kinds[name] not in ("categorical", "numeric") or not facts.whole or facts.filled < view.n_rows:
            continue
        groups, each = facts.distinct, view.n_rows / max(1, facts.distinct)
        if (
            ENTITY.match(name.strip())
            and groups >= FEWEST_GROUPS
            and each >= ROWS_A_GROUP
            and _largest(view, name) <= LARGEST_GROUP
        ):
            why = f"its {groups:,} values have {each:.1f} rows each; rows about the same one are alike, so they stay on one side"
            return Guess("group_column", name, why)
        if suggestion is None and is_id_name(name) and groups >= FEWEST_NAMED_GROUPS and each >= 2:
            suggestion = Guess("group_column", name, f"uncomment to keep each of its {groups:,} groups on one side", suggested=True)
    return suggestion


def _largest(view: View, name: str) -> float:
    """Return the share of the rows that the largest group has."""
    return float(view.rows[name].value_counts(normalize=True).iloc[0])


def _people(view: View, names: Sequence[str]) -> Guess | None:
    """Guess which columns say what group of people a row belongs to."""
    people = [name for name in names if SENSITIVE.search(name) and view.kinds[name] not in ("date", "text")]
    people = [name for name in people if view.facts[name].low != view.facts[name].high]
    return Guess("sensitive_features", people, "by their names; audited for fairness, remove what is not about people")


def _useless(view: View, names: Sequence[str], answers: Answers) -> Iterator[Guess]:
    """Guess which columns teach a model nothing, and say of those with many levels what becomes of them."""
    reasons = {name: f"{name!r}, as you said" for name in answers.exclude}
    for name in names:
        why = _empty(name, view)
        if why is not None and name not in reasons:
            reasons[name] = f"{name!r} {why}"
    if reasons:
        yield Guess("features.exclude", list(reasons), list(reasons.values()))
    seen = [name for name in names if name not in reasons]
    many = [name for name in seen if view.kinds[name] == "categorical" and view.facts[name].distinct > _MANY_LEVELS]
    if many:
        shown = ", ".join(f"{name!r} has {view.facts[name].distinct:,} levels" for name in many[:3])
        more = f", and {len(many) - 3} columns more than this" if len(many) > 3 else ""
        why = f"{shown}{more}: above this number, levels are encoded by the mean target seen with them, inside the folds"
        yield Guess("features.max_levels", _MANY_LEVELS, why, suggested=True)
    texts = [name for name in seen if view.kinds[name] == "text"]
    if texts:
        shown = ", ".join(map(repr, texts[:3]))
        yield Guess(
            "features.text", value=True, why=f"{shown}: free text, whose words become features; false: left out", suggested=True
        )


def _empty(name: str, view: View) -> str | None:
    """Return why a column tells nothing, or None."""
    facts = view.facts[name]
    if not facts.filled:
        return "is missing in every row"
    if facts.filled == view.n_rows and facts.low == facts.high:
        return "has one value only"
    nearly = facts.distinct >= _NEARLY_DIFFERENT * facts.filled and facts.filled >= _FEWEST_NEARLY_DIFFERENT
    if view.kinds[name] == "categorical" and nearly and not is_numeric(view.rows[name]):
        return f"has {facts.distinct:,} different texts in {facts.filled:,} rows: there is nothing in them to learn from"
    return None
