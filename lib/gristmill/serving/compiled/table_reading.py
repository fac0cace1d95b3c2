"""From a frame to cells, column by column; every different level is looked up once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gristmill.features.rows import LARGEST, MISSING_LEVEL, date_part, levels, numbers
from gristmill.serving.compiled.cells import Cells, Floats, Places
from gristmill.serving.compiled.contracted import Contracted
from gristmill.serving.compiled.sources import DateSource, LevelSource, NumberSource, Source

NAN = float("nan")


class TableReader:
    """Reads the rows of a frame.

    Parameters
    ----------
    sources
        What is read.
    n_numbers, n_levels
        How many numbers and levels that gives.
    contracted
        Reads what is not plain.
    """

    def __init__(self, sources: Sequence[Source], n_numbers: int, n_levels: int, contracted: Contracted) -> None:
        self._sources, self._n_numbers, self._n_levels, self._contracted = sources, n_numbers, n_levels, contracted
        self._places = {
            s.column: {name: place for place, name in enumerate(s.vocabulary)} for s in sources if isinstance(s, LevelSource)
        }

    def frame(self, frame: pd.DataFrame) -> Cells:
        """Return the cells of a frame that has every column once, column by column.

        Raises
        ------
        DataError
            A column holds a value that its type cannot hold.
        """
        found: Floats = np.empty((len(frame), self._n_numbers))
        codes: Places = np.empty((len(frame), self._n_levels), dtype=np.intp)
        for source in self._sources:
            values = frame[source.column]
            if isinstance(source, LevelSource):
                codes[:, source.level] = self._codes(source, values)
            elif isinstance(source, NumberSource):
                found[:, source.number] = self._floats(source, values)
            else:
                made = self._contracted.column(values)
                if isinstance(source, DateSource):
                    for step, number in zip(source.steps, source.numbers, strict=True):
                        found[:, number] = date_part(step, made)
        return Cells(found, codes)

    def _floats(self, source: NumberSource, values: pd.Series) -> Floats:
        """Return a column of numbers; infinite ones are missing."""
        if not source.truth and isinstance(values.dtype, np.dtype) and values.dtype.kind in "fiu":
            made = values.to_numpy(dtype=np.float64, copy=True)
            made[~np.isfinite(made)] = NAN
            return np.clip(made, -LARGEST, LARGEST, out=made)
        return numbers(self._contracted.column(values))

    def _codes(self, source: LevelSource, values: pd.Series) -> Places:
        """Return the place of every level of a column; each different one is looked up once."""
        places, unknown = self._places[source.column], len(source.vocabulary)
        codes: Any
        names: Any
        codes, names = (values.cat.codes.to_numpy(), values.cat.categories) if _is_text_category(values) else pd.factorize(values)
        if source.written and all(type(name) is str for name in names):
            found = [places.get(name, unknown) for name in names]
        else:
            codes, names = pd.factorize(levels(self._contracted.column(values)))
            found = [places.get(str(name), unknown) for name in names]
        table = np.array([*found, places.get(MISSING_LEVEL, unknown)], dtype=np.intp)  # -1, what is missing, is the last
        return np.asarray(table[codes], dtype=np.intp)


def _is_text_category(values: pd.Series) -> bool:
    """Return whether a column is stored as codes of texts."""
    return isinstance(values.dtype, pd.CategoricalDtype) and values.cat.categories.dtype == object
