"""Refusals that several routes share, as problem documents; none repeats a value that was sent."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from gristmill.serving.problems import ProblemError
from gristmill.serving.rows import Fault

RETRY_SOON = {"Retry-After": "1"}


def not_served(names: Iterable[str]) -> ProblemError:
    """Return that this service has no model of the name in the path."""
    return ProblemError(404, "Not Found", f"There is no such model here. This service has {', '.join(names)}.")


def bad_rows(faults: Sequence[Fault], total: int) -> ProblemError:
    """Return what is wrong with rows: each fault by row and column, up to a number of them."""
    more = "" if total == len(faults) else f" The first {len(faults)} are listed."
    detail = f"{'One value is' if total == 1 else f'{total} values are'} not what the data contract has.{more}"
    return ProblemError(422, "Rows Not Understood", detail, errors=[asdict(fault) for fault in faults])


def too_busy(detail: str) -> ProblemError:
    """Return that the service has too much to do at present."""
    return ProblemError(503, "Too Busy", detail, headers=RETRY_SOON)


def log_unavailable() -> ProblemError:
    """Return that predictions cannot be kept, and so are not answered."""
    return ProblemError(
        503, "Log Unavailable", "Predictions cannot be written down at present, and none is answered that is not. Try again.",
        headers=RETRY_SOON,
    )  # fmt: skip
