"""Conditions on columns: which rows they hold for, and what is refused (R28)."""

import numpy as np
import pandas as pd
import pytest

from gristmill.data.contract.conditions import in_words, members, read_where
from gristmill.errors import DataError

FRAME = pd.DataFrame(
    {
        "age": [18.0, 30.0, np.nan, 65.0],
        "plan": ["basic", None, "gold", "basic"],
        "member": [True, False, True, True],
        "since": pd.to_datetime(["2020-01-01", "2021-06-30", None, "2023-12-31"]),
        "note": ["a b c", "d", None, "e"],
    }
)


def column(name, kind, **more):
    return {"name": name, "kind": kind, "levels": None, "minimum": None, "maximum": None, "dtype": "float64", **more}


CONTRACT = {
    "target": "churn", "task": "binary", "classes": ["No", "Yes"],
    "columns": [
        column("age", "numeric", minimum=18.0, maximum=65.0), column("plan", "categorical", levels=["basic", "gold"]),
        column("member", "boolean"), column("since", "date", minimum="2020-01-01", maximum="2023-12-31"),
        column("note", "text"), column("churn", "categorical"),
    ],
}  # fmt: skip


def held(where):
    return np.flatnonzero(members(FRAME, read_where(where, CONTRACT, "here"))).tolist()


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"age": "at least 30"}, [1, 3]), ({"age": ">= 30"}, [1, 3]), ({"age": "above 30"}, [3]), ({"age": "below 30"}, [0]),
        ({"age": "at most 30"}, [0, 1]), ({"age": "18 to 30"}, [0, 1]), ({"age": 65}, [3]), ({"age": (18, 65)}, [0, 3]),
        ({"age": "missing"}, [2]), ({"plan": "basic"}, [0, 3]), ({"plan": ("basic", "gold")}, [0, 2, 3]),
        ({"plan": "missing"}, [1]), ({"member": True}, [0, 2, 3]), ({"member": "no"}, [1]),
        ({"since": "at least 2021-06-30"}, [1, 3]), ({"since": "2020-01-01 to 2020-12-31"}, [0]), ({"since": "2023-12-31"}, [3]),
        ({"age": "above 20", "plan": "basic"}, [3]),
    ],
)  # fmt: skip
def test_a_condition_holds_for_the_rows_it_says(where, rows):
    assert held(where) == rows


def test_conditions_read_as_a_person_would_write_them():
    where = {"age": "at most 30", "plan": ("basic", "gold"), "since": "missing"}
    assert in_words(read_where(where, CONTRACT, "here")) == "age ≤ 30 and plan is one of basic, gold and since is missing"
    assert in_words(()) == "all rows"


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"agee": 1}, "`here` of the case file names the column 'agee', which the table does not have; did you mean 'age'?"),
        ({"churn": "Yes"}, "names the target 'churn'"),
        ({"plan": "gould"}, "the column 'plan' never holds 'gould'; did you mean 'gold'?"),
        ({"plan": "at least 3"}, "never holds 'at least 3'"),
        ({"age": "old"}, "expected a number, `at least 5`"),
        ({"age": True}, "expected a number, `at least 5`"),
        ({"age": "30 to 20"}, "holds no value; write the smaller one first"),
        ({"since": "at least soon"}, "expected a date such as 2024-01-31"),
        ({"member": "perhaps"}, "expected `true` or `false` of 'member', got 'perhaps'"),
        ({"note": "d"}, "holds free text, of which only `missing` can be asked"),
        ({"age": ()}, "an empty list"),
    ],
)
def test_a_condition_that_no_row_could_fulfil_is_refused_in_words(where, message):
    with pytest.raises(DataError) as error:
        read_where(where, CONTRACT, "here")
    assert message in str(error.value)
