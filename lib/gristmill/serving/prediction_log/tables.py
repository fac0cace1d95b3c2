"""The tables of the prediction log, in the SQL of both databases."""

from gristmill.serving.prediction_log.rows import COLUMNS
from gristmill.state_database import Tables

_PREDICTIONS = """
CREATE TABLE gristmill_predictions (
    seq {serial} PRIMARY KEY, prediction_id TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL, at {real} NOT NULL,
    model TEXT NOT NULL, version TEXT NOT NULL, role TEXT NOT NULL, key_id TEXT NOT NULL, subject TEXT NOT NULL,
    features TEXT NOT NULL, prediction TEXT NOT NULL, probabilities TEXT, confidence {real}, latency_ms {real} NOT NULL,
    warnings TEXT NOT NULL, beside TEXT NOT NULL)"""
_FEEDBACK = """
CREATE TABLE gristmill_feedback (
    prediction_id TEXT NOT NULL, revision INTEGER NOT NULL, label TEXT NOT NULL, at {real} NOT NULL, key_id TEXT NOT NULL,
    PRIMARY KEY (prediction_id, revision))"""
_ERASURES = """
CREATE TABLE gristmill_erasures (
    at {real} NOT NULL, who TEXT NOT NULL, column_name TEXT NOT NULL, predictions INTEGER NOT NULL, labels INTEGER NOT NULL)"""
_ALL = (
    _PREDICTIONS,
    "CREATE INDEX gristmill_predictions_by_time ON gristmill_predictions (model, at)",
    _FEEDBACK,
    _ERASURES,
    "CREATE TABLE gristmill_prediction_log (layout INTEGER NOT NULL, checked {real} NOT NULL)",
    "INSERT INTO gristmill_prediction_log VALUES (1, 0)",
)
_SQLITE = {"serial": "INTEGER", "real": "REAL"}
_POSTGRES = {"serial": "BIGINT GENERATED ALWAYS AS IDENTITY", "real": "DOUBLE PRECISION"}

TABLES = Tables(
    "gristmill_prediction_log",
    sqlite=tuple(statement.format(**_SQLITE) for statement in _ALL),
    postgres=tuple(statement.format(**_POSTGRES) for statement in _ALL),
)

_INTO = f"INSERT INTO gristmill_predictions ({', '.join(COLUMNS)})"
ONCE = "ON CONFLICT (prediction_id) DO NOTHING"
"""The end of a statement that leaves rows as they are whose id is there."""

_NUMBERS = {"at", "confidence", "latency_ms"}

INSERT_SQLITE = _INTO
"""The beginning of a statement that writes rows."""

ROW_SQLITE = f"({', '.join('?' * len(COLUMNS))})"
"""One row of it; a value for each column."""

INSERT_POSTGRES = f"""
{_INTO} SELECT {", ".join(f"(r->>{i})::float8" if name in _NUMBERS else f"r->>{i}" for i, name in enumerate(COLUMNS))}
FROM json_array_elements(?::json) AS r {ONCE}"""  # noqa: S608 - column names of ours
"""All rows of a group in one journey: the value is a JSON array of rows."""

CHECK = "UPDATE gristmill_prediction_log SET checked = ?"
"""A write that says whether the log can be written."""
