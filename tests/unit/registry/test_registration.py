"""From a judged candidate to a version and its alias (R33), against a real registry."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.models import case_of, customers
from tests.releasing import Crash, add_version, stop

from gristmill import tracking
from gristmill.data.products import read_rows, write_json, write_rows
from gristmill.errors import ArtifactError, GateError
from gristmill.evaluation.predictions import scored_rows
from gristmill.metrics.noninferiority import NOT_WORSE, judge
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.modeling.artifact.model_directory import verify, write_manifest
from gristmill.paths import ProjectPaths
from gristmill.registry import comparison, comparison_words, inspection, promotion, registration, releases, versions
from gristmill.registry.evidence import Upstream, gather
from gristmill.registry.gates import Gate, at_least, not_measured
from gristmill.serving.predictor import Predictor

Build = Callable[..., Upstream]
CARDS = {"card.md": b"# Model card\n\n> **May be used.**\n>\n> - Good.\n\n## Gates\n", "card.html": b"<p>Card"}
PASSED = [at_least("improvement_over_baseline", "training", 0.5, 0.1, "Share"), not_measured("throughput", "deployment", "Later.")]
FAILED = [*PASSED, at_least("disparate_impact", "deployment", 0.4, 0.8, "Ratio")]


@pytest.fixture
def in_a_build(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv(tracking.BUILD_ID, f"build-{request.node.name}")


def registered(
    upstream: Upstream, tracked: ProjectPaths, name: str, gates: list[Gate], task: str = "binary", more: str = ""
) -> tuple[registration.Registration, Path]:
    """Register the candidate of a build and return what became of it, and its model directory."""
    case, evidence = case_of(task, more, name), gather(upstream, tracked.root)
    directory = Path(upstream["01_ingest"]["snapshot"]).parent / "model"
    manifest = registration.write_model(case, evidence, gates, upstream, directory, CARDS)
    return registration.register(case, evidence, gates, directory, manifest, root=tracked.root), directory


@pytest.mark.usefixtures("in_a_build")
def test_a_first_version_that_passes_becomes_champion(build: Build, tracked: ProjectPaths) -> None:
    made, directory = registered(build(), tracked, "first", PASSED)
    assert (made.version, made.aliases, made.promoted, made.dry_run) == (1, ("champion",), True, False)
    found = versions.find_version("first", "champion", tracked.root)
    assert found is not None
    assert found.tags["gristmill.data_digest"] == "sha256:data"
    assert found.tags["gristmill.model_digest"] == verify(directory).digest
    assert verify(versions.directory_of(found, tracked.root)) == verify(directory)


@pytest.mark.usefixtures("in_a_build")
def test_the_run_of_a_version_knows_what_its_build_took(
    build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no nvidia-smi, so no GPU
    ran = {
        "seconds": 30.0,
        "peak_mb": 400.0,
        "cpu_seconds": 25.0,
        "build_id": os.environ[tracking.BUILD_ID],
        "finished": time.time(),
    }
    write_json(tracked.case("costly").timings, {"05_train_linear": ran})
    made, _ = registered(build(snapshot={"rows": 60}), tracked, "costly", PASSED)
    data = tracking.connect(tracked.root).get_run(made.run_id).data
    assert data.metrics["stage_seconds/05_train_linear"] == 30
    assert data.metrics["build_seconds"] >= 30
    assert data.metrics["build_cpu_seconds"] > 25
    assert data.metrics["build_stages"] == 2  # the one above, and this one
    assert data.metrics["build_rows"] == 60
    assert data.params["gpu"] == "none"
    assert not [name for name in data.metrics if "gpu" in name]


@pytest.mark.usefixtures("in_a_build")
def test_a_version_whose_gates_fail_does_not_touch_the_champion(build: Build, tracked: ProjectPaths) -> None:
    registered(build("good"), tracked, "spoilt", PASSED)
    made, _ = registered(build("bad", rows=customers(50, seed=3)), tracked, "spoilt", FAILED)
    assert (made.version, made.aliases, made.promoted) == (2, (), False)
    champion = versions.find_version("spoilt", "champion", tracked.root)
    assert champion is not None
    assert champion.version == 1


@pytest.mark.usefixtures("in_a_build")
def test_a_first_version_whose_gates_fail_is_no_champion(build: Build, tracked: ProjectPaths) -> None:
    made, _ = registered(build(), tracked, "firstbad", FAILED)
    assert made.aliases == ()
    assert versions.find_version("firstbad", "champion", tracked.root) is None


@pytest.mark.usefixtures("in_a_build")
def test_the_same_candidate_on_the_same_evidence_is_one_version(build: Build, tracked: ProjectPaths) -> None:
    upstream = build()
    first, _ = registered(upstream, tracked, "again", PASSED)
    second, _ = registered(upstream, tracked, "again", PASSED)
    assert first.version == second.version == 1
    assert versions.find_version("again", 2, tracked.root) is None


@pytest.mark.usefixtures("in_a_build")
def test_new_evidence_about_the_same_candidate_is_a_new_version(build: Build, tracked: ProjectPaths) -> None:
    registered(build("one"), tracked, "retold", PASSED)
    made, _ = registered(build("two", evaluation={"row_ms_p95": 13.0}), tracked, "retold", PASSED)
    assert (made.version, made.aliases) == (2, ("champion",))


def test_outside_a_build_nothing_is_registered(build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracking.BUILD_ID, raising=False)
    made, directory = registered(build(), tracked, "dry", PASSED)
    assert (made.version, made.dry_run, made.run_id) == (None, True, None)
    assert versions.find_version("dry", 1, tracked.root) is None
    assert "card.md" in verify(directory).files


@pytest.mark.usefixtures("in_a_build")
def test_a_candidate_that_was_not_evaluated_is_not_registered(build: Build, tracked: ProjectPaths) -> None:
    with pytest.raises(ArtifactError, match="not the one that was evaluated"):
        registered(build(evaluation={"candidate_digest": "0" * 64}), tracked, "swapped", PASSED)
    assert versions.find_version("swapped", 1, tracked.root) is None


@pytest.mark.usefixtures("in_a_build")
def test_a_tampered_candidate_is_not_registered(build: Build, tracked: ProjectPaths) -> None:
    upstream = build()
    path = Path(upstream["06_select"]["candidate"]).parent / "model.json"
    path.write_text(path.read_text().replace('"threshold": null', '"threshold": 0.01'))
    with pytest.raises(ArtifactError, match=r"model\.json.*altered"):
        registered(upstream, tracked, "tampered", PASSED)
    assert versions.find_version("tampered", 1, tracked.root) is None


def swap(upstream: Upstream, other: Upstream) -> None:
    """Put the whole candidate of another build, with its manifest, in the place of this one's."""
    mine, its = (Path(one["06_select"]["candidate"]).parent for one in (upstream, other))
    for path in its.iterdir():
        (mine / path.name).write_bytes(path.read_bytes())


@pytest.mark.usefixtures("in_a_build")
def test_a_candidate_swapped_before_it_was_evaluated_is_not_registered(build: Build, tracked: ProjectPaths) -> None:
    """Its evaluation is honest, but it is not the one that was selected."""
    upstream = build(selection={"digest": "0" * 64, "leaderboard": [], "chosen": "linear", "threshold": None})
    with pytest.raises(ArtifactError, match="not the one that was selected"):
        registered(upstream, tracked, "swapped_early", PASSED)


@pytest.mark.usefixtures("in_a_build")
def test_a_candidate_swapped_while_it_is_registered_is_not_registered(build: Build, tracked: ProjectPaths) -> None:
    upstream, other = build("mine"), build("other", rows=customers(50, seed=3))
    case, evidence = case_of(name="swapped_late"), gather(upstream, tracked.root)
    swap(upstream, other)
    with pytest.raises(ArtifactError, match="it was replaced"):
        registration.write_model(case, evidence, PASSED, upstream, Path(upstream["01_ingest"]["snapshot"]).parent / "model", CARDS)


@pytest.mark.usefixtures("in_a_build")
def test_a_model_directory_forged_before_it_is_stored_is_not_registered(build: Build, tracked: ProjectPaths) -> None:
    upstream = build()
    case, evidence = case_of(name="forged"), gather(upstream, tracked.root)
    directory = Path(upstream["01_ingest"]["snapshot"]).parent / "model"
    manifest = registration.write_model(case, evidence, FAILED, upstream, directory, CARDS)
    record = directory / "metrics.json"
    record.write_text(record.read_text().replace("false", "true"))
    write_manifest(directory, manifest.case)
    with pytest.raises(ArtifactError, match="it was replaced"):
        registration.register(case, evidence, PASSED, directory, manifest, root=tracked.root)
    assert versions.find_version("forged", 1, tracked.root) is None


@pytest.mark.usefixtures("in_a_build")
def test_files_altered_on_their_way_into_the_registry_are_not_promoted(
    build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = versions.register

    def register_and_alter(run: Any, name: str, *rest: Any, **more: Any) -> int:
        number = register(run, name, *rest, **more)
        found = versions.find_version(name, number, tracked.root)
        assert found is not None
        edit(versions.directory_of(found, tracked.root) / "metrics.json", test={"roc_auc": {"value": 0.99}})
        return number

    monkeypatch.setattr(versions, "register", register_and_alter)
    with pytest.raises(ArtifactError, match=r"'metrics\.json'.*was altered"):
        registered(build(), tracked, "on_the_way", PASSED)
    assert releases.find("on_the_way", tracked.root).champion is None
    assert versions.known_aliases("on_the_way", tracked.root) == {}
    monkeypatch.setattr(versions, "register", register)
    made, _ = registered(build(), tracked, "on_the_way", PASSED)
    assert (made.version, made.promoted) == (2, True)


@pytest.mark.usefixtures("in_a_build")
def test_a_build_whose_gates_fail_leaves_row_and_aliases_and_says_why(build: Build, tracked: ProjectPaths) -> None:
    registered(build("good"), tracked, "untouched", PASSED)
    before = releases.find("untouched", tracked.root)
    made, _ = registered(build("bad", rows=customers(50, seed=3)), tracked, "untouched", FAILED)
    assert releases.find("untouched", tracked.root) == before
    assert versions.known_aliases("untouched", tracked.root) == {"champion": 1}
    assert "its gates failed: disparate_impact is 0.4, needs >= 0.8" in made.notes[-1]
    promoted, refused = releases.history("untouched", tracked.root)
    assert (promoted.action, promoted.after, promoted.reason) == ("promoted", 1, "a build whose gates passed")
    assert (refused.action, refused.after) == ("refused", 2)
    assert refused.reason.startswith("a build; its gates failed: disparate_impact")


@pytest.mark.usefixtures("in_a_build")
def test_a_build_does_not_undo_a_rollback(build: Build, tracked: ProjectPaths) -> None:
    upstream = build("second", rows=customers(50, seed=3))
    registered(build("first"), tracked, "undone", PASSED)
    overtaken, _ = registered(upstream, tracked, "undone", PASSED)
    assert "version 1 became champion while this was built, and the two were not compared" in overtaken.notes[-1]
    promotion.promote("undone", 2, reason="compared by hand", root=tracked.root)
    promotion.rollback("undone", "it was slow", root=tracked.root)
    made, _ = registered(upstream, tracked, "undone", PASSED)
    assert (made.version, made.promoted) == (2, False)
    assert "rolled back from it (it was slow). A build does not undo that" in made.notes[-1]


@pytest.mark.usefixtures("in_a_build")
def test_a_build_that_ends_between_version_and_row_is_taken_up_by_the_next(
    build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream = build()
    with monkeypatch.context() as broken:
        broken.setattr(registration, "promote_built", lambda *_: stop())
        with pytest.raises(Crash):
            registered(upstream, tracked, "resumed", PASSED)
    assert releases.find("resumed", tracked.root).champion is None
    made, _ = registered(upstream, tracked, "resumed", PASSED)
    assert (made.version, made.promoted) == (1, True)


@pytest.mark.usefixtures("in_a_build")
def test_the_builds_run_is_finished_with_the_headline_metrics(build: Build, tracked: ProjectPaths) -> None:
    made, _ = registered(build(), tracked, "headline", PASSED)
    run = tracking.connect(tracked.root).get_run(made.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test_roc_auc"] == 0.8
    assert run.data.tags["gristmill.gates"] == "passed"
    assert run.data.tags["gristmill.model_version"] == "1"
    assert run.data.tags["gristmill.family_run.linear"] == "earlier"


LOADING = """
import json, mlflow, pandas as pd
rows, answers = pd.read_parquet("rows.parquet"), {}
for task in ("binary", "multiclass", "regression"):
    model = mlflow.pyfunc.load_model(f"models:/load_{task}@champion")
    assert model.metadata.get_input_schema().input_names()[:2] == ["customer", "tenure"]
    answers[task] = model.predict(rows).to_dict(orient="list")
print(json.dumps(answers))
"""


@pytest.mark.usefixtures("in_a_build")
def test_mlflow_loads_champions_in_another_process_without_pickle(build: Build, tracked: ProjectPaths) -> None:
    scores, rows, expected = {name: {"value": 1.0} for name in ("roc_auc", "log_loss", "rmse")}, customers(30, seed=5), {}
    rows.to_parquet(tracked.root / "rows.parquet")
    for task in ("binary", "multiclass", "regression"):
        upstream = build(task, task, evaluation={"test": scores})
        _, directory = registered(upstream, tracked, f"load_{task}", PASSED, task)
        assert {path.suffix for path in directory.iterdir()} == {".skops", ".json", ".md", ".html"}
        expected[task] = Predictor.load(directory).predict(rows).to_dict(orient="list")
    run = [sys.executable, "-W", "ignore", "-c", LOADING]
    answers = subprocess.run(run, cwd=tracked.root, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    assert json.loads(answers) == expected


def compared(
    build: Build, tracked: ProjectPaths, name: str, champion: dict[str, Any], candidate: dict[str, Any], margin: float = 0.1
) -> comparison.Beside:
    registered(build("champion", **champion), tracked, name, PASSED)
    upstream = build("candidate", **candidate)
    case = case_of(name=name, more=f"gates: {{champion_margin: {margin}}}")
    return comparison.champion_comparison(case, gather(upstream, tracked.root), upstream, tracked.root)


@pytest.mark.usefixtures("in_a_build")
def test_a_candidate_really_worse_than_the_champion_is_called_worse(build: Build, tracked: ProjectPaths) -> None:
    noise = customers().assign(churn=customers()["churn"].sample(frac=1, random_state=1).to_numpy())
    found = compared(build, tracked, "worse", {}, {"rows": noise})
    assert isinstance(found, comparison.Comparison)
    assert found.judgement.verdict == "worse"
    assert found.gain["high"] < 0
    assert found.candidate < found.champion
    words = comparison_words.in_words(found)
    assert words.startswith("**Worse than the champion.** ROC-AUC is ")
    assert "on the same 80 test rows" in words
    assert "McNemar: " in words
    assert "DeLong: the areas differ by \u2212" in words


@pytest.mark.usefixtures("in_a_build")
def test_a_candidate_worse_by_noise_only_is_not_worse(build: Build, tracked: ProjectPaths) -> None:
    """With the default margin, on enough rows to tell."""
    registered(build("champion"), tracked, "noise", PASSED)
    upstream = build("candidate", rows=customers(60, seed=4), n_test=1500)
    case = case_of(name="noise", more="evaluation: {resamples: 200}")
    found = comparison.champion_comparison(case, gather(upstream, tracked.root), upstream, tracked.root)
    assert isinstance(found, comparison.Comparison)
    assert found.judgement.margin == 0.1
    assert found.gain["value"] < 0 < found.gain["high"]
    assert found.judgement.verdict == NOT_WORSE


@pytest.mark.usefixtures("in_a_build")
def test_no_reason_gets_a_candidate_past_a_champion_that_loses_nothing(build: Build, tracked: ProjectPaths) -> None:
    """The test rows are those of whom the champion is right and sure."""
    registered(build("champion"), tracked, "lossless", PASSED)
    noise = customers().assign(churn=customers()["churn"].sample(frac=1, random_state=1).to_numpy())
    upstream = build("candidate", rows=noise, n_test=400)
    champion = FittedModel.load(build("champion_again")["06_select"]["candidate"].removesuffix("/manifest.json"))
    test, path = read_rows(upstream["02_validate"]["test"]), upstream["07_evaluate"]["predictions"]
    positive = champion.predict_values(test)[:, 1]
    sure = ((test["churn"] == "Yes") & (positive > 0.7)) | ((test["churn"] == "No") & (positive < 0.3))
    write_rows(Path(upstream["02_validate"]["test"]), test[sure])
    write_rows(Path(path), read_rows(path)[sure])
    case, evidence = case_of(name="lossless", more="evaluation: {resamples: 200}"), gather(upstream, tracked.root)
    beside = comparison.champion_comparison(case, evidence, upstream, tracked.root)
    assert isinstance(beside, comparison.Comparison)
    assert (beside.champion, beside.judgement.verdict) == (1.0, "worse")
    assert "stands beside a champion that loses nothing on these rows" in comparison_words.in_words(beside)
    gates = [*PASSED, at_least("not_worse_than_champion", "deployment", comparison_words.least_improvement(beside), -0.1, "Least")]
    made, _ = registered(upstream, tracked, "lossless", gates)
    with pytest.raises(GateError, match=r"not_worse_than_champion is .1,000, needs >= .0\.1"):
        promotion.promote("lossless", made.version, reason="trust me", root=tracked.root)


@pytest.mark.usefixtures("in_a_build")
def test_few_rows_cannot_tell_and_say_how_many_could(build: Build, tracked: ProjectPaths) -> None:
    found = compared(build, tracked, "few", {}, {"rows": customers(60, seed=2)}, margin=0.001)
    assert isinstance(found, comparison.Comparison)
    assert found.judgement.verdict == "cannot tell"
    assert found.judgement.rows_needed > 80
    assert "cannot be told with this much data; you would need about " in comparison_words.in_words(found)


@pytest.mark.usefixtures("in_a_build")
def test_candidate_champion_and_baseline_stand_in_one_table(build: Build, tracked: ProjectPaths) -> None:
    found = compared(build, tracked, "tabled", {}, {"rows": customers(60, seed=2)})
    assert isinstance(found, comparison.Comparison)
    test, baseline = {"roc_auc": {"value": found.candidate}}, {"roc_auc": {"value": 0.5}}
    table = comparison_words.comparison_table(found, test, baseline)
    assert list(table.columns) == ["candidate", "champion (version 1)", "gain over the champion", "baseline"]
    assert table.loc["ROC-AUC", "champion (version 1)"].startswith(f"{found.champion:.3f} (")
    without = comparison_words.comparison_table(None, test, baseline)
    assert list(without.columns) == ["candidate", "baseline"]


@pytest.mark.usefixtures("in_a_build")
def test_the_champion_itself_is_not_compared_with(build: Build, tracked: ProjectPaths) -> None:
    assert compared(build, tracked, "itself", {}, {}) is None


def test_without_a_champion_there_is_nothing_to_compare_with(build: Build, tracked: ProjectPaths) -> None:
    upstream = build()
    assert comparison.champion_comparison(case_of(name="lonely"), gather(upstream, tracked.root), upstream, tracked.root) is None


@pytest.mark.usefixtures("in_a_build")
def test_a_champion_that_cannot_score_the_rows_is_compared_by_its_record(build: Build, tracked: ProjectPaths) -> None:
    registered(build("champion"), tracked, "renamed", PASSED)
    upstream = build(
        "candidate", rows=customers(60, seed=2), evaluation={"test": {"roc_auc": {"value": 0.7, "low": 0.65, "high": 0.75}}}
    )
    test = pd.read_parquet(upstream["02_validate"]["test"]).drop(columns="plan")
    test.to_parquet(upstream["02_validate"]["test"])
    found = comparison.champion_comparison(case_of(name="renamed"), gather(upstream, tracked.root), upstream, tracked.root)
    assert isinstance(found, comparison.Comparison)
    assert found.gain["value"] == pytest.approx(0.7 - 0.8)
    assert found.gain["low"] == pytest.approx(-0.1 - (0.05**2 + 0.05**2) ** 0.5)
    assert found.judgement.verdict == "worse"
    assert "'plan' is missing" in found.basis


@pytest.mark.usefixtures("in_a_build")
def test_the_champion_answers_the_rows_that_a_candidate_predicted(build: Build, tracked: ProjectPaths) -> None:
    first = build("champion")
    registered(first, tracked, "answering", PASSED)
    upstream, case = build("candidate", rows=customers(60, seed=2)), case_of(name="answering")
    model = FittedModel.load(Path(upstream["06_select"]["candidate"]).parent)
    rows = read_rows(upstream["02_validate"]["test"])
    scored = scored_rows("binary", read_rows(upstream["07_evaluate"]["predictions"]), rows["churn"], model.classes)

    def champion(rows: pd.DataFrame, digest: str = model.manifest.digest) -> comparison.Champion | comparison.Incomparable | None:
        return comparison.champion_on(case, scored, rows, model.classes, digest, tracked.root)

    found = champion(rows)
    assert isinstance(found, comparison.Champion)
    assert (found.scored.y_true == scored.y_true).all()
    assert not (found.scored.predicted == scored.predicted).all()
    assert list(comparison.others_of(model, scored, found)) == ["baseline", "champion"]
    assert comparison_words.champion_in_words(found).startswith("The champion is version 1; it answers the same test rows")
    missing = champion(rows.drop(columns="plan"))
    assert "'plan' is missing" in refusal(missing)
    assert list(comparison.others_of(model, scored, missing)) == ["baseline"]
    assert comparison_words.champion_in_words(missing) == refusal(missing)
    assert champion(rows, gather(first, tracked.root).candidate.digest) is None
    assert comparison_words.champion_in_words(None) == "There is no other champion to compare with."
    stored = versions.find_version("answering", 1, tracked.root)
    assert stored is not None
    edit(versions.directory_of(stored, tracked.root) / "metrics.json", test={})
    assert "'metrics.json'" in refusal(champion(rows))


@pytest.mark.usefixtures("in_a_build")
def test_the_champion_is_the_one_of_the_release_row_whatever_the_alias_says(build: Build, tracked: ProjectPaths) -> None:
    registered(build("first"), tracked, "moved", PASSED)
    second = build("second", rows=customers(50, seed=3))
    registered(second, tracked, "moved", FAILED)
    versions.set_alias(tracking.connect(tracked.root), "moved", "champion", 2)
    found = comparison.champion_comparison(case_of(name="moved"), gather(second, tracked.root), second, tracked.root)
    assert isinstance(found, comparison.Comparison)
    assert found.version == 1


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.fixture
def beside(build: Build, tracked: ProjectPaths, in_a_build: None) -> Callable[..., comparison.Beside]:
    """Return a function that compares a regression with a champion of another record, on rows which that cannot score."""

    def compare(champion_task: str = "regression", more: str = "", **recorded: Any) -> comparison.Beside:
        scores = {"rmse": {"value": 9.0}, "roc_auc": {"value": 0.8}, "log_loss": {"value": 1.0}}
        name = f"beside_{champion_task}_{len(recorded)}"
        before = build("champion", champion_task, evaluation={"test": recorded or scores})
        registered(before, tracked, name, PASSED, champion_task, more)
        upstream = build("candidate", "regression", evaluation={"test": scores}, rows=customers(50, seed=3))
        pd.read_parquet(upstream["02_validate"]["test"]).drop(columns="plan").to_parquet(upstream["02_validate"]["test"])
        case = case_of("regression", name=name)
        return comparison.champion_comparison(case, gather(upstream, tracked.root), upstream, tracked.root)

    return compare


def refusal(found: comparison.Beside | comparison.Champion) -> str:
    assert isinstance(found, comparison.Incomparable)
    return found.message


def test_a_champion_of_another_task_is_not_replaced_silently(beside: Callable[..., comparison.Beside]) -> None:
    message = refusal(beside("binary"))
    assert message.startswith("Champion version 1 cannot be compared: it answers the task binary, this case is regression.")
    assert "if the new version is to replace it, say why: gristmill promote beside_binary_0 --reason TEXT" in message


def test_a_champion_that_can_neither_score_nor_show_its_scores_is_not_replaced(beside: Callable[..., comparison.Beside]) -> None:
    """A column it needs is gone, and its record has another metric alone."""
    found = refusal(beside(more="evaluation: {primary_metric: mae}", mae={"value": 2.0}))
    assert "it was measured by MAE, this case by RMSE." in found


def test_a_champion_whose_record_was_altered_to_be_beaten_is_not_replaced(
    build: Build, tracked: ProjectPaths, in_a_build: None
) -> None:
    registered(build("champion"), tracked, "beaten", PASSED)
    champion = versions.find_version("beaten", 1, tracked.root)
    assert champion is not None
    record = versions.directory_of(champion, tracked.root) / "metrics.json"
    edit(record, test={"roc_auc": {"value": 0.1}})
    upstream = build("candidate", rows=customers(60, seed=2))
    message = refusal(
        comparison.champion_comparison(case_of(name="beaten"), gather(upstream, tracked.root), upstream, tracked.root)
    )
    assert "'metrics.json'" in message
    assert "was altered" in message


def forge(root: Path, name: str) -> None:
    """Forge version 1 as a whole: its model, its manifest, and the digest in its tags."""
    champion = versions.find_version(name, 1, root)
    assert champion is not None
    directory = versions.directory_of(champion, root)
    edit(directory / "model.json", threshold=0.01)
    digest = write_manifest(directory, "small").digest
    tracking.connect(root).set_model_version_tag(name, "1", inspection.MODEL_TAG, digest)


def against(name: str, build: Build, tracked: ProjectPaths) -> comparison.Beside:
    upstream = build("candidate", rows=customers(60, seed=2))
    return comparison.champion_comparison(case_of(name=name), gather(upstream, tracked.root), upstream, tracked.root)


@pytest.mark.usefixtures("in_a_build")
def test_a_champion_that_was_forged_with_its_manifest_and_its_tag_is_not_compared_with(build: Build, tracked: ProjectPaths) -> None:
    registered(build("champion"), tracked, "forged_whole", PASSED)
    forge(tracked.root, "forged_whole")
    message = refusal(against("forged_whole", build, tracked))
    assert message.startswith("Champion version 1 cannot be compared: The digest in the tags of forged_whole version 1 is not the")


@pytest.mark.usefixtures("in_a_build")
def test_a_champion_that_is_forged_after_it_was_verified_is_neither_loaded_nor_taken_by_its_record(
    build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(build("champion"), tracked, "forged_late", PASSED)
    monkeypatch.setattr(comparison, "other_question", lambda *_: forge(tracked.root, "forged_late") or "")
    assert "it was replaced" in refusal(against("forged_late", build, tracked))


@pytest.mark.usefixtures("in_a_build")
def test_a_champion_without_a_digest_is_not_compared_with(build: Build, tracked: ProjectPaths) -> None:
    """It is older than the release row, and its tags are no build's."""
    add_version(tracked.root, "undigested")
    client = tracking.connect(tracked.root)
    client.delete_model_version_tag("undigested", "1", inspection.MODEL_TAG)
    client.set_registered_model_alias("undigested", "champion", "1")
    assert "it carries no digest, so that nothing vouches for its files" in refusal(against("undigested", build, tracked))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "tier"}, "it predicts tier, this case predicts churn"),
        ({"classes": ["No", "Perhaps", "Yes"]}, "it knows the classes No, Perhaps, Yes, this case has No, Yes"),
        ({}, ""),
    ],
)
def test_target_and_classes_are_compared_before_scores(build: Build, changes: dict[str, Any], words: str) -> None:
    directory = Path(build()["06_select"]["candidate"]).parent
    edit(directory / "model.json", **changes)
    assert comparison.other_question(case_of(), ("No", "Yes"), directory) == words


@pytest.mark.parametrize("found", [None, {"value": None}])
def test_a_champion_without_the_score_cannot_be_compared(tmp_path: Path, found: Any) -> None:
    (tmp_path / "metrics.json").write_text(json.dumps({"primary_metric": "roc_auc", "test": {"roc_auc": found}}))
    mine = {"roc_auc": {"value": 0.7, "low": 0.6, "high": 0.8}}
    assert "its ROC-AUC was not defined" in refusal(
        comparison.compare_recorded(case_of(), mine, tmp_path, 3, "a column is missing")
    )
    (tmp_path / "metrics.json").unlink()
    assert "registered without its scores" in refusal(
        comparison.compare_recorded(case_of(), mine, tmp_path, 3, "a column is missing")
    )


def test_the_comparison_is_told_in_words() -> None:
    assert comparison_words.in_words(None) == "There is no other champion to compare with."
    gain = {"value": -0.01, "low": -0.02, "high": -0.005}
    judged = judge({"value": -0.05, "low": -0.09, "high": -0.02}, 0.02, 0.1, 300, 0.95)
    made = comparison.Comparison(3, "roc_auc", 0.8, 0.81, gain, judged, "on the same 300 test rows")
    assert comparison_words.in_words(made) == (
        "**A little worse than the champion, but within the margin of 10.0 %.** ROC-AUC is 0.800; that of version 3 is 0.810, on "
        "the same 300 test rows. The gain of \u22120.010 (\u22120.020 to \u22120.005) removes \u22125.0 (\u22129.0 to \u22122.0) "
        "% of what the champion loses; at most 10.0 % more loss is allowed, by the whole interval."
    )
