"""Runs the stages of a case (first form: Ploomber's own serial executor, after the case file was checked)."""

from typing import Any

from gristmill.config.loading import load_case


def create(case: str) -> Any:
    """Return the executor that Ploomber builds ``case`` with."""
    from ploomber.executors import Serial  # noqa: PLC0415

    load_case(case)
    return Serial()
