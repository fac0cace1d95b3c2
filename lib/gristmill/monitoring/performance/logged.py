"""Served predictions out of the prediction log, and labels out of a table where they do not come by feedback."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gristmill.errors import DataError
from gristmill.monitoring.performance.served import Served

if TYPE_CHECKING:
    import pyarrow as pa

_READ = (
    "prediction_id", "beside", "at", "version", "role", "prediction", "probabilities", "label", "label_at", "subject", "features",
)  # fmt: skip
LABEL, LABEL_TIME, PREDICTION_ID = "label", "time", "prediction_id"


def from_log(
    root: Path, model: str, task: str, classes: Sequence[str], since: float | None = None, until: float | None = None
) -> Served:
    """Return the predictions of a model that the log holds, with their latest labels.

    Parameters
    ----------
    root
        The project.
    model
        Name of the registered model.
    task, classes
        What it predicts; the classes in the order in which the model gives their probabilities.
    since, until
        Seconds since 1970: predictions made at ``since`` or later, and before ``until``; None for no limit.

    Raises
    ------
    LogUnavailable
        There is no log, or it cannot be read.
    DataError
        A prediction has other classes than ``classes``: the version that made it predicted something else.
    """
    from gristmill.serving.prediction_log.reader import LogReader  # noqa: PLC0415 - a table of labels alone needs no log

    return served_of([frame_of(batch) for batch in LogReader(root).batches(model, since, until)], task, classes)


def served_of(parts: Sequence[pd.DataFrame], task: str, classes: Sequence[str]) -> Served:
    """Return parts of the log, as :func:`frame_of` makes them, as one; see :func:`from_log`.

    Raises
    ------
    DataError
        As :func:`from_log`.
    """
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(_READ))
    subjects, features = (_columns(frame[name]) for name in ("subject", "features"))
    more = [name for name in subjects.columns if name not in features.columns]
    rows = frame[["prediction_id", "at", "version", "role", "label", "label_at"]].copy()
    rows.insert(1, "row", frame["beside"].where(frame["beside"] != "", frame["prediction_id"]))
    return Served(task, tuple(classes), rows, _predicted(frame, task, classes), pd.concat([features, subjects[more]], axis=1))


def frame_of(batch: "pa.RecordBatch") -> pd.DataFrame:
    """Return what is needed of a batch of the log, times in seconds since 1970."""
    frame: pd.DataFrame = batch.select([name for name in _READ if name in batch.schema.names]).to_pandas()
    for name in ("at", "label_at"):
        moments = pd.DatetimeIndex(frame[name]).tz_convert("UTC").tz_localize(None)
        micros = moments.astype("datetime64[us]").astype("int64").to_numpy()
        frame[name] = np.where(moments.isna(), np.nan, micros / 1e6)
    return frame


def _columns(texts: pd.Series) -> pd.DataFrame:
    """Return JSON objects as columns."""
    if not len(texts):
        return pd.DataFrame(index=texts.index)
    return pd.DataFrame.from_records([json.loads(text) for text in texts], index=texts.index)


def _predicted(frame: pd.DataFrame, task: str, classes: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the probabilities or numbers that were predicted."""
    if task == "regression":
        return np.asarray(pd.to_numeric(frame["prediction"]), dtype=np.float64)
    if frame.empty:
        return np.empty((0, len(classes)))
    sizes = {0 if row is None else len(row) for row in frame["probabilities"]}
    if sizes != {len(classes)}:
        raise DataError(
            f"Expected predictions with {len(classes)} probabilities, of {', '.join(classes)}, got some with {sorted(sizes)}. The "
            "log holds predictions of versions that predicted something else; look at later ones with `--since`."
        )
    return np.vstack(frame["probabilities"].to_list()).astype(np.float64)


def with_labels(served: Served, table: pd.DataFrame, id_columns: Sequence[str]) -> Served:
    """Return predictions with labels from a table, which go over those that came by feedback.

    Parameters
    ----------
    served
        The predictions.
    table
        Has ``label`` and either ``prediction_id`` or every id column of the case, and maybe ``time``, when the label became known;
        of several labels of one prediction the latest counts. With id columns a label counts for every prediction of that row.
    id_columns
        The case's id columns.

    Raises
    ------
    DataError
        A column is missing, or one prediction has two labels that no time sets apart.
    """
    keys = [PREDICTION_ID] if PREDICTION_ID in table.columns else list(id_columns)
    absent = [name for name in (LABEL, *keys) if name not in table.columns]
    if absent or not keys:
        wanted = " or ".join([repr(PREDICTION_ID), *([", ".join(map(repr, id_columns))] if id_columns else [])])
        raise DataError(
            f"Expected a table of labels with the columns {LABEL!r} and {wanted}, got {', '.join(map(repr, table.columns))}. "
            "Rename its columns, or choose them in its query."
        )
    there = served.rows if keys == [PREDICTION_ID] else served.features
    gone = [name for name in keys if name not in there.columns]
    if gone:
        raise DataError(
            f"The log does not hold the id column {gone[0]!r} by which labels are joined. Give {PREDICTION_ID!r} in the table."
        )
    labels = _latest(table, keys)
    found = labels.reindex(_keys(there, keys))
    has = found[LABEL].notna().to_numpy()
    rows = served.rows.assign(label=np.where(has, found[LABEL].to_numpy(dtype=object), served.rows["label"].to_numpy(dtype=object)))
    rows["label_at"] = np.where(has, found[LABEL_TIME].to_numpy(dtype=np.float64), rows["label_at"].to_numpy(dtype=np.float64))
    return Served(served.task, served.classes, rows, served.predicted, served.features)


def _keys(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Index:
    """Return what a row is found by: its id as text, or several as one text."""
    texts = [frame[name].astype("string").str.removesuffix(".0") for name in keys]
    together = texts[0]
    for text in texts[1:]:
        together = together + "\x1f" + text
    return pd.Index(together)


def _latest(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return the latest label by key, with the time it became known."""
    times = pd.to_datetime(table[LABEL_TIME], utc=True, errors="coerce") if LABEL_TIME in table.columns else None
    if times is None:
        seconds = np.full(len(table), np.nan)
    else:
        micros = times.dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
        seconds = np.where(times.isna(), np.nan, micros / 1e6)
    labels = pd.DataFrame({LABEL: table[LABEL].to_numpy(dtype=object), LABEL_TIME: seconds}, index=_keys(table, keys))
    labels = labels[labels[LABEL].notna()].sort_values(LABEL_TIME, kind="stable", na_position="first")
    different = labels.assign(key=labels.index).drop_duplicates()
    doubtful = different.loc[different.duplicated(["key", LABEL_TIME]), "key"]
    if len(doubtful):
        raise DataError(
            f"The table of labels has two different labels for {doubtful.iloc[0]!r} and no {LABEL_TIME!r} that says which is later."
        )
    return labels[~labels.index.duplicated(keep="last")]
