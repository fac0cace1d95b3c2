"""What people write to and read from the commands of the log."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

from gristmill.errors import ParameterError
from gristmill.serving.prediction_log.records import PredictionRecord


def line(record: PredictionRecord) -> str:
    """Return a record as one line of JSON, with its time as people write it."""
    at = datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds")
    return json.dumps({**asdict(record), "at": at}, ensure_ascii=False)


def seconds_of(option: str, written: str | None) -> float | None:
    """Return a time in seconds since 1970; without a zone it is UTC. None stays None.

    Raises
    ------
    ParameterError
        It is none.
    """
    if written is None:
        return None
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        raise ParameterError(
            f"Expected {option} as a time such as 2026-05-01 or 2026-05-01T14:00+02:00, got {written!r}."
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def subject_of(written: str) -> tuple[str, str]:
    """Return column and value of ``COLUMN=VALUE``.

    Raises
    ------
    ParameterError
        It is something else.
    """
    column, equals, value = written.partition("=")
    if not (column and equals and value):
        raise ParameterError(f"Expected --subject as COLUMN=VALUE, such as customer_id=7590-VHVEG, got {written!r}.")
    return column, value
