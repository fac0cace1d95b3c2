"""What a build says to wrong input: one sentence, exit code 2, and nothing half-made left behind."""

from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import write_case
from tests.pipeline.conftest import command, run
from tests.pipeline.toy import DAGSpec

CASE = "name: small\ntask: binary\nsource: table.csv\ntarget: left\npositive_class: Yes\n"


def table(rows: int = 80) -> pd.DataFrame:
    return pd.DataFrame(
        {"age": range(20, 20 + rows), "city": ["Bern", "Oslo"] * (rows // 2), "left": ["Yes", "No", "No", "Yes"] * (rows // 4)}
    )


def refusal(root: Path, *arguments: str) -> str:
    """Return what is said by the build, or by `gristmill` with arguments, which may not accept them."""
    output = command(root, *arguments, code=2) if arguments else run(root, "ploomber", "build", "--env--case", "small", code=2)
    assert "Traceback" not in output
    return output


def refusal_to_load(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what is said where Ploomber loads the pipeline, which it may not do; in this process."""
    with pytest.raises(SystemExit) as stopped:
        DAGSpec(str(root / "pipeline.yaml"), env={"case": "small"}).to_dag()
    assert stopped.value.code == 2
    return capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")  # Ploomber's own
def test_a_wrong_key_stops_the_build_before_anything_is_made(project: Path, capsys: pytest.CaptureFixture[str]):
    write_case(project, CASE + "traning: {trials: 1}\n")
    assert "unknown key `traning`; did you mean 'training'?" in refusal_to_load(project, capsys)
    assert not (project / "artifacts").exists()


@pytest.mark.filterwarnings("ignore")  # Ploomber's own
def test_a_case_that_does_not_exist_stops_the_build(project: Path, capsys: pytest.CaptureFixture[str]):
    assert "configs/small.yaml, but there is none" in refusal_to_load(project, capsys)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (table().rename(columns={"left": "gone"}), "'left'"),
        pytest.param(table().iloc[:0], "table.csv", marks=pytest.mark.slow),
        pytest.param(table().assign(left="Yes"), "at least two classes", marks=pytest.mark.slow),
        pytest.param(table().assign(left=None), "'left'", marks=pytest.mark.slow),
        pytest.param(table(8), "rows", marks=pytest.mark.slow),
    ],
    ids=["missing target column", "empty table", "one class", "no target value", "too few rows"],
)
def test_a_table_that_cannot_be_used_stops_the_build_with_a_sentence(project: Path, rows: pd.DataFrame, sentence: str):
    rows.to_csv(project / "table.csv", index=False)
    write_case(project, CASE)
    message = refusal(project)
    assert sentence in message
    leftovers = [
        path.name
        for path in (project / "artifacts").rglob("*")
        if path.is_file() and path.name not in {"snapshot.json", ".snapshot.json.metadata"}
    ]
    assert not leftovers, leftovers


@pytest.mark.slow
def test_behaviour_on_a_column_that_the_table_lacks_stops_the_build_before_anything_is_trained(project: Path):
    table().assign(age=lambda frame: frame["age"] // 3).to_csv(project / "table.csv", index=False)
    write_case(project, CASE + "behaviour: {tests: {older: {change: {agee: up}, expect: not up}}}\n")
    message = refusal(project)
    assert "`behaviour.tests.older.change` of the case file names the column 'agee'" in message
    assert "did you mean 'age'?" in message
    assert not (project / "artifacts/small/features.parquet").exists()
    assert "`behaviour.tests.older.change`" in refusal(project)  # once more: nothing has made it pass


@pytest.mark.slow
def test_a_column_that_copies_the_target_stops_the_build_and_is_named(project: Path):
    rows = table().assign(status=lambda frame: frame["left"].map({"Yes": "closed", "No": "open"}))
    rows.to_csv(project / "table.csv", index=False)
    write_case(project, CASE)
    message = refusal(project)
    assert "'status'" in message
    assert "allow_proxies" in message


@pytest.mark.parametrize("name", ["check", "gates"])
def test_the_commands_refuse_a_wrong_case_too(project: Path, name: str):
    assert "gristmill: " in refusal(project, name, "small")


def test_init_names_the_nearest_column(project: Path):
    table().to_csv(project / "table.csv", index=False)
    assert "'left'" in refusal(project, "init", "table.csv", "--target", "lfet")
    assert not list((project / "configs").iterdir())


def test_scoring_with_a_model_that_does_not_exist_is_a_sentence(project: Path):
    table().to_csv(project / "table.csv", index=False)
    assert "nosuch" in refusal(project, "score", "table.csv", "out.csv", "--model", "nosuch@champion")
    assert not (project / "out.csv").exists()
