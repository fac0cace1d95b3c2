"""Features from a function of the user's own: row by row, the same source in training and in serving."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.features.conftest import contract_of, make_case

from gristmill.errors import ArtifactError, CaseFileError, DataError
from gristmill.features.builder import make_plan, source_columns
from gristmill.features.catalogue import catalogue
from gristmill.features.rows import RowFeatures

ADD = textwrap.dedent("""
    import pandas as pd

    def add(rows):
        made = rows.assign(rate=rows["total"] / rows["months"], letter=rows["code"].str[:1], even=rows["months"] % 2 == 0)
        return made[["rate", "letter", "even"]]
""")
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a module of the project one works in."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "pipeline.yaml").touch()
    monkeypatch.chdir(tmp_path)

    def write(text: str, path: str = "configs/my_features.py") -> None:
        (tmp_path / path).write_text(textwrap.dedent(text), encoding="utf-8")

    return write


@pytest.fixture
def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    codes = pd.Series([f"{'xyz'[row % 3]}{row}" for row in range(60)], dtype=object).where(np.arange(60) % 10 > 0)
    frame = pd.DataFrame({"total": random.gamma(2, 50, 60), "months": random.integers(1, 40, 60), "code": codes})
    return frame.assign(id=range(60), label=[0, 1] * 30)


def plan_of(table: pd.DataFrame, **features) -> dict:
    case = make_case(id_columns=["id"], features={"custom": "my_features:add", **features})
    return make_plan(table, case, contract_of(table, case))


def test_what_the_function_makes_are_features_like_others(write: Write, table: pd.DataFrame):
    write(ADD)
    plan = plan_of(table)
    made = RowFeatures(plan).fit_transform(table)
    assert made["rate"].tolist() == (table["total"] / table["months"]).tolist()
    assert set(made["letter"]) == {"x", "y", "z", "(missing)"}
    assert set(made["even"]) == {0.0, 1.0}
    assert source_columns(plan) == ["total", "months", "code"]


def test_the_catalogue_says_which_columns_move_a_custom_feature(write: Write, table: pd.DataFrame):
    write(ADD)
    plan = plan_of(table)
    pages = {page["name"]: page for page in catalogue(plan, RowFeatures(plan).fit_transform(table), table["label"])["features"]}
    assert pages["rate"]["source_columns"] == ["total", "months"]
    assert pages["letter"]["source_columns"] == ["code"]
    assert pages["rate"]["meaning"] == "made by my_features:add"


def test_the_function_never_sees_the_target_identifiers_or_what_is_excluded(write: Write, table: pd.DataFrame):
    write("""
        import pandas as pd

        def add(rows):
            return pd.DataFrame({"seen": rows["months"].map(lambda month: "-".join(rows.columns) + str(month % 2))})
    """)
    seen = RowFeatures(plan_of(table, exclude=["code"])).transform(table)["seen"]
    assert set(seen) == {"total-months0", "total-months1"}


@pytest.mark.parametrize(
    "expression",
    ["rows['total'] - rows['total'].mean()", "rows['months'].rank()", "rows['months'].duplicated()", "rows['total'].shift()"],
)
def test_a_feature_that_depends_on_other_rows_is_refused(write: Write, table: pd.DataFrame, expression: str):
    write(f"import pandas as pd\ndef add(rows):\n    return pd.DataFrame({{'bad': {expression}}})\n")
    with pytest.raises(DataError, match=r"custom feature 'bad' of 'my_features:add' depends on other rows"):
        plan_of(table)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("rows['nothing']", "fail on 60 rows with KeyError"),
        ("rows['total']", "Expected a DataFrame .* got Series"),
        ("rows[['total']]", "Expected new, uniquely named columns .* 'total'"),
        ("rows[['total']].head(3).rename(columns=str.upper)", "Expected one row a row"),
        ("rows.assign(label=1)[['label']]", "a column 'label', which the table has already"),
        ("rows.assign(d=pd.Timestamp('2020-01-01'))[['d']]", "Expected numbers, booleans or text in the column 'd'"),
    ],
)
def test_what_is_no_table_of_new_columns_is_refused_with_a_sentence(write: Write, table: pd.DataFrame, body: str, message: str):
    write(f"import pandas as pd\ndef add(rows):\n    return {body}\n")
    with pytest.raises(DataError, match=message):
        plan_of(table)


def test_a_module_or_function_that_is_not_there_is_named(write: Write, table: pd.DataFrame):
    with pytest.raises(CaseFileError, match=r"there is no my_features\.py in .*configs or "):
        plan_of(table)
    write("def other(rows): ...\n")
    with pytest.raises(CaseFileError, match="has no function 'add'"):
        plan_of(table)
    write("import nowhere_to_be_found\n")
    with pytest.raises(CaseFileError, match="fails with ModuleNotFoundError"):
        plan_of(table)


def test_another_version_is_refused_before_anything_of_it_is_run(write: Write, table: pd.DataFrame):
    write(ADD + "# first\n")
    rows = RowFeatures(plan_of(table))
    first = rows.transform(table)
    write("raise SystemExit('this was run')\n")
    pd.testing.assert_frame_equal(rows.transform(table), first)  # loaded already: a running server goes on
    other = RowFeatures({**rows.plan, "custom": {**rows.plan["custom"], "digest": "0" * 12}})
    with pytest.raises(ArtifactError, match="version 000000000000, but the module here is version"):
        other.require_custom()


def test_without_the_module_a_model_is_refused(write: Write, table: pd.DataFrame, tmp_path: Path):
    write(ADD + "# to be removed\n")
    plan = plan_of(table)
    (tmp_path / "configs" / "my_features.py").unlink()
    plan["custom"]["digest"] = "1" * 12  # as in another process, where nothing is loaded yet
    with pytest.raises(ArtifactError, match="which cannot be loaded here"):
        RowFeatures(plan).require_custom()


def test_an_edit_of_a_module_that_is_imported_is_another_version(write: Write, table: pd.DataFrame):
    write("import pandas as pd\nimport my_rates\ndef add(rows):\n    return pd.DataFrame({'r': rows['total'] ** my_rates.RATE})\n")
    write("RATE = 2\n", "configs/my_rates.py")
    plan = plan_of(table)
    write("RATE = 3\n", "configs/my_rates.py")
    again = plan_of(table)
    assert plan["custom"]["digest"] != again["custom"]["digest"]
    assert plan["version"] != again["version"]
    made = RowFeatures(again).transform(table)
    assert made["r"].tolist() == (table["total"] ** 3).tolist()
