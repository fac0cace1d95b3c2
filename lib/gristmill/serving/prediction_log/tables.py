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

_INTO = f"INSERT INTO gristmill_predictions ({', '.join(COLUMNS)})"

_OF_PEOPLE = {
    "gristmill_predictions": (
        "request_id", "subject", "features", "prediction", "probabilities", "confidence", "warnings", "beside",
    ),
    "gristmill_feedback": ("label",),
}  # fmt: skip
"""Columns that say something of a person, none of which a plan asks about."""

NO_STATISTICS = tuple(
    f"ALTER TABLE {table} {', '.join(f'ALTER COLUMN {name} SET STATISTICS 0' for name in names)}"
    for table, names in _OF_PEOPLE.items()
)
"""Have PostgreSQL copy no values of people into ``pg_statistic``, where erasing a row would leave them."""

SOME_STATISTICS = tuple(statement.replace("STATISTICS 0", "STATISTICS 1") for statement in NO_STATISTICS)
"""Have it copy some, so that those of a log from before are replaced."""

_NAMES = ", ".join(repr(name) for names in _OF_PEOPLE.values() for name in names)
HAS_STATISTICS = f"""
SELECT count(*) FROM pg_stats WHERE schemaname = ANY (current_schemas(false)) AND attname IN ({_NAMES})
AND tablename IN ({", ".join(map(repr, _OF_PEOPLE))})"""  # noqa: S608 - names of ours
"""How many columns of people it has copied values of."""

BLANK = (
    f"{_INTO} VALUES ('', '', 0, '', '', '', '', '{{}}', '{{}}', 'null', NULL, NULL, 0, '[]', '')",
    "INSERT INTO gristmill_feedback VALUES ('', 0, '', 0, '')",
)
"""Rows of nobody: statistics of an empty table would stay as they were."""

NO_BLANK = ("DELETE FROM gristmill_predictions WHERE prediction_id = ''", "DELETE FROM gristmill_feedback WHERE prediction_id = ''")

TABLES = Tables(
    "gristmill_prediction_log",
    sqlite=tuple(statement.format(**_SQLITE) for statement in _ALL),
    postgres=(*(statement.format(**_POSTGRES) for statement in _ALL), *NO_STATISTICS),
)

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
