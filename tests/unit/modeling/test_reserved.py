"""What was kept back of the budget goes to the family where more search helps most, once."""

from pathlib import Path

import pytest
from tests.unit.modeling.conftest import make_case

from gristmill.modeling.reserved import neediest, spend
from gristmill.modeling.search.tuning import train_family
from gristmill.modeling.training_rows import TrainingRows


def product(score: float | None, *, exhausted: bool = False) -> dict:
    return {"best": None if score is None else {"score": score}, "plan": {"exhausted": exhausted}, "trials": []}


@pytest.mark.parametrize(("metric", "family"), [("roc_auc", "forest"), ("log_loss", "linear")])
def test_the_best_family_that_ran_out_of_time_gets_it(metric: str, family: str):
    searches = {"linear": product(0.7), "forest": product(0.8), "boosting": product(None)}
    assert neediest(searches, metric) == family


def test_a_search_that_had_given_up_gets_nothing():
    assert neediest({"linear": product(0.7), "forest": product(0.8, exhausted=True)}, "roc_auc") == "linear"
    assert neediest({"forest": product(0.8, exhausted=True)}, "roc_auc") is None


def test_the_search_goes_on_where_it_was_and_only_once(binary_rows: TrainingRows, tmp_path: Path):
    case = make_case(training={"budget_seconds": 12, "families": ["linear", "forest"]})
    short = make_case(training={"budget_seconds": 1, "families": ["linear", "forest"]})
    first = train_family("linear", binary_rows, short, folder=tmp_path / "linear")
    searches = {"linear": first.as_product("run")}
    once = spend(case, binary_rows, searches, tmp_path.joinpath)
    found = once.searches["linear"]
    assert len(found["trials"]) > len(first.trials)
    assert found["trials"][: len(first.trials)] == searches["linear"]["trials"]
    assert (found["mlflow_run_id"], once.n_before) == ("run", {"linear": len(first.trials)})
    assert found["best"]["score"] >= first.best.score
    assert once.tables["linear"].shape == (120, 3 + 2 * len(found["runners_up"]))
    assert "spent on linear" in once.sentence


def test_trials_that_are_no_longer_kept_are_not_replaced_by_worse(binary_rows: TrainingRows, tmp_path: Path):
    case = make_case(training={"budget_seconds": 1, "families": ["linear", "forest"]})
    searches = {"linear": product(0.9999) | {"trials": [{}] * 500, "best": {"score": 0.9999}}}
    assert spend(case, binary_rows, searches, tmp_path.joinpath).searches == {}


def test_counted_trials_leave_nothing_to_spend(binary_rows: TrainingRows, tmp_path: Path):
    case = make_case(training={"trials": 1})
    assert spend(case, binary_rows, {"linear": product(0.7)}, tmp_path.joinpath).searches == {}
    assert not list(tmp_path.iterdir())
