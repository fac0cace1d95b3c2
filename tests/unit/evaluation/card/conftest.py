"""Evidence of a small build of each task, made once."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.card_evidence import full_evidence

from gristmill.evaluation.card.evidence import Evidence

_MADE: dict[str, Evidence] = {}


@pytest.fixture
def full(evaluated: Callable[[str], Any]) -> Callable[[str], Evidence]:
    """Return the function that gives evidence of a task that lacks nothing."""
    return lambda task: _MADE.setdefault(task, full_evidence(evaluated(task), task))


@pytest.fixture
def evidence(full: Callable[[str], Evidence]) -> Evidence:
    """Return evidence of a binary case that lacks nothing."""
    return full("binary")
