"""What was read of the registry, kept while it is read anew: nobody looks at an empty page for the seconds that MLflow takes."""

import logging
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from gristmill.errors import GristmillError
from gristmill.views.models.listing import Version

_LOG = logging.getLogger(__name__)

Reader = Callable[[], Sequence[Version]]


@dataclass(frozen=True)
class Shown:
    """What there is to show now.

    Attributes
    ----------
    versions
        As they were last read; None before the first reading has ended.
    reading
        Whether they are being read, so that a second look in a moment shows more.
    problem
        Why the last reading failed; empty if it did not.
    """

    versions: Sequence[Version] | None
    reading: bool
    problem: str = ""


@dataclass
class _Place:
    """What is known of one model."""

    mark: Hashable = None
    at: float = 0.0
    shown: Sequence[Version] | None = None
    problem: str = ""
    reading: "Future[Sequence[Version]] | None" = None
    asked: Hashable = None


class Shelf:
    """The versions of models, each read in the background when its mark has changed, or after a while.

    Parameters
    ----------
    seconds
        After which they are read again even where the mark is the same: a registry on a server tells nobody that it has changed.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._places: dict[str, _Place] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="gristmill registry")

    def look(self, model: str, mark: Hashable, reader: Reader) -> Shown:
        """Return what is known of a model now, and begin to read it where that is old.

        Parameters
        ----------
        model
            Its name.
        mark
            Changes whenever reading would give something else.
        reader
            Reads its versions; called in another thread.
        """
        with self._lock:
            place = self._places.setdefault(model, _Place())
            self._take(place)
            fresh = place.at > 0 and place.mark == mark and monotonic() - place.at < self._seconds
            if not fresh and place.reading is None:
                place.asked, place.reading = mark, self._pool.submit(reader)
            return Shown(place.shown, place.reading is not None, place.problem)

    def forget(self, model: str) -> None:
        """Have the next look read a model again; what is known is shown meanwhile."""
        with self._lock:
            place = self._places.get(model)
            if place is not None:
                place.mark = None

    @staticmethod
    def _take(place: _Place) -> None:
        """Take over what has been read."""
        if place.reading is None or not place.reading.done():
            return
        done, place.reading = place.reading, None
        place.mark, place.at = place.asked, monotonic()
        try:
            place.shown, place.problem = done.result(), ""
        except GristmillError as error:
            place.problem = str(error)
        except Exception as error:  # noqa: BLE001 - whatever went wrong in another thread is said
            _LOG.exception("the registry could not be read")
            place.problem = f"The registry could not be read ({type(error).__name__}). The app's log says why."
