"""Training rows of the last build, as many as are looked at: for defaults, ranges, and similar rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from gristmill.errors import DataError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.paths import CasePaths

TRAINING_ROWS = "train.parquet"


@dataclass(frozen=True)
class Sample:
    """Training rows.

    Attributes
    ----------
    rows
        The columns the model reads, in their contracted types.
    outcomes
        What became of each, as the table has it.
    ids
        What names each.
    n_rows
        How many there are in all.
    """

    rows: pd.DataFrame
    outcomes: pd.Series
    ids: pd.DataFrame
    n_rows: int


def training_sample(paths: CasePaths, model: FittedModel, most: int) -> Sample | None:
    """Return at most ``most`` training rows of the last build, evenly over all; None where they are not here, or do not fit."""
    file = paths.artifacts / TRAINING_ROWS
    if not file.is_file():
        return None
    wanted = [*model.feature_columns, model.target]
    frame, n_rows = _read(file, wanted, model.id_columns, most)
    if frame is None:
        return None
    try:
        rows = model.features(frame)
    except DataError:  # the model in production is of another table than the last build
        return None
    return Sample(rows, frame[model.target], frame[[name for name in model.id_columns if name in frame.columns]], n_rows)


def _read(file: Path, wanted: list[str], ids: tuple[str, ...], most: int) -> tuple[pd.DataFrame | None, int]:
    """Return some rows of a Parquet file, batch by batch, so that memory holds no more than these; and how many it has."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names
        if any(name not in names for name in wanted):
            return None, 0
        n_rows = int(parquet.metadata.num_rows)
        columns = list(dict.fromkeys([*(name for name in ids if name in names), *wanted]))
        places = np.linspace(0, n_rows - 1, min(most, n_rows)).astype(np.int64)
        kept, before = [], 0
        for batch in parquet.iter_batches(columns=columns):
            inside = places[(places >= before) & (places < before + len(batch))] - before
            kept.append(batch.take(pa.array(inside)))
            before += len(batch)
    return pa.Table.from_batches(kept, schema=kept[0].schema).to_pandas() if kept else None, n_rows
