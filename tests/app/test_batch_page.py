"""The page of whole tables, run in this process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tests.models import customers

pytestmark = pytest.mark.slow

Pages = Callable[..., AppTest]


def test_a_table_is_scored_and_its_bad_row_named(pages: Pages, project_of_app: Path):
    at = pages(project_of_app, "batch")
    assert "Nothing is scored yet" in at.info[0].value
    assert "up to 200 MB" in at.file_uploader[0].label
    table = customers(8).astype({"tenure": object}).assign(customer=["=1+1", *"1234567"])
    table.loc[5, "tenure"] = "long"
    at.file_uploader[0].upload("people.csv", table.to_csv(index=False).encode(), "text/csv")
    at.checkbox[0].check()
    at.button[0].click().run()
    assert not at.exception
    assert "7 of 8 rows of people.csv have a prediction" in at.warning[0].value.replace("\\", "")
    shown = at.dataframe[0].value
    assert shown["customer"].iloc[0] == "'=1+1"
    assert shown["prediction"].tolist()[5] == ""
    assert set(shown.columns) == {"customer", "prediction", "probability", "prediction_set"}
    (bad,) = at.table[0].value.to_dict("records")
    assert (bad["row"], bad["line"], bad["column"]) == ("6", "7", "tenure")


def test_a_table_without_a_column_and_no_table_at_all_are_sentences(pages: Pages, project_of_app: Path):
    at = pages(project_of_app, "batch")
    at.button[0].click().run()
    assert at.warning[0].value == "Choose a table first."
    at.file_uploader[0].upload("people.csv", b"customer,charge\n1,2\n", "text/csv")
    at.button[0].click().run()
    assert at.error[0].value.replace("\\", "").startswith("people.csv lacks 'tenure', 'plan'")
    assert not at.exception
