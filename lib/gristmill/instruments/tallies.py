"""Counts that wait in plain Python until they are written where Prometheus reads them.

prometheus_client takes a lock for each increment, and with several workers writes each into a file. A request touches a dozen; here
they are added up, and written once a second and whenever somebody asks.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any


class Tallies:
    """Increments of counters and amounts of histograms that are not written yet; for one thread."""

    def __init__(self) -> None:
        self._counts: dict[Any, float] = {}
        self._amounts: dict[Any, tuple[list[float], list[int]]] = {}

    def count(self, counter: Any, amount: float = 1) -> None:
        """Add to a counter, or to one of its time series."""
        self._counts[counter] = self._counts.get(counter, 0) + amount

    def observe(self, histogram: Any, bounds: Sequence[float], amounts: Iterable[float]) -> None:
        """Put amounts into a histogram, or into one of its time series.

        Parameters
        ----------
        histogram
            One of prometheus_client.
        bounds
            Its upper bounds, ascending, without infinity.
        amounts
            What is observed.
        """
        found = self._amounts.get(histogram)
        if found is None:
            found = self._amounts[histogram] = ([0.0], [0] * (len(bounds) + 1))
        total, places = found
        for amount in amounts:
            total[0] += amount
            places[bisect_left(bounds, amount)] += 1

    def write(self) -> None:
        """Write everything, and begin anew."""
        counts, self._counts = self._counts, {}
        amounts, self._amounts = self._amounts, {}
        for counter, amount in counts.items():
            counter.inc(amount)
        for histogram, ((total,), places) in amounts.items():
            histogram._sum.inc(total)
            for bucket, count in zip(histogram._buckets, places, strict=True):
                if count:
                    bucket.inc(count)
