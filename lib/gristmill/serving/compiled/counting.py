"""Missing, far out and unseen values, counted in the cells that the compiled form answers from: rows are read only once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gristmill.features.rows import MISSING_LEVEL
from gristmill.features.treated import Found, Rules, Treated
from gristmill.serving.compiled.cells import Cells
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.sources import DateSource, LevelSource, NumberSource


@dataclass(frozen=True)
class _Levels:
    """Where the codes of a feature stand, and what they say.

    Attributes
    ----------
    place
        Place among the cells' codes.
    missing
        The code of what is missing.
    unseen
        Whether a code stands for a level that no fitted step knows, shape ``(n_codes,)``; the last is that of unknown levels.
    """

    place: int
    missing: int
    unseen: NDArray[np.bool_]


@dataclass(frozen=True)
class CellCounting:
    """Counts in cells what :func:`gristmill.features.treated.count` counts in the row-wise features of the same rows.

    Attributes
    ----------
    rules
        By what it counts.
    numbers
        Feature -> its place among the cells' numbers.
    levels
        Feature -> its codes.
    """

    rules: Rules
    numbers: dict[str, int]
    levels: dict[str, _Levels]

    @classmethod
    def of(cls, rules: Rules, intake: Intake) -> "CellCounting | None":
        """Return what counts in the cells of an intake; None if a feature that is counted does not stand there whole."""
        numbers, sources = _number_places(intake), {s.column: s for s in intake.sources if isinstance(s, LevelSource)}
        found: dict[str, int] = {}
        levels: dict[str, _Levels] = {}
        for feature in rules.counted_features:
            name, source = feature["name"], sources.get(feature["source"])
            if feature["step"] == "level":
                made = None if source is None else _levels(source, rules.known.get(name))
                if made is None:
                    return None
                levels[name] = made
            else:
                place = numbers.get((feature["source"], feature["step"]))
                if place is None:
                    return None
                found[name] = place
        return cls(rules, found, levels)

    def of_cells(self, cells: Cells) -> Treated:
        """Return the counts of the rows of some cells."""
        return self.rules.counted(len(cells.codes), lambda feature, limits, _: self._look(cells, feature["name"], limits))

    def _look(self, cells: Cells, name: str, limits: tuple[float, float]) -> Found:
        """Return what is found in the cells of one feature."""
        if name in self.levels:
            known = self.levels[name]
            counts = np.bincount(cells.codes[:, known.place], minlength=len(known.unseen))
            return Found(int(counts[known.missing]), unseen=int(counts[known.unseen].sum()))
        values = cells.numbers[:, self.numbers[name]]
        outside = (
            int(np.count_nonzero(values < limits[0]) + np.count_nonzero(values > limits[1])) if np.isfinite(limits).any() else 0
        )
        return Found(int(np.count_nonzero(np.isnan(values))), outside)


def _number_places(intake: Intake) -> dict[tuple[str, str], int]:
    """Return the place of each number by its column and the step that makes it."""
    found: dict[tuple[str, str], int] = {}
    for source in intake.sources:
        if isinstance(source, NumberSource):
            found |= {(source.column, step): source.number for step in ("number", "flag")}
        elif isinstance(source, DateSource):
            found |= {(source.column, step): number for step, number in zip(source.steps, source.numbers, strict=True)}
    return found


def _levels(source: LevelSource, known: Any) -> _Levels | None:
    """Return what the codes of a feature say; None if its vocabulary does not have every known level."""
    levels, vocabulary = set() if known is None else set(known), source.vocabulary
    if MISSING_LEVEL not in vocabulary or not levels.issubset(vocabulary):
        return None
    unseen = [known is not None and level not in levels for level in (*vocabulary, None)]
    missing = vocabulary.index(MISSING_LEVEL)
    unseen[missing] = False
    return _Levels(source.level, missing, np.array(unseen))
