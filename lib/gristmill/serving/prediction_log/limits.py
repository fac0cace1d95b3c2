"""How much may wait for the prediction log, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Bounds on the memory and the patience of one process.

    Attributes
    ----------
    records
        Records that may wait to be written; one more is refused.
    size
        Bytes that these may have together.
    seconds
        How long one may wait before it is refused.
    group
        Records that are written in one transaction at most.
    """

    records: int = 10_000
    size: int = 64 * 2**20
    seconds: float = 2.0
    group: int = 1_000
