"""A synthetic table is the same for the same seed, and has the faults it is said to have, in the stated amount."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from tests.unit.data.conftest import keyed
from typer.testing import CliRunner

from gristmill import cli
from gristmill.config.loading import load_case
from gristmill.data.contract import schema
from gristmill.data.leakage import detection
from gristmill.data.samples import sampling
from gristmill.data.samples.sample_files import sentences, write_sample
from gristmill.data.samples.sampling import BLOCK, Best, Recipe, batches
from gristmill.data.samples.sampling_truth import USAGE_SPREAD
from gristmill.data.setup.preview import preview
from gristmill.errors import LeakageError, SourceError
from gristmill.paths import case_paths

TASKS = ("binary", "multiclass", "regression")
each_task = pytest.mark.parametrize("task", TASKS)
FAULTY = {"drift": 0.5, "missing": 0.1, "leakage": True, "bias": 0.3}


def table(best: Best | None = None, chunk_rows: int = BLOCK, **wanted) -> pd.DataFrame:
    return pa.Table.from_batches(batches(Recipe(**wanted), chunk_rows, best)).to_pandas()


@each_task
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, task: str, suffix: str):
    files = [tmp_path / f"{name}.{suffix}" for name in "abc"]
    for file, seed in zip(files, (1, 1, 2), strict=True):
        write_sample(file, Recipe(task, 500, seed=seed, **FAULTY))
    first, same, other = (file.read_bytes() for file in files)
    assert first == same
    assert first != other


@settings(max_examples=5, deadline=None)
@given(chunk_rows=st.integers(1_000, 200_000))
def test_the_rows_do_not_depend_on_how_they_are_cut(chunk_rows: int):
    wanted = {"rows": BLOCK + 2_345, **FAULTY}
    pd.testing.assert_frame_equal(table(chunk_rows=chunk_rows, **wanted), table(**wanted))


def test_fewer_rows_are_the_first_of_more():
    pd.testing.assert_frame_equal(table(rows=300, **FAULTY), table(rows=900, **FAULTY).head(300))


def test_drift_moves_the_named_column_by_the_stated_amount_and_no_other_feature():
    plain, moved = table(rows=5_000), table(rows=5_000, drift=0.5)
    ratio = np.log(moved["usage_hours"]) - np.log(plain["usage_hours"])
    assert ratio.mean() == pytest.approx(0.5 * USAGE_SPREAD, abs=1e-3)
    assert np.log(plain["usage_hours"]).std() == pytest.approx(USAGE_SPREAD, rel=0.03)
    pd.testing.assert_frame_equal(*(frame.drop(columns=["usage_hours", "churned"]) for frame in (plain, moved)))


def test_cells_go_missing_at_the_stated_rate_and_nothing_else_changes():
    plain, gaps = table(rows=20_000), table(rows=20_000, missing=0.2)
    shares = gaps.isna().mean()
    assert shares[list(sampling.GAPPY)].to_numpy() == pytest.approx(0.2, abs=0.01)
    assert shares.drop(list(sampling.GAPPY)).sum() == 0
    pd.testing.assert_series_equal(plain["churned"], gaps["churned"])


def test_bias_lowers_the_rate_of_one_group_by_the_stated_share():
    fair, biased = table(rows=20_000), table(rows=20_000, bias=0.4)
    rates = [frame["churned"].eq("yes").groupby(frame["gender"]).mean() for frame in (fair, biased)]
    assert rates[1]["female"] / rates[0]["female"] == pytest.approx(0.6, abs=0.02)
    assert rates[1]["male"] == rates[0]["male"]


def test_bias_lowers_the_numbers_of_one_group():
    kind = {"rows": 1_000, "task": "regression"}
    less = table(**kind)["revenue_next_year"] - table(bias=0.5, **kind)["revenue_next_year"]
    assert less.groupby(table(**kind)["gender"]).mean().round(6).to_dict() == {"female": 30.0, "male": 0.0, "other": 0.0}


@each_task
def test_the_leaking_column_is_found_and_without_it_nothing_is(task: str, make_case):
    keys = {"task": task, "target": sampling.TARGETS[task], "id_columns": ["customer_id"]}
    case = make_case(**keys, **({"positive_class": "yes"} if task == "binary" else {}))
    for leaks, broken in ((True, {"closing_balance"}), (False, set())):
        frame = keyed(table(rows=3_000, task=task, leakage=leaks).astype({"signup_date": "datetime64[us]"}), case)
        checks = detection.columns(frame, case, schema.infer(frame, case))
        assert {check.column for check in checks if not check.passed and check.severity == "stop"} == broken


def test_the_best_score_is_that_of_the_true_probabilities():
    best = Best("binary")
    list(batches(Recipe(rows=50_000), best=best))
    _, truth = sampling._block(Recipe(rows=50_000), 0, 50_000)
    assert best.score == pytest.approx(roc_auc_score(truth.outcome, truth.expected[:, 1]), abs=0.01)


@pytest.mark.parametrize(("task", "score"), [("multiclass", accuracy_score), ("regression", r2_score)])
def test_the_best_score_of_other_tasks_is_that_of_the_truth(task, score):
    best, recipe = Best(task), Recipe(task, 50_000, bias=0.3)
    list(batches(recipe, best=best))
    _, truth = sampling._block(recipe, 0, 50_000)
    guess = truth.expected[:, 0] if task == "regression" else truth.expected.argmax(axis=1)
    assert best.score == pytest.approx(score(truth.outcome, guess), abs=0.01)


def test_columns_are_counted_in_all():
    assert table(rows=10, columns=30, leakage=True).shape == (10, 30)
    assert table(rows=10).shape == (10, 14)


def test_every_fault_is_stated():
    said = "\n".join(sentences(Recipe(rows=10, **FAULTY), Best("binary", 1, positives=np.ones(10_000), negatives=np.ones(10_000))))
    assert "multiplied by 1.492" in said
    assert "10.0% of the cells of usage_hours, region, days_since_login" in said
    assert "closing_balance is the target" in said
    assert "30.0% of the rows of gender 'female' with churned 'yes' are recorded as 'no'" in said


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": "ranking"}, "Expected --task binary, multiclass, regression, got 'ranking'"),
        ({"rows": 0}, "Expected --rows from 1 to"),
        ({"columns": 5}, "Expected --columns from 14 to 10,000, got 5"),
        ({"missing": 1.5}, "Expected --missing from 0 to 0.9"),
        ({"drift": float("nan")}, "Expected --drift from -5 to 5, got nan"),
        ({"seed": -1}, "Expected --seed from 0"),
    ],
)
def test_what_cannot_be_made_is_refused(wrong, said):
    with pytest.raises(SourceError, match=said):
        replace(Recipe(), **wrong)


def test_a_file_is_not_overwritten_nor_of_an_unknown_kind(tmp_path: Path):
    (tmp_path / "here.csv").touch()
    with pytest.raises(SourceError, match="exists already"):
        write_sample(tmp_path / "here.csv", Recipe())
    with pytest.raises(SourceError, match=r"ends in \.csv or \.parquet"):
        write_sample(tmp_path / "here.xls", Recipe())


@pytest.mark.parametrize(("task", "suffix"), [("binary", "csv"), ("multiclass", "parquet"), ("regression", "csv")])
def test_a_case_can_be_made_of_it_at_once(project: Path, task: str, suffix: str):
    for arguments in (
        ["sample", f"people.{suffix}", "--task", task, "--rows", "600", "--missing", "0.05", "--bias", "0.2"],
        ["init", f"people.{suffix}", "--target", sampling.TARGETS[task]],
    ):
        answer = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
    case = load_case("people", project)
    assert (case.task, case.id_columns, case.sensitive_features) == (task, ("customer_id",), ("age", "gender"))
    assert "Build it" in preview(case_paths("people"))


def test_a_leaking_table_stops_a_check_unless_the_column_is_excluded(project: Path):
    write_sample(project / "people.csv", Recipe(rows=600, leakage=True))
    CliRunner().invoke(cli.app, ["init", "people.csv", "--target", "churned"], catch_exceptions=False)
    written = case_paths("people").case_file
    assert "exclude: [closing_balance]" in written.read_text()
    written.write_text(written.read_text().replace("exclude: [closing_balance]", "exclude: []"))
    with pytest.raises(LeakageError, match="closing_balance"):
        preview(case_paths("people"))


PEAK = """
import resource, sys
from pathlib import Path
from gristmill.data.samples.sample_files import write_sample
from gristmill.data.samples.sampling import Recipe
write_sample(Path(sys.argv[1]), Recipe(rows=int(sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1024 * 1024))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path):
    peaks = []
    for rows in (2 * BLOCK, 1_000_000):
        command = [sys.executable, "-c", PEAK, str(tmp_path / f"{rows}.csv"), str(rows)]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < peaks[0] + 100, peaks
