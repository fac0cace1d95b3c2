"""The questions of ``gristmill init``: each with what was guessed as its default, and a sentence on what the answer changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import typer

from gristmill.config.case import Task
from gristmill.data.setup.answers import NO_COLUMN, Answers
from gristmill.data.setup.case_text import Guess
from gristmill.data.setup.outcome import likely_targets
from gristmill.data.setup.table import Table
from gristmill.data.setup.writing import Infer, case_name, free_case_file
from gristmill.errors import CaseFileError
from gristmill.paths import ProjectPaths

_MOST_SHOWN = 40


@dataclass(frozen=True)
class Dialogue:
    """Asks a person at a terminal what was not said yet.

    An answer that is the guess is not kept as an answer, so that the case file keeps the reason of the guess.

    Parameters
    ----------
    table
        What the person called the table.
    paths
        The project.
    replace_existing
        Whether the name of an existing case is an answer.
    """

    table: str
    paths: ProjectPaths
    replace_existing: bool = False

    def __call__(self, table: Table, answers: Answers, infer: Infer) -> Answers:
        """Return the answers completed."""
        answers.checked(table.columns)
        shown = ", ".join(table.columns[:_MOST_SHOWN]) + (", ..." if len(table.columns) > _MOST_SHOWN else "")
        typer.echo(f"{self.table}: {table.n_rows:,} rows. Enter takes what stands in brackets. Columns: {shown}")
        answers = self._outcome(table, answers, infer)
        answers = self._columns(table, answers, infer(answers))
        if answers.name is None:
            name = _asked(
                "Its name is that of the case file, of the reports and of the registered model.",
                "Name of the case",
                case_name(self.table),
                self._wrong_name,
            )
            answers = replace(answers, name=name)
        return answers

    def _outcome(self, table: Table, answers: Answers, infer: Infer) -> Answers:
        """Ask for target, task and positive class."""
        if answers.target is None:
            likely = likely_targets(table.rows())
            found = _asked(
                "The model learns to foretell one column from the others.",
                "Column to predict",
                likely[0] if likely else table.columns[-1],
                _column_of(table.columns),
            )
            answers = replace(answers, target=found)
        guesses = infer(answers)
        if answers.task is None:
            tasks = get_args(Task)
            guess = _value(guesses, "task")
            found = _asked(
                "The task decides what is predicted: one of two classes, one of several, or a number.",
                f"Task ({', '.join(tasks)})",
                guess,
                lambda text: None if text in tasks else f"Expected one of {', '.join(tasks)}.",
            )
            answers = answers if found == guess else replace(answers, task=found)
            guesses = guesses if found == guess else infer(answers)
        positive = _value(guesses, "positive_class")
        if positive is not None and answers.positive_class is None:
            classes = table.levels(str(answers.target))
            names = [positive] if classes is None else [str(name) for name in classes.index]
            found = _asked(
                "Probabilities are those of the positive class, the one that you want to find.",
                f"Positive class ({', '.join(names)})",
                positive,
                lambda text: None if text in names else f"Expected one of {', '.join(map(repr, names))}.",
            )
            answers = answers if found == positive else replace(answers, positive_class=found)
        return answers

    def _columns(self, table: Table, answers: Answers, guesses: Sequence[Guess]) -> Answers:
        """Ask for the columns that divide the rows, and those that are audited."""
        others = [name for name in table.columns if name != answers.target]
        wrong = _column_of([*others, NO_COLUMN])
        if answers.time_column is None:
            guess = _value(guesses, "time_column") or NO_COLUMN
            said = "With a time column, later rows test models trained on earlier ones, as in use."
            found = _asked(said, f"Time column, or {NO_COLUMN}", guess, wrong)
            answers = answers if found == guess else replace(answers, time_column=found)
        if answers.group_column is None:
            guess = _value(guesses, "group_column") or NO_COLUMN
            said = "With a group column, all rows of one group (a patient, a shop) are on one side of the split."
            found = _asked(said, f"Group column, or {NO_COLUMN}", guess, wrong)
            answers = answers if found == guess else replace(answers, group_column=found)
        if answers.sensitive_features is None:
            guess = ", ".join(_value(guesses, "sensitive_features") or [NO_COLUMN])
            said = "Of sensitive columns, the groups are audited: whom does the model serve worse?"
            found = _asked(said, "Sensitive columns, with commas between", guess, _columns_of([*others, NO_COLUMN]))
            if found != guess:
                answers = replace(answers, sensitive_features=tuple(_listed(found)))
        return answers

    def _wrong_name(self, name: str) -> str | None:
        """Return why a name cannot be that of the new case, or None."""
        try:
            free_case_file(name, self.paths, replace_existing=self.replace_existing)
        except CaseFileError as error:
            return str(error).replace("another --name, or replace it with --force", "another name")
        return None


def _asked(why: str, question: str, guess: str, wrong: Callable[[str], str | None]) -> str:
    """Return a person's answer; one with which something is wrong is asked for again."""
    typer.echo(f"\n{why}")
    while True:
        answer = str(typer.prompt(question, default=guess)).strip()
        problem = wrong(answer)
        if answer == guess.strip() and problem is not None and wrong(guess) is None:
            return guess
        if problem is None:
            return answer
        typer.echo(problem)


def _value(guesses: Sequence[Guess], key: str) -> Any:
    """Return what was guessed for a key, None if nothing was or it is only suggested."""
    return next((guess.value for guess in guesses if guess.key == key and not guess.suggested), None)


def _column_of(columns: Sequence[str]) -> Callable[[str], str | None]:
    """Return what says why a text is not the name of a column."""
    return lambda text: None if text in columns else f"There is no column {text!r}."


def _columns_of(columns: Sequence[str]) -> Callable[[str], str | None]:
    """Return what says why a text is no list of columns."""
    one = _column_of(columns)
    return lambda text: next((problem for name in _listed(text) if (problem := one(name)) is not None), None)


def _listed(text: str) -> list[str]:
    """Return the names in a text with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
