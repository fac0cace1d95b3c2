"""What every source of a table can do."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from gristmill.errors import NoRowsError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def nearest(name: str, names: Iterable[str]) -> str:
    """Return "; did you mean ...?" for the name nearest to ``name``, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else "."


T = TypeVar("T")


class GuessError(Exception):
    """Rows were given out as what the first of them promised, and a later one is not of that kind; those given out are void."""


class Source(ABC):
    """A table that can be read.

    Parameters
    ----------
    uri
        What the case file calls it.
    """

    watermark: str | None = None
    """Column that only grows, by which the source is read on from where it was left; None if it is always read whole."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def since(self, value: object) -> "Source":
        """Return the same source, but only its rows whose watermark is at least ``value``; there may be none."""
        raise NotImplementedError(f"{type(self).__name__} has no watermark, got {value!r}")

    @property
    def may_be_empty(self) -> bool:
        """Whether no rows are no error."""
        return False

    @abstractmethod
    def version(self) -> str:
        """Return a text that changes when the table does, without reading it into memory."""

    @abstractmethod
    def _batches(self) -> "Iterator[pa.RecordBatch]":
        """Yield the raw rows in order."""

    def batches(self) -> "Iterator[pa.RecordBatch]":
        """Yield the rows in order, in batches of one schema of plain types.

        Raises
        ------
        SourceError
            The table cannot be read, has no row, or its column names clash.
        """
        from gristmill.data.sources.plain import plain_batches  # noqa: PLC0415 - keeps `version` cheap
        from gristmill.data.sources.row_count import counted  # noqa: PLC0415

        rows = 0
        for batch in counted(plain_batches(self._batches(), self.uri), self.uri):
            rows += batch.num_rows
            yield batch
        if not rows and not self.may_be_empty:
            raise NoRowsError(f"{self.uri} has no rows. Name a table that has data.")

    def _guessing(self) -> "Self | None":
        """Return the same source, but given out on a guess that may turn out wrong; None if it has nothing to guess."""
        return None

    def consumed(self, take: "Callable[[Iterator[pa.RecordBatch]], T]") -> T:
        """Return what ``take`` makes of the rows; faster than :meth:`batches` where types have to be found out.

        Parameters
        ----------
        take
            Reads the batches to their end. It is called a second time, from the first row on, if a row far down is not of the
            type that the first rows promised, and has to forget then what it made of those before.

        Raises
        ------
        SourceError
            As :meth:`batches`.
        """
        guessing = self._guessing()
        if guessing is not None:
            try:
                return take(guessing.batches())
            except GuessError:
                pass
        return take(self.batches())

    def read(self) -> "pd.DataFrame":
        """Return the whole table as plain types.

        Raises
        ------
        SourceError
            As :meth:`batches`.
        """
        import pyarrow as pa  # noqa: PLC0415

        from gristmill.data.sources.plain import to_frame  # noqa: PLC0415

        return to_frame(self.consumed(pa.Table.from_batches))
