"""What a table may be used to foretell: likely targets, the kind of a target, its positive class, how unevenly it is spread."""

import re
from collections.abc import Iterator

import pandas as pd

from gristmill.data.kinds import is_numeric, kind_of
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.case_text import Guess
from gristmill.data.setup.table import Facts, Table
from gristmill.data.splits.assignment import FEWEST_OF_A_CLASS
from gristmill.errors import DataError

POSITIVE = ("1", "true", "yes", "y", "t", "positive", "pos")
"""Texts that a positive class has, best first."""

MOST_CLASSES = 20
ROWS_A_CLASS = 10
IMBALANCED = 0.1
"""Share of the rows below which a class is called rare."""

FEWEST_OF_A_NUMBER = 10
"""Rows with the rarest of a few whole numbers below which they are counts rather than classes."""

FEWEST_ROWS = 20
_MOSTLY_NUMBERS = 0.8
_MOST_LIKELY = 5
_TARGET_NAME = re.compile(
    r"^(y|target|label|class|outcome|response|churn(ed)?|default(ed)?|survived|dead|died|price|sale_?price|species|purchase[d]?|"
    r"fraud|is_fraud|converted|approved|left|exited|attrition|late|amount|score|rating|result|status)$", re.IGNORECASE,
)  # fmt: skip


def likely_targets(rows: pd.DataFrame) -> list[str]:
    """Return the columns that most look like a target, the likeliest first, at most five.

    A name that targets have says most; then come columns of two values, and the last column.
    """
    last = rows.columns[-1]
    ranks: dict[str, int] = {}
    for name in rows.columns:
        n_values = rows[name].nunique()
        if n_values >= 2:
            ranks[name] = 4 * bool(_TARGET_NAME.match(name.strip())) + 2 * (n_values == 2) + (name == last)
    return sorted((name for name, rank in ranks.items() if rank), key=lambda name: -ranks[name])[:_MOST_LIKELY]


def require_target(table: Table, target: str, facts: Facts) -> None:
    """Refuse a target from which nothing can be learnt.

    Raises
    ------
    DataError
        It has too few values, only one, or infinite ones.
    """
    if facts.infinite:
        raise DataError(f"The target column {target!r} holds infinite numbers. Mend them in the source, or leave them empty.")
    if facts.filled < FEWEST_ROWS:
        lost = table.n_rows - facts.filled
        raise DataError(
            f"Expected at least {FEWEST_ROWS} rows with a value in {target!r}, found {facts.filled}"
            f"{f' ({lost:,} more have none)' if lost else ''}. Collect more rows."
        )
    if facts.distinct < 2:
        raise DataError(
            f"Expected at least two different values in the target column {target!r}, found only {str(facts.low)!r}. A model "
            "cannot learn to tell one class from nothing."
        )


def guess_task(table: Table, values: pd.Series, facts: Facts, answers: Answers) -> Iterator[Guess]:
    """Guess the kind of target, and its positive class.

    Parameters
    ----------
    table
        The table.
    values
        The target of the rows that are looked at.
    facts
        What is known of the target.
    answers
        What was said.

    Raises
    ------
    DataError
        The target cannot be of the kind that was said, or of any.
    """
    name = str(values.name)
    levels = table.levels(name)
    task, why = (answers.task, "as you said") if answers.task is not None else _task(name, values, facts, levels)
    if task == "regression":
        yield Guess("task", task, why)
        return
    if levels is None:
        raise DataError(
            f"The target column {name!r} has {facts.distinct:,} different values, too many to be classes. Use `--task regression`, "
            "or name a column that holds a class."
        )
    if task != "binary":
        _require_rows(name, levels)
        yield Guess("task", task, [why, *_rare(levels)])
        return
    if len(levels) != 2:
        raise DataError(
            f"The target column {name!r} has {len(levels):,} different values, but a binary task has two. Use `--task multiclass`, "
            "or make two of them by `--query`."
        )
    _require_rows(name, levels)
    yield Guess("task", task, why)
    yield _positive_class(name, levels, answers.positive_class)


def _task(name: str, values: pd.Series, facts: Facts, levels: pd.Series | None) -> tuple[str, str]:
    """Return the kind of target that the values suggest, and why."""
    n_levels = facts.distinct if levels is None else len(levels)
    if n_levels == 2:
        return "binary", f"{name!r} has two values"
    numeric = is_numeric(values)
    few = n_levels <= MOST_CLASSES and facts.filled >= ROWS_A_CLASS * n_levels
    if numeric and (levels is None or not (facts.whole and few and levels.min() >= FEWEST_OF_A_NUMBER)):
        return "regression", f"{name!r} is a number with {n_levels:,} different values"
    if n_levels > max(MOST_CLASSES, facts.filled / ROWS_A_CLASS) or levels is None:
        raise DataError(_no_classes(name, values, n_levels, facts.filled))
    return "multiclass", f"{name!r} has {n_levels} different values, {'whole numbers, taken for classes' if numeric else 'texts'}"


def _require_rows(name: str, levels: pd.Series) -> None:
    """Refuse classes that cannot be on every side of a split, all of them at once."""
    rare = [str(level) for level in levels.index[levels < FEWEST_OF_A_CLASS]]
    if rare:
        which = f"class {rare[0]!r} of the target column {name!r} has {levels[rare[0]]} row{'s' if levels[rare[0]] > 1 else ''}"
        more = f" (and {len(rare) - 1} other class{'es' if len(rare) > 2 else ''} as few)" if len(rare) > 1 else ""
        raise DataError(
            f"The {which}{more}; at least {FEWEST_OF_A_CLASS} are needed, to train, validate and test on it. Collect more, leave "
            "such rows out, or merge them with another class by --query."
        )


def _no_classes(name: str, values: pd.Series, n_levels: int, n_rows: int) -> str:
    """Say why a column of many texts is no target, and what may be meant."""
    texts = values.astype(str)
    numbers = pd.to_numeric(texts, errors="coerce").notna()
    if kind_of(values)[0] == "date":
        return f"The target column {name!r} holds dates, which are not predicted. Name a column that holds a class or a number."
    if numbers.mean() >= _MOSTLY_NUMBERS:
        wrong = texts[~numbers].unique()[:3]
        return (
            f"The target column {name!r} would hold numbers but for {int((~numbers).sum()):,} rows such as "
            f'{", ".join(map(repr, wrong))}. If they mean "missing", add --option missing={wrong[0]}; else mend them in the source.'
        )
    return (
        f"The target column {name!r} holds text with {n_levels:,} different values in {n_rows:,} rows, too many to be classes. "
        "Name a column that holds a class or a number."
    )


def _positive_class(name: str, levels: pd.Series, said: str | None) -> Guess:
    """Guess which of two classes the probability is to be of."""
    if said is not None:
        if said not in levels.index:
            raise DataError(
                f"`--positive-class`: the target {name!r} has the classes {', '.join(map(repr, levels.index))}, not {said!r}. Name "
                "one of them."
            )
        return Guess("positive_class", said, [f"as you said; {_share(levels, said)} of the rows", *_uneven(levels)])
    for text in POSITIVE:
        for level in levels.index:
            if str(level).strip().lower() == text:
                return Guess("positive_class", str(level), [f"says yes; {_share(levels, level)} of the rows", *_uneven(levels)])
    rarer = str(sorted(levels.index)[-1]) if levels.iloc[0] == levels.iloc[1] else str(levels.idxmin())
    return Guess("positive_class", rarer, [f"the rarer of the two: {_share(levels, rarer)} of the rows", *_uneven(levels)])


def _share(levels: pd.Series, level: str) -> str:
    share = levels[level] / levels.sum()
    return f"{share:.0%}" if 0.1 <= share <= 0.9 else f"{share:.2%}"


def _uneven(levels: pd.Series) -> list[str]:
    """Say that one of two classes is rare, and what a build does about it."""
    rarest = str(levels.idxmin())
    if levels[rarest] >= IMBALANCED * levels.sum():
        return []
    return [
        f"{rarest!r} is rare ({levels[rarest]:,} rows): the split keeps its share on every side, the threshold is chosen out of",
        "fold (threshold.rule, F1 unless you say otherwise), and accuracy says little: see PR-AUC, precision and recall",
    ]


def _rare(levels: pd.Series) -> list[str]:
    """Say that a class among several is rare, and what a build does about it."""
    rarest = str(levels.idxmin())
    if levels[rarest] >= IMBALANCED * levels.sum() / (len(levels) / 2):
        return []
    return [
        f"{rarest!r} is the rarest, with {levels[rarest]:,} rows ({_share(levels, rarest)}): the split keeps its share everywhere;",
        "log loss, which selects, counts every row alike, so look at balanced accuracy and the confusion matrix too",
    ]
