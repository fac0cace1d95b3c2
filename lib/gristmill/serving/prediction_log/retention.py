"""How long predictions are kept: what is older goes, a few records at a time."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

from gristmill.config.durations import seconds
from gristmill.errors import LogUnavailable
from gristmill.paths import ProjectPaths
from gristmill.serving.prediction_log.store import Store, open_store
from gristmill.state_database import Session

Keep = timedelta | Mapping[str, timedelta | None] | None
"""For how long: of all models, or by model (of those not named, for ever); None for ever."""

_AT_ONCE = 500
_SECONDS_TO_WAIT = 60.0
_LOGGER = logging.getLogger(__name__)
_OLD = "SELECT seq, prediction_id FROM gristmill_predictions WHERE model = ? AND at < ? ORDER BY at LIMIT ?"


def prune_some(store: Store, keep: Keep, now: float, at_once: int = _AT_ONCE) -> int:
    """Delete some records, with their labels, that are older than they are to be kept, and return how many.

    Parameters
    ----------
    store
        The log.
    keep
        For how long.
    now
        The time, in seconds since 1970.
    at_once
        How many are deleted at most: writers wait meanwhile.
    """
    with store.transaction() as session:
        for model in models(session):
            kept = keep.get(model) if isinstance(keep, Mapping) else keep
            if kept is not None and (old := session.execute(_OLD, model, now - kept.total_seconds(), at_once)):
                delete(session, old)
                return len(old)
    return 0


def models(session: Session) -> list[str]:
    """Return the names of the models in the log, each found in the index without reading the others' records."""
    names: list[str] = []
    while (
        found := session.execute("SELECT min(model) FROM gristmill_predictions WHERE model > ?", names[-1] if names else "")
    ) and (found[0][0] is not None):
        names.append(found[0][0])
    return names


def delete(session: Session, those: list[tuple[int, str]]) -> int:
    """Delete records, given as (seq, prediction id), with all their labels, and return how many labels there were."""
    labels = 0
    for seq, prediction_id in those:
        labels += len(session.execute("DELETE FROM gristmill_feedback WHERE prediction_id = ? RETURNING revision", prediction_id))
        session.execute("DELETE FROM gristmill_predictions WHERE seq = ?", seq)
    return labels


def of_project(root: Path) -> dict[str, timedelta | None]:
    """Return for how long each case of a project says that its predictions are kept.

    Raises
    ------
    CaseFileError
        A case file is wrong; nothing is to be deleted by the others then.
    """
    from gristmill.config.loading import load_case  # noqa: PLC0415 - the service knows its case already

    return {name: kept_for(load_case(name, root).compliance.log_retention) for name in ProjectPaths(root).cases}


def kept_for(duration: str | None) -> timedelta | None:
    """Return ``compliance.log_retention`` as a length of time; None is for ever."""
    return None if duration is None else timedelta(seconds=seconds(duration))


def prune_all(root: Path, keep: Mapping[str, timedelta | None], now: float) -> dict[str, int | None]:
    """Delete all that is older than it is to be kept, and return by model how many records; None for one that has no limit."""
    deleted: dict[str, int | None] = {}
    with closing(open_store(root, _SECONDS_TO_WAIT, existing=True)) as store:
        with store.transaction() as session:
            names = models(session)
        for model in names:
            kept = keep.get(model)
            deleted[model] = None if kept is None else sum(iter(partial(prune_some, store, {model: kept}, now), 0))
    return deleted


async def unless_unavailable(prune: Callable[[], Awaitable[int]]) -> None:
    """Prune, and say how much; where the log cannot be written, say that."""
    try:
        deleted = await prune()
    except LogUnavailable as error:
        _LOGGER.warning("Nothing was pruned: %s", error)
    else:
        if deleted:
            _LOGGER.info("%d predictions were older than they are to be kept, and are deleted.", deleted)
