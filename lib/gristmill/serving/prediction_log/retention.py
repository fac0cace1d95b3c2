"""How long predictions are kept: what is older goes, a few records at a time."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from gristmill.serving.prediction_log.store import Store
from gristmill.serving.prediction_log.unavailable import LogUnavailable
from gristmill.state_database import Session

Keep = timedelta | Mapping[str, timedelta | None] | None
"""For how long: of all models, or by model (of those not named, for ever); None for ever."""

_AT_ONCE = 500
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


async def unless_unavailable(prune: Callable[[], Awaitable[int]]) -> None:
    """Prune, and say how much; where the log cannot be written, say that."""
    try:
        deleted = await prune()
    except LogUnavailable as error:
        _LOGGER.warning("Nothing was pruned: %s", error)
    else:
        if deleted:
            _LOGGER.info("%d predictions were older than they are to be kept, and are deleted.", deleted)
