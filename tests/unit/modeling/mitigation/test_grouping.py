import json

import numpy as np
import pandas as pd
import pytest

from gristmill.metrics.groups import as_groups
from gristmill.modeling.mitigation.grouping import Grouping, learn_grouping, learn_groups

RANDOM = np.random.default_rng(0)
COLUMNS = {
    "levels": pd.Series(RANDOM.choice(["f", "m", None], 300)),
    "flags": pd.Series(RANDOM.choice([True, False], 300)),
    "few numbers": pd.Series(RANDOM.integers(0, 4, 300)),
    "numbers": pd.Series(np.where(RANDOM.random(300) < 0.1, np.nan, RANDOM.normal(40, 12, 300).round(1))),
    "mostly zero": pd.Series(np.where(RANDOM.random(300) < 0.6, 0, RANDOM.integers(0, 50, 300))),
    "dates": pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(RANDOM.integers(0, 900, 300), "D")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_groups_learnt_are_those_of_the_audit_row_by_row(name: str):
    values = COLUMNS[name].rename(name)
    learnt, expected = learn_groups(values), as_groups(values)
    assert learnt.of(values).tolist() == expected.tolist()
    assert [learnt.of(values.iloc[[row]]).iloc[0] for row in range(30)] == expected.tolist()[:30]


def test_numbers_outside_the_training_rows_belong_to_the_ends():
    learnt = learn_groups(COLUMNS["numbers"].rename("age"))
    ends = learnt.of(pd.Series([-1e9, 1e9, np.nan])).tolist()
    assert ends == [learnt.names[0], learnt.names[-1], "missing"]


def test_groups_survive_being_written_down():
    frame = pd.DataFrame({"sex": COLUMNS["levels"], "age": COLUMNS["numbers"]})
    grouping = learn_grouping(frame, ["sex", "age"])
    again = Grouping.from_record(json.loads(json.dumps(grouping.as_record())))
    assert again.of(frame).tolist() == grouping.of(frame).tolist()
    assert len(set(again.of(frame))) == 15
