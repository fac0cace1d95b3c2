"""A table in memory as a source, for tests of what is done with sources."""

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa

from gristmill.data.sources.plain import frame_batch
from gristmill.data.sources.table_source import Source


class FrameSource(Source):
    """The rows of a frame."""

    def __init__(self, frame: pd.DataFrame, uri: str = "rows") -> None:
        super().__init__(uri)
        self._frame = frame

    def version(self) -> str:
        """Return the one version there is."""
        return "1"

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield frame_batch(self._frame)
