"""Columns that may be known only afterwards are suggested for ``validation.known_later``, each with the sign that tells it (R2)."""

import re

import numpy as np
import pandas as pd
import pytest
from tests.frames import FrameSource

from gristmill.config.loading import parse_case
from gristmill.data.setup.afterwards import _by_name, _planned_twin
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.inference import case_text, infer_case
from gristmill.data.setup.table import spooled


def text_for(frame: pd.DataFrame) -> str:
    with spooled(FrameSource(frame, "rows.csv")) as table:
        return case_text(infer_case(table, "small", {"uri": "rows.csv"}, Answers(target="y")))


def reasons(text: str) -> dict[str, str]:
    """Return the reason beside each column that is suggested, after a look that the list names the same."""
    (listed,) = re.findall(r"\n  # known_later: \[(.*)\]", text) or [""]
    found = dict(re.findall(r"\n  # '(\w+)' ((?:is|has).*)", text))
    assert list(found) == ([name.strip() for name in listed.split(",")] if listed else [])
    return found


@pytest.fixture
def trips() -> pd.DataFrame:
    """Return trips, some of which did not take place: those have no outcome, and nothing that was measured on the way."""
    random = np.random.default_rng(3)
    n_rows = 600
    planned = random.integers(6, 22, n_rows) * 100 + random.integers(0, 60, n_rows)
    late = random.integers(0, 40, n_rows)
    minutes = planned // 100 * 60 + planned % 100 + late
    frame = pd.DataFrame(
        {
            "sched_out": planned, "out": minutes // 60 * 100 + minutes % 60, "behind": late,
            "kilometres": random.normal(300, 50, n_rows), "speed": random.normal(80, 5, n_rows),
            "wind": random.normal(5, 2, n_rows), "transit_time": random.normal(200, 30, n_rows),
            "y": late + random.normal(0, 15, n_rows),
        }
    )  # fmt: skip
    frame.loc[:49, ["y", "speed"]] = None
    frame.loc[:9, "wind"] = None
    return frame


def test_what_is_missing_where_the_target_is_is_suggested_with_the_counts(trips):
    assert reasons(text_for(trips))["speed"] == "is missing in 50 of 50 rows without a target, and in 0 of 550 with one"


def test_a_column_with_gaps_of_its_own_is_not(trips):
    trips.loc[100:400, "speed"] = None
    assert not {"speed", "wind"} & set(reasons(text_for(trips)))


def test_what_became_of_a_plan_and_how_far_it_is_from_it_are_suggested_and_the_plan_is_not(trips):
    found = reasons(text_for(trips.dropna()))
    assert found == {
        "out": "is, by its name, what became of 'sched_out'",
        "behind": "is the time from 'sched_out' to 'out'",
        "transit_time": "has the name of something that is measured afterwards",
    }


def test_a_suggestion_changes_nothing_until_it_is_uncommented(trips):
    text = text_for(trips)
    assert parse_case(text, "configs/small.yaml").validation.known_later == ()
    said = text.replace("# validation:", "validation:").replace("# known_later:", "known_later:")
    assert set(parse_case(said, "configs/small.yaml").validation.known_later) == {"out", "behind", "speed", "transit_time"}


def test_a_table_without_a_sign_has_no_suggestion(trips):
    assert "known_later" not in text_for(trips[["kilometres", "wind", "y"]].dropna())


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("dep_time", "sched_dep_time"),
        ("cost", "Planned cost"),
        ("arrival", "expected-arrival"),
        ("sched_dep_time", None),
        ("a", None),
    ],
)
def test_a_plan_is_told_by_its_name(name, plan):
    assert _planned_twin(name, ["sched_dep_time", "Planned cost", "expected-arrival", "planet", "plan", "a", name]) == plan


@pytest.mark.parametrize("name", ["dep_delay", "call duration", "cancelled", "air_time", "actual.cost"])
def test_names_of_what_is_measured_afterwards(name):
    assert _by_name(name)
    assert _by_name(f"expected_{name}") is None


@pytest.mark.parametrize("name", ["distance", "time", "delayer", "actuality", "flight", "time_hour"])
def test_other_names(name):
    assert _by_name(name) is None
