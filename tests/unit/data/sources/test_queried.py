"""Queries of tables that are no database (R4)."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.data.sources.opening import open_case_source, open_source, open_test_source
from gristmill.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pd.DataFrame({"day": ["b", "a", "c"], "delay": [40, 5, 31]}).to_csv(tmp_path / "one.csv", index=False)
    pd.DataFrame({"day": ["z"], "delay": [90]}).to_csv(tmp_path / "two.csv", index=False)
    return tmp_path


def read(folder: Path, uri: str, query: str, **options: Any) -> pd.DataFrame:
    return open_source(uri, options, folder, query).read()


def refusal(folder: Path, uri: str, query: str, **options: Any) -> str:
    with pytest.raises(SourceError) as caught:
        read(folder, uri, query, **options)
    return str(caught.value)


def test_a_query_makes_a_column_and_keeps_the_order_of_the_rows(folder):
    frame = read(folder, "one.csv", "SELECT *, delay > 30 AS late FROM source")
    assert frame["day"].tolist() == ["b", "a", "c"]
    assert frame["late"].tolist() == [True, False, True]


def test_a_query_is_asked_of_all_files_of_a_pattern_together(folder):
    assert read(folder, "*.csv", "SELECT sum(delay) AS all_delays FROM source")["all_delays"].tolist() == [166]


def test_a_demo_table_can_be_asked_too(folder):
    frame = read(folder, "sklearn://iris", "SELECT target, count(*) AS n FROM source GROUP BY ALL ORDER BY ALL")
    assert frame["n"].tolist() == [50, 50, 50]


def test_parameters_are_bound_and_other_options_are_those_of_the_file(folder):
    (folder / "odd.csv").write_text("a|b\n1|x\n2|y\n")
    frame = read(folder, "odd.csv", "SELECT b FROM source WHERE a >= :least", delimiter="|", params={"least": 2})
    assert frame["b"].tolist() == ["y"]
    assert "takes no option 'delimitr'" in refusal(folder, "odd.csv", "SELECT 1", delimitr="|")
    assert "gives 'least'" in refusal(folder, "odd.csv", "SELECT 1", params={"least": 2})
    assert "names with values" in refusal(folder, "odd.csv", "SELECT 1", params=2)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT * FROM sorce", "Table with name sorce does not exist"),
        ("SELECT nosuch FROM source", "nosuch"),
        ("SELEC 1", "syntax error"),
        ("DELETE FROM source", "read-only"),
        ("COPY source TO 'stolen.csv'", "disabled"),
        ("SELECT * FROM read_csv('two.csv')", "disabled"),
    ],
)
def test_what_a_query_may_not_do_is_a_sentence_that_names_the_table(folder, query, said):
    message = refusal(folder, str(folder / "one.csv"), query)
    assert said in message
    assert f"`source.query` of {folder / 'one.csv'}" in message
    assert not (folder / "stolen.csv").exists()


def test_no_rows_are_refused(folder):
    assert "has no rows" in refusal(folder, "one.csv", "SELECT * FROM source WHERE delay > 1000")


def test_the_version_moves_with_the_file_and_with_the_query(folder):
    def version(query: str) -> str:
        return open_source("one.csv", None, folder, query).version()

    first = version("SELECT day FROM source")
    assert version("SELECT delay FROM source") != first
    (folder / "one.csv").write_text("day,delay\na,1\n")
    assert version("SELECT day FROM source") != first


def test_the_test_table_of_a_file_is_asked_the_same(folder):
    source = {"uri": "one.csv", "query": "SELECT *, delay > :limit AS late FROM source", "options": {"params": {"limit": 30}}}
    case = Case.model_validate(
        {
            "name": "small",
            "task": "binary",
            "source": source,
            "target": "late",
            "positive_class": "True",
            "split": {"test_source": "two.csv"},
        }
    )
    test = open_test_source(case, folder)
    assert test is not None
    assert test.read()["late"].tolist() == [True]
    assert open_case_source(case, folder).read()["late"].sum() == 2


def test_a_watermark_is_still_for_databases(folder):
    with pytest.raises(SourceError, match=r"`source\.watermark` has no meaning"):
        open_source("one.csv", None, folder, watermark="day")
