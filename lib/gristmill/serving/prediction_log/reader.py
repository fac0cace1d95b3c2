"""What the prediction log says: to monitoring, to people, and to files."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gristmill.serving.prediction_log.arrow import batch
from gristmill.serving.prediction_log.records import PredictionRecord
from gristmill.serving.prediction_log.rows import COLUMNS, clean, decode, subject_mark
from gristmill.serving.prediction_log.store import Store, open_store

if TYPE_CHECKING:
    import pyarrow as pa

PAIR_COLUMNS = ("prediction_id", "at", "version", "role", "prediction", "probabilities", "confidence", "label", "label_at")

_NAMED = ", ".join(f"p.{name}" for name in COLUMNS)
_PAIR = ", ".join(f"p.{name}" for name in PAIR_COLUMNS[:-2])
_LATEST = """
gristmill_feedback f ON f.prediction_id = CASE p.beside WHEN '' THEN p.prediction_id ELSE p.beside END
AND f.revision = (SELECT max(revision) FROM gristmill_feedback WHERE prediction_id = f.prediction_id)"""
_ALL = f"SELECT {_NAMED} FROM gristmill_predictions p"  # noqa: S608 - names of ours, as in the others
_PAIRS = f"SELECT p.seq, {_PAIR}, f.label, f.at FROM gristmill_predictions p JOIN {_LATEST}"  # noqa: S608
_LABELLED = f"SELECT p.seq, {_NAMED}, f.label, f.at, f.revision - 1 FROM gristmill_predictions p LEFT JOIN {_LATEST}"  # noqa: S608


@dataclass(frozen=True)
class LogReader:
    """The log of the project at ``root``, to be read while services write it.

    Reads are in pages, so that memory is bounded and no transaction stays open: SQLite's write-ahead log would grow with it.

    Attributes
    ----------
    root
        The project.
    page
        Rows that are read at once.
    seconds
        How long to wait for the database.
    """

    root: Path
    page: int = 10_000
    seconds: float = 30.0

    def last(self, count: int, request_id: str | None = None, subject: tuple[str, object] | None = None) -> list[PredictionRecord]:
        """Return the latest records, newest first, in the order they were written whatever the clock said.

        Parameters
        ----------
        count
            How many at most.
        request_id
            Of this request only.
        subject
            Of this id column and value only: what :func:`..erasure.erase` would find.

        Raises
        ------
        LogUnavailable
            There is no log, or it cannot be read.
        """
        with closing(self._open()) as store:
            asked = [("p.request_id = ?", clean(request_id))] if request_id is not None else []
            if subject is not None:
                asked.append((store.holds, subject_mark(dict([subject]))))
            where = " AND ".join(("TRUE", *(condition for condition, _ in asked)))
            rows = store.read(f"{_ALL} WHERE {where} ORDER BY p.seq DESC LIMIT ?", *(value for _, value in asked), count)
        return [decode(row) for row in rows]

    def pairs(self, model: str, since: float | None = None, until: float | None = None) -> Iterator["pa.RecordBatch"]:
        """Give predictions of a model whose label is known, with that label; the latest, where it was corrected.

        Parameters
        ----------
        model
            Its name.
        since, until
            Seconds since 1970: predictions made at ``since`` or later, and before ``until``; None for no limit.

        Yields
        ------
        pyarrow.RecordBatch
            Columns ``PAIR_COLUMNS``. ``prediction`` and ``label`` are texts: classes as they are written in the table, or numbers.

        Raises
        ------
        LogUnavailable
            There is no log, or it cannot be read.
        """
        for rows in self._pages(_PAIRS, _Span(model, since, until)):
            yield batch(rows, PAIR_COLUMNS)

    def batches(
        self, model: str | None = None, since: float | None = None, until: float | None = None
    ) -> Iterator["pa.RecordBatch"]:
        """Give all records, in the order they were written, with their latest labels; see :meth:`pairs` for the parameters.

        Yields
        ------
        pyarrow.RecordBatch
            The fields of :class:`..records.PredictionRecord`, ``subject`` and ``features`` as JSON texts; ``label``, ``label_at``
            and ``corrections`` (how many labels came before it), empty where none is known.
        """
        for rows in self._pages(_LABELLED, _Span(model, since, until)):
            yield batch(rows)

    def _pages(self, statement: str, span: "_Span") -> Iterator[list[tuple[Any, ...]]]:
        """Give the rows of a statement in pages by its first column, without that column; rows that come meanwhile are left out."""
        with closing(self._open()) as store:
            conditions, values = span.conditions()
            ends = f"SELECT min(p.seq + 0), max(p.seq + 0) FROM gristmill_predictions p WHERE TRUE{conditions}"  # noqa: S608
            first, last = store.read(ends, *values)[0]  # of the index by time alone
            if first is None:
                return
            at = first - 1
            conditions, values = span.conditions(by_time=False)
            paged = f"{statement} WHERE p.seq > ? AND p.seq <= ? {conditions} ORDER BY p.seq LIMIT ?"
            while rows := store.read(paged, at, last, *values, self.page):
                at = rows[-1][0]
                yield [row[1:] for row in rows]

    def _open(self) -> Store:
        """Return the database of a log that exists."""
        return open_store(self.root, self.seconds, existing=True)


@dataclass(frozen=True)
class _Span:
    """Which records are meant."""

    model: str | None = None
    since: float | None = None
    until: float | None = None

    def conditions(self, *, by_time: bool = True) -> tuple[str, tuple[Any, ...]]:
        """Return the conditions in SQL, and their values.

        Not ``by_time``, the model is asked for so that its index is of no use: a page by it would go through the rows of all pages.
        """
        model = "p.model" if by_time else "(p.model || '')"
        those = ((f"{model} = ?", self.model), ("p.at >= ?", self.since), ("p.at < ?", self.until))
        asked = [(condition, value) for condition, value in those if value is not None]
        return "".join(f" AND {condition}" for condition, _ in asked), tuple(value for _, value in asked)
