"""What a person says of a table; what is not said is guessed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gristmill.data.contract.schema import nearest_column
from gristmill.errors import DataError

NO_COLUMN = "none"
"""Answer that no column is meant, unless one is called that."""


@dataclass(frozen=True)
class Answers:
    """What was said; None, or an empty tuple of ``exclude``, where nothing was."""

    name: str | None = None
    target: str | None = None
    task: str | None = None
    positive_class: str | None = None
    id_columns: tuple[str, ...] | None = None
    time_column: str | None = None
    group_column: str | None = None
    sensitive_features: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    split: str | None = None
    test_source: str | None = None
    budget_seconds: float | None = None

    def checked(self, columns: Sequence[str]) -> "Answers":
        """Return the same answers after a look whether the table has the columns that they name.

        Raises
        ------
        DataError
            It has not; the message names the flag and the nearest column.
        """
        flags = {
            "--target": [self.target], "--id-column": self.id_columns or [], "--time-column": [self.time_column],
            "--group-column": [self.group_column], "--sensitive": self.sensitive_features or [], "--exclude": self.exclude,
        }  # fmt: skip
        for flag, names in flags.items():
            for name in names:
                if name is not None and name not in columns and (name != NO_COLUMN or flag in ("--target", "--exclude")):
                    raise DataError(f"`{flag}`: the table has no column {name!r}; {nearest_column(name, columns)}")
        return self


def named(answer: str, columns: Sequence[str]) -> str | None:
    """Return the column that an answer names, or None where it says that there is none."""
    return None if answer == NO_COLUMN and NO_COLUMN not in columns else answer


def all_named(answers: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the columns that answers name."""
    return [name for name in answers if named(name, columns) is not None]
