"""What is out of the ordinary in a table is said, with what is done about it."""

import numpy as np
import pandas as pd
from tests.unit.features.conftest import contract_of, make_case

from gristmill.features.builder import make_plan
from gristmill.features.remarks import remarks


def said(frame: pd.DataFrame, **features) -> str:
    case = make_case(features=features)
    return "\n".join(remarks(make_plan(frame, case, contract_of(frame, case)), frame["label"]))


def test_few_rows_many_levels_and_columns_without_a_message_are_named(nasty: pd.DataFrame):
    text = said(nasty.assign(twin=nasty["whole"]), max_levels=10)
    assert "**Few rows** (60)" in text
    assert "**Many features**" in text
    assert "**Many levels** in `many`" in text
    assert "`constant`" in text
    assert "`twin`" in text
    assert "A level never seen" in text
    assert "rare class" not in text


def test_a_rare_class_and_what_is_done_about_it_is_said():
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=1000), "label": [1] * 30 + [0] * 970})
    assert "(`1`, 3.0% of the rows)" in said(frame)
    assert "no row is made up" in said(frame)
    assert "rows between its neighbours are made up" in said(frame, augmentation="smote")
    assert "Few rows" not in said(frame)


def test_an_ordinary_table_gets_no_remark():
    random = np.random.default_rng(0)
    assert said(pd.DataFrame({"x": random.normal(size=1000), "z": random.normal(size=1000), "label": [0, 1] * 500})) == ""
