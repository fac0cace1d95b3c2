"""A first case file for a table: what can be guessed is guessed, and every guess says why.

The case that comes out is tried on the table before it is written, so that it builds without an edit: columns that would stop
the build are made identifiers or excluded, with the reason beside them, and a split that cannot be made is only suggested.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from pydantic import ValidationError

from gristmill.config.case import Case
from gristmill.config.sections.data import Validation
from gristmill.data.contract import schema as contracts
from gristmill.data.contract.checks import Check
from gristmill.data.contract.quality import completeness
from gristmill.data.leakage import detection
from gristmill.data.setup.afterwards import Looked, guess_known_later
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.case_text import Guess, render
from gristmill.data.setup.outcome import guess_task, likely_targets, require_target
from gristmill.data.setup.roles import View, guess_roles
from gristmill.data.setup.table import Table
from gristmill.data.splits import assignment
from gristmill.data.splits.chronology import moments
from gristmill.errors import CaseFileError, DataError

_DIVIDING = ("group_column", "time_column")


def infer_case(table: Table, name: str, source: Mapping[str, Any], answers: Answers) -> list[Guess]:
    """Return the keys of a case file for a table, with a reason for each that was guessed.

    Parameters
    ----------
    table
        The table.
    name
        Name of the case.
    source
        The section ``source`` of the case file.
    answers
        What was said; ``target`` must be.

    Raises
    ------
    DataError
        No target was said, an answer names no column, or what the target holds cannot be predicted.
    CaseFileError
        Two answers contradict each other.
    """
    target = answers.checked(table.columns).target
    looked_at = table.rows(target)
    if target is None:
        likely = ", ".join(map(repr, likely_targets(looked_at))) or ", ".join(map(repr, table.columns[-5:]))
        raise DataError(f"Which column is to be predicted? Name it with --target; likely ones are {likely}.")
    facts = table.facts(target)
    require_target(table, target, facts[target])
    rows = looked_at[looked_at[target].notna()]
    guesses = [
        Guess("name", name),
        *guess_task(table, rows[target], facts[target], answers),
        *_source(table, source, len(looked_at)),
        Guess("target", target, _without_target(table, facts[target].filled)),
        *guess_roles(View.of(table, rows, facts, target), answers),
        *_validation(rows),
        *_settings(answers),
    ]
    return _tried(table, rows, guesses, answers)


def case_text(guesses: Sequence[Guess]) -> str:
    """Return the text of the case file that the guesses make."""
    name = next(guess.value for guess in guesses if guess.key == "name")
    return render(guesses, f"Written by `gristmill init`, with the reason for each guess. Correct it, then: gristmill check {name}")


def _source(table: Table, source: Mapping[str, Any], n_looked_at: int) -> list[Guess]:
    """Return the section ``source``: one line where the URI says all."""
    size = f"{table.n_rows:,} rows, {len(table.columns)} columns"
    if table.is_sampled:
        size += f"; counts are of all rows, the rest was judged by {n_looked_at:,} rows drawn evenly"
    if set(source) == {"uri"}:
        return [Guess("source", source["uri"], size)]
    return [Guess(f"source.{key}", value, size if key == "uri" else "") for key, value in source.items()]


def _without_target(table: Table, filled: int) -> str:
    missing = table.n_rows - filled
    return f"missing in {missing:,} of {table.n_rows:,} rows, which are left out" if missing else ""


def _validation(rows: pd.DataFrame) -> list[Guess]:
    """Lower the demands that the table as it is would not meet."""
    filled, usual = completeness(rows), Validation()
    found = []
    if filled < usual.completeness:
        limit = max(0.0, round(filled - 0.01, 2))
        why = f"{filled:.1%} of the cells are filled; the default asks for {usual.completeness:.0%}"
        found.append(Guess("validation.completeness", limit, why))
    if len(rows) < usual.min_rows:
        found.append(Guess("validation.min_rows", len(rows), "very few: expect wide intervals"))
    return found


def _settings(answers: Answers) -> list[Guess]:
    """Return what was said and needs no guess."""
    said = {
        "split.strategy": answers.split,
        "split.test_source": answers.test_source,
        "training.budget_seconds": answers.budget_seconds,
    }
    return [Guess(key, value, "as you said") for key, value in said.items() if value is not None]


def _tried(table: Table, rows: pd.DataFrame, guesses: list[Guess], answers: Answers) -> list[Guess]:
    """Return the guesses with what a trial of split and leakage rules asks for."""
    guesses, case, split = _divided(table, rows, guesses, answers)
    training = rows[(split["split"] == assignment.TRAIN).to_numpy()]
    contract = contracts.infer(rows, case)
    checks = [check for check in detection.columns(training, case, contract) if not check.passed and check.column]
    stops = [check for check in checks if check.severity == "stop"]
    ids = {str(check.column): f"{check.column!r}: {_evidence(check)}" for check in stops if check.rule == "no identifier"}
    leaks = {str(check.column): f"leakage? {_evidence(check)}" for check in stops if check.column not in ids}
    guesses = _extended(guesses, "id_columns", ids)
    guesses = _extended(guesses, "features.exclude", leaks)
    warned = [check for check in checks if check.column not in (*ids, *leaks, case.time_column)]
    if warned:
        why = [*(_evidence(check) for check in warned), "uncomment if that is only known afterwards"]
        guesses.append(Guess("features.exclude", [str(check.column) for check in warned], why, suggested=True))
    told = {str(check.column) for check in checks}
    seen = [column["name"] for column in contract["columns"] if column["used"] and column["role"] in ("feature", "sensitive")]
    gaps = table.gaps(case.target)
    looked = Looked(training, contract, gaps, n_without=gaps[case.target][0], n_with=table.n_rows - gaps[case.target][0])
    return [*guesses, *guess_known_later(looked, [name for name in seen if name not in told])]


def _evidence(check: Check) -> str:
    """Return what a leakage rule found, without its advice on a case file that is written already."""
    text = check.message.split(". If it", 1)[0].split(". A model would", 1)[0]
    return text.split(": ", 1)[-1] if check.rule == "no identifier" else text.rstrip(".")


def _divided(table: Table, rows: pd.DataFrame, guesses: list[Guess], answers: Answers) -> tuple[list[Guess], Case, pd.DataFrame]:
    """Return guesses by which the rows can be split, their case, and the split; a guessed group or time that fails is suggested."""
    said = {"group_column": answers.group_column, "time_column": answers.time_column}
    while True:
        case = _case_of(guesses)
        keyed = rows.set_axis(assignment.row_keys(rows, case.id_columns))
        try:
            _require_times(table, case)
            split = assignment.assign(keyed, case)
            _require_sides(keyed, split, case)
        except DataError as error:
            guessed = [key for key in _DIVIDING if getattr(case, key) is not None and said[key] is None]
            if not guessed or answers.split in ("time", "group"):
                raise
            why = f"a split by {guessed[0].split('_')[0]} fails: {str(error).split('. ')[0]}"
            guesses = [replace(one, why=why, suggested=True) if one.key == guessed[0] else one for one in guesses]
        else:
            return guesses, case, split


def _require_times(table: Table, case: Case) -> None:
    """Refuse a time column in which some value, anywhere in the table, is no time."""
    if case.split_strategy == "time" and case.time_column is not None and table.is_sampled:
        for values in table.values_in_parts(case.time_column):
            moments(values.drop_duplicates())


def _require_sides(keyed: pd.DataFrame, split: pd.DataFrame, case: Case) -> None:
    """Refuse a split that the leakage rules would."""
    for check in detection.sides(keyed, split, case):
        if check.severity == "stop" and not check.passed:
            raise DataError(check.message)


def _case_of(guesses: Sequence[Guess]) -> Case:
    """Return the case that the guesses make.

    Raises
    ------
    CaseFileError
        They contradict each other, because answers do.
    """
    content: dict[str, Any] = {}
    for guess in guesses:
        if not guess.suggested:
            section, _, key = guess.key.rpartition(".")
            (content.setdefault(section, {}) if section else content)[key] = guess.value
    try:
        return Case.model_validate(content)
    except ValidationError as error:
        problem = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise CaseFileError(f"The answers make no case: {f'`{place}`: ' if place else ''}{problem}. Correct the flag.") from error


def _extended(guesses: list[Guess], key: str, more: Mapping[str, str]) -> list[Guess]:
    """Return the guesses with names added to a list of columns, and the reasons to its comments."""
    if not more:
        return guesses
    old = next((guess for guess in guesses if guess.key == key and not guess.suggested), Guess(key, [], []))
    new = Guess(key, [*old.value, *more], [*old.reasons, *more.values()])
    if old in guesses:
        return [new if guess is old else guess for guess in guesses]
    return [*guesses, new]
