"""Builds of one case, and what each does to the champion: the first, one that is really worse, an unfair one; then a forgery.

One that is worse by noise only, and forgeries on their way into the registry, stand in tests/unit/registry.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.conftest import copy_project, write_case
from tests.pipeline.conftest import command, run

from gristmill.data.products import read_json

pytestmark = pytest.mark.slow

CASE = """
name: loans
task: binary
source: loans.csv
target: repaid
positive_class: Yes
id_columns: [loan]
sensitive_features: [region]
training: {families: [linear], trials: 1}
evaluation: {resamples: 200, explained_rows: 40}
"""

N_ROWS = 4000


def loans(*, biased: bool) -> pd.DataFrame:
    """Return loans whose repayment two columns tell, the same in both regions; or is not written down for half of the south."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"loan": np.arange(N_ROWS), "income": rng.normal(size=N_ROWS), "debt": rng.normal(size=N_ROWS)})
    table["age"] = rng.uniform(20, 70, N_ROWS).round()
    table["region"] = rng.choice(["north", "south"], N_ROWS)
    repaid = 2 * table["income"] - 2 * table["debt"] + rng.logistic(size=N_ROWS) > 0
    unwritten = (table["region"] == "south") & (rng.random(N_ROWS) < 0.5)
    table["repaid"] = np.where(repaid & ~(unwritten & biased), "Yes", "No")
    return table


def gate(root: Path, name: str) -> dict:
    return next(one for one in read_json(root / "artifacts" / "loans" / "registration.json")["gates"] if one["name"] == name)


def champion(root: Path) -> str:
    return command(root, "history", "loans").splitlines()[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project whose first build made version 1 champion."""
    root = copy_project(tmp_path_factory.mktemp("loans") / "project")
    loans(biased=False).to_csv(root / "loans.csv", index=False)
    write_case(root, CASE, "loans")
    run(root, "ploomber", "build", "--env--case", "loans")
    assert "version 1" in champion(root)
    return root


def test_a_model_that_is_really_worse_is_refused_and_the_champion_stays(root: Path) -> None:
    write_case(root, f"{CASE}features: {{selection: importance, max_features: 1}}\n", "loans")
    before = champion(root)
    run(root, "ploomber", "build", "--env--case", "loans")
    said = run(root, "gristmill", "gates", "loans", code=3)
    found = gate(root, "not_worse_than_champion")
    assert not found["passed"]
    assert "Worse than the champion" in found["message"]
    assert "Worse than the champion" in said
    assert champion(root) == before


def test_a_model_that_learnt_from_unfair_labels_is_refused_with_the_groups_and_the_number(root: Path) -> None:
    write_case(root, CASE, "loans")
    loans(biased=True).to_csv(root / "loans.csv", index=False)
    before = champion(root)
    run(root, "ploomber", "build", "--env--case", "loans")
    said = command(root, "gates", "loans", code=3)
    found = gate(root, "disparate_impact")
    assert not found["passed"]
    assert found["value"] < 0.8
    assert "of 'region', between 'south' and 'north': 0." in found["message"]
    assert "'south'" in said
    assert champion(root) == before


def test_a_tampered_artifact_is_not_loaded_from_anywhere(root: Path, tmp_path: Path) -> None:
    command(root, "score", "loans.csv", str(tmp_path / "scored.csv"), "--model", "loans@champion")
    before = champion(root)
    registered = list((root / "mlruns").rglob("model.json"))
    assert len(registered) == 3
    for forged in (root / "artifacts" / "loans" / "candidate" / "model.json", *registered):
        record = json.loads(forged.read_text(encoding="utf-8"))
        forged.write_text(json.dumps({**record, "threshold": 0.0}), encoding="utf-8")
    for model in ("artifacts/loans/candidate", "loans@champion"):
        said = command(root, "score", "loans.csv", str(tmp_path / "no.csv"), "--model", model, code=2)
        assert "model.json" in said
        assert not (tmp_path / "no.csv").exists()
    assert champion(root) == before
