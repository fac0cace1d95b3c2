"""The window of a diagnosis out of the prediction log: the rows served in some time, with the labels that came of them."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from gristmill.config.loading import load_case
from gristmill.errors import DataError, NoLogYet, ParameterError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.monitoring.performance.logged import with_labels
from gristmill.monitoring.windows import window_of
from gristmill.paths import CasePaths

DAY = 86_400.0


@dataclass(frozen=True)
class Span:
    """The time of a window: predictions made at ``since`` or later, and before ``until``, in seconds since 1970."""

    since: float
    until: float

    @property
    def words(self) -> str:
        """The span as people write it."""
        ends = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (self.since, self.until)]
        return f"from {ends[0]} to {ends[1]} UTC"


def span_of(
    paths: CasePaths, now: float, since: float | None = None, until: float | None = None, days: float | None = None
) -> Span:
    """Return the time of a window, as it was asked for.

    Parameters
    ----------
    paths
        The case; without ``since`` and ``days`` its ``monitoring.performance`` says how far back.
    now
        Seconds since 1970.
    since, until
        Ends in seconds since 1970; ``until`` is ``now`` if it is not given.
    days
        So many days before ``until``, in place of ``since``.

    Raises
    ------
    ParameterError
        Both ``since`` and ``days`` are given, or the span is empty.
    """
    end = now if until is None else until
    if since is not None and days is not None:
        raise ParameterError("Expected --since or --days, got both. Leave one out.")
    if days is not None:
        since = end - days * DAY
    if since is None:
        settings = load_case(paths.name, paths.root).monitoring.performance
        since = end - settings.maturity_seconds - settings.window_seconds
    if since >= end:
        raise ParameterError(f"Expected a window that begins before it ends, got one {Span(since, end).words}.")
    return Span(since, end)


def logged_window(paths: CasePaths, model: FittedModel, span: Span, labels: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the rows that were served in a span, with their labels in the model's target column; those without have none.

    A row that several versions answered, as beside a shadow, is there once. Of very many an even sample is taken.

    Parameters
    ----------
    paths
        The case.
    model
        The model to be diagnosed.
    span
        The time.
    labels
        A table of labels (:func:`gristmill.monitoring.performance.logged.with_labels`), beside those that came by feedback.

    Raises
    ------
    LogUnavailable
        There is no prediction log, or it cannot be read.
    DataError
        Nothing was served in the span, or no label came of it.
    """
    held = window_of(paths, span.since, span.until, model.classes, known_by=np.inf)  # labels come late: those of today count
    served = held.served
    if not held.logged:
        raise NoLogYet(
            f"There is no prediction log yet: nothing was served of {paths.name!r}. Serve it, replay a table into the log "
            f"(gristmill log replay {paths.name} TABLE --days 28), or name a file of labelled rows with `--window`."
        )
    if labels is not None:
        served = with_labels(served, labels, model.id_columns)
    if not len(served):
        raise DataError(
            f"Expected predictions of {paths.name!r} {span.words}, the log has none. Take another time with `--since` or `--days`, "
            "or name a file of labelled rows with `--window`."
        )
    if not served.labelled.any():
        raise DataError(
            f"None of the {len(served):,} predictions of {paths.name!r} {span.words} has a label yet, and without labels nothing "
            "says that the model got worse. Send labels to /v1/feedback, or name a table of them with `--labels`."
        )
    rows = served.features.assign(**{model.target: served.rows["label"].to_numpy(dtype=object)})
    once = ~served.rows["row"].duplicated().to_numpy()
    absent = [name for name in model.feature_columns if name not in rows.columns]
    return rows.assign(**dict.fromkeys(absent, None))[once].reset_index(drop=True)
