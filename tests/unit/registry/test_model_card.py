"""The card that is registered: completed by gates and champion, the same for the same verdicts, in the version's own files."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.card_evidence import outcome
from tests.models import case_of

from gristmill import tracking
from gristmill.errors import ArtifactError
from gristmill.evaluation.card.metadata import written_at
from gristmill.metrics.noninferiority import judge
from gristmill.modeling.artifact.model_directory import verify
from gristmill.paths import ProjectPaths
from gristmill.registry import model_card, registration, versions
from gristmill.registry.comparison import Comparison, Incomparable
from gristmill.registry.evidence import Upstream, gather
from gristmill.registry.gates import at_least, not_measured

Build = Callable[..., Upstream]
GATES = [
    at_least("improvement_over_baseline", "training", 0.5, 0.1, "Share"),
    at_least("disparate_impact", "deployment", 0.4, 0.8, "Ratio between 'a|b' and '<b>'"),
    not_measured("throughput", "deployment", "Later."),
]
JUDGEMENT = judge({"value": 0.02, "low": 0.01, "high": 0.03}, 0.005, 0.1, 200, 0.95)
BESIDE = Comparison(3, "roc_auc", 0.82, 0.8, {"value": 0.02, "low": 0.01, "high": 0.03}, JUDGEMENT, "on the same 200 test rows")
WHOLE = {
    "evaluation": {
        "primary_metric": "roc_auc",
        "train": {},
        "rows": dict.fromkeys(("test", "validation", "train", "baseline"), 80),
        "test_set_uses": 1,
        "confidence": 0.95,
        "segments": [],
        "segments_tested": 0,
        "behaviour": [outcome("row order", True, source="built in")],
    },
    "explanation": {},
    "selection": {"chosen": "linear", "leaderboard": [], "threshold": {"value": 0.4, "rule": "f1"}},
    "quality": {"schema_compliance": 1.0, "completeness": 0.98, "leakage": [], "duplicates": 0, "missing_target": 0},
    "snapshot": {"digest": "sha256:data", "uri": "customers.csv", "rows": 60, "columns": {}, "ingested_at": "2026-01-01"},
    "fairness": {"features": [], "measures": {}},
}


def finished(upstream: Upstream, root: Path, beside: Any = None) -> model_card.Finished:
    costs = {"01_ingest": {"seconds": 3.0, "cpu_seconds": 2.0, "joules": None}}
    return model_card.finished(case_of(), gather(upstream, root), GATES, beside, upstream, costs, root)


def test_the_finished_card_holds_every_gate_and_the_verdict_they_give(build: Build, tracked: ProjectPaths) -> None:
    card = finished(build(**WHOLE), tracked.root).files["card.md"].decode()
    assert "**Do not use it in production: 1 of 2 measured gates failed.**" in card
    assert "| Disparate impact | deployment | **FAILED** | 0.4 | \u2265 0.8 | Ratio between 'a\\|b' and '\\<b>' |" in card
    assert "| Throughput | deployment | not measured |" in card


def test_it_is_dated_as_the_first_card_and_the_same_for_the_same_verdicts(build: Build, tracked: ProjectPaths) -> None:
    upstream = build(**WHOLE)
    first = finished(upstream, tracked.root)
    assert first == finished(upstream, tracked.root)
    assert written_at(first.files["card.md"].decode()).isoformat() == "2026-01-02T03:04:00+00:00"


def test_a_first_card_without_a_date_is_refused(build: Build, tracked: ProjectPaths) -> None:
    upstream = build(**WHOLE)
    Path(upstream["10_write_model_card"]["card"]).write_text("# Model card")
    with pytest.raises(ArtifactError, match="say when it was written"):
        finished(upstream, tracked.root)


def test_the_champion_is_told_with_the_verdict(build: Build, tracked: ProjectPaths) -> None:
    card = finished(build(**WHOLE), tracked.root, BESIDE).files["card.md"].decode()
    assert "Better than the champion (version 3): ROC-AUC 0.820 against 0.800, on the same 200 test rows." in card
    assert "**Beside the champion.** Better than the champion." in card


def test_a_champion_that_cannot_be_compared_with_is_told() -> None:
    message = "Champion version 3 cannot be compared: it predicts *spend*."
    found = model_card.judged(GATES, Incomparable(3, message))
    assert (found.champion_version, found.champion, dict(found.champion_scores)) == (3, message, {})
    assert [gate["passed"] for gate in found.gates] == [True, False, None]


def test_the_version_holds_the_finished_card_and_its_description_the_head(
    build: Build, tracked: ProjectPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tracking.BUILD_ID, "build-carded")
    upstream, case = build(**WHOLE), case_of(name="carded")
    evidence, directory = gather(upstream, tracked.root), Path(upstream["01_ingest"]["snapshot"]).parent / "model"
    card = finished(upstream, tracked.root)
    manifest = registration.write_model(case, evidence, GATES, upstream, directory, card.files)
    made = registration.register(case, evidence, GATES, directory, manifest, root=tracked.root)
    version = versions.find_version("carded", made.version or 0, tracked.root)
    assert version is not None
    stored = versions.directory_of(version, tracked.root)
    assert verify(stored, manifest.digest).files.keys() >= {"card.md", "card.html"}
    assert {name: (stored / name).read_bytes() for name in card.files} == card.files
    client = tracking.connect(tracked.root)
    told = client.get_model_version("carded", str(made.version)).description
    assert told.startswith("**Predicts** the probability that `churn` is `Yes`.")
    assert "1 of 2 measured gates failed" in told
    assert told.endswith("in the model and among the artifacts of its run.")
    assert {"card.md", "card.html"} <= {item.path for item in client.list_artifacts(made.run_id)}


def test_a_description_never_outgrows_what_the_registry_holds(tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text("# Card\n\n" + "> word\n" * 3000)
    told = model_card.description(tmp_path)
    assert 4000 < len(told) <= 5000
    assert "`card.md`" in told


def test_the_page_among_the_reports_is_the_registered_one(tmp_path: Path) -> None:
    model_card.write_page(model_card.Finished({}, "<p>whole"), tmp_path / "reports" / "model_card.html")
    assert (tmp_path / "reports" / "model_card.html").read_text() == "<p>whole"


def test_the_registered_page_leads_nowhere_and_that_of_the_reports_to_its_case(build: Build, tracked: ProjectPaths) -> None:
    made = finished(build(**WHOLE), tracked.root)
    texts = {"registered": made.files["card.html"].decode(), "reports": made.page}
    links = {name: set(re.findall(r'<a [^>]*href="([^"#]+)', text)) for name, text in texts.items()}
    assert links == {"registered": set(), "reports": {"index.html", "../index.html"}}
