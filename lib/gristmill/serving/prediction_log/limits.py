"""How much may wait for the prediction log, and for how long."""

from dataclasses import dataclass

from gristmill.config.sections.operation import Log


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
    prune_seconds
        Time between two looks for records that are older than they are to be kept.
    """

    records: int = 10_000
    size: int = 64 * 2**20
    seconds: float = 2.0
    group: int = 1_000
    prune_seconds: float = 3_600.0

    @classmethod
    def of_case(cls, log: Log) -> "LogLimits":
        """Return the limits that a case file states in ``serving.log``."""
        return cls(
            records=log.waiting_records,
            size=round(log.waiting_megabytes * 2**20),
            seconds=log.wait_seconds,
            group=log.group_records,
            prune_seconds=log.prune_minutes * 60,
        )
