"""The design page of a case: what is to be built, how, and by which milestones, as its case file states it (R1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gristmill.config.case import Case
from gristmill.config.fairness_limits import JUDGED_BY_DEFAULT, fairness_limits
from gristmill.reporting.dag_svg import draw_dag
from gristmill.reporting.flow_svg import draw_flow
from gristmill.reporting.record import BuildRecord
from gristmill.reporting.summary import gates
from gristmill.reporting.templating import render, style_sheet
from gristmill.reporting.wording import count, metric_label, plain, share

STACK: tuple[tuple[str, str], ...] = (
    ("Pipeline", "Jupyter notebooks, wired by Ploomber, executed by papermill, rendered by nbconvert"),
    ("Data", "pandas in memory, Parquet on disk, DuckDB for whole-table aggregates"),
    ("Models", "scikit-learn pipelines; Optuna for the search"),
    ("Tracking and registry", "MLflow, on SQLite unless a server is configured"),
    ("Explanation and fairness", "SHAP, LIME, permutation importance; fairlearn"),
    ("Storage of models", "skops, with a list of trusted types: no pickle"),
)
"""What each part is built with."""


@dataclass(frozen=True)
class Decision:
    """A choice the case makes, and why it is safe to make."""

    question: str
    answer: str
    because: str


def render_design(record: BuildRecord) -> str:
    """Return the design page of a case.

    Parameters
    ----------
    record
        The case, which must be readable, and what is known of its last build: milestones it has reached are ticked.
    """
    case = record.case
    if case is None:
        return ""
    return render(
        "design.html.j2",
        site_css=Markup(style_sheet("site.css") + style_sheet("dag.css")),  # noqa: S704 - our own files
        home="../index.html",
        case=case,
        problem=_problem(case),
        needs=_needs(case),
        architecture=draw_flow(case),
        dag=draw_dag(record.pipeline),
        flow=_flow(case),
        stack=STACK,
        decisions=_decisions(case),
        milestones=_milestones(record),
        compliance=_compliance(case),
    )


def _problem(case: Case) -> list[tuple[str, str]]:
    """Return what is asked, as pairs of a name and a value."""
    criteria = ", ".join(f"{metric_label(name)} {plain(value)}" for name, value in case.evaluation.success_criteria.items())
    return [
        ("Task", {"binary": "two classes", "multiclass": "several classes", "regression": "a number"}[case.task]),
        ("Target", case.target + (f", positive class {case.positive_class}" if case.positive_class else "")),
        ("Source", case.source.uri),
        ("Business metric", case.evaluation.business_metric or "not stated"),
        ("Metric that selects", metric_label(case.primary_metric)),
        ("Success criteria", criteria or "not stated beyond the gates"),
    ]


def _needs(case: Case) -> list[tuple[str, str]]:
    """Return what the model's users need."""
    return [
        ("Answer time", f"{plain(case.serving.latency_ms)} ms at the 95th percentile"),
        ("Load", f"{count(case.serving.requests_per_second)} requests a second"),
        ("Runs on", case.serving.deployment_target),
        ("Rebuilt", "on request" if case.retraining.schedule == "none" else case.retraining.schedule),
        ("New model wanted when", f"the metric drops by more than {share(case.retraining.max_performance_drop)}"),
    ]


def _flow(case: Case) -> list[tuple[str, str, str]]:
    """Return the data's way: from, to, and what passes."""
    folds = f"{case.split.folds} folds" if case.split.folds > 1 else "one hold-out part"
    test = f"the table {case.split.test_source}" if case.split.test_source else f"{share(case.split.test_size)} of the rows"
    return [
        ("source", "snapshot", "every row and column, unchanged; the file's name is the hash of its content"),
        ("snapshot", "training rows", f"split {case.split_strategy}; {folds} for validation"),
        ("snapshot", "test rows", f"{test}; predicted once, in 07 Evaluate"),
        ("training rows", "candidate", "row-wise features; whatever is fitted is fitted inside the folds"),
        ("candidate", "registry", "immutable from selection on: each later stage checks its digest"),
        ("registry", "batch scoring", "the one Predictor that training, scoring and services share"),
    ]


def _decisions(case: Case) -> list[Decision]:
    """Return the choices the case makes."""
    decisions = [
        Decision("How are rows divided?", f"{case.split_strategy}, seed {case.split.random_state}", _why_split(case)),
        Decision(
            "Which families are tried?",
            ", ".join(case.training.families),
            "Side by side within one budget; the comparison is out of fold, never on the test rows.",
        ),
        Decision(
            "How long may the search take?",
            f"{case.training.trials} trials a family"
            if case.training.trials
            else f"{plain(case.training.budget_seconds)} s for all families together",
            "A fixed number of trials gives the same model every time."
            if case.training.trials
            else Markup(
                "The budget is wall-clock time on this machine; give <code>training.trials</code> for an exact repetition."
            ),
        ),
    ]
    if case.task == "binary":
        decisions.append(Decision("When is a row called positive?", f"rule {case.threshold.rule}", _why_threshold(case)))
    if case.sensitive_features:
        seen = "not given to the model" if case.fairness.exclude_from_model else "given to the model"
        decisions.append(
            Decision(
                "How are groups of people treated?",
                f"audited by {', '.join(case.sensitive_features)}; {seen}",
                _why_groups(case),
            )
        )
    return decisions


def _why_split(case: Case) -> str:
    """Return why the split's strategy is the right one."""
    return {
        "time": "Later rows test a model of earlier ones, as it will be in use.",
        "group": f"Rows of one {case.group_column} never stand on both sides.",
        "stratified_group": f"Rows of one {case.group_column} never stand on both sides; each part has its share of the classes.",
        "stratified": "Every part has the classes in the same proportion.",
        "random": "Rows are taken to be exchangeable.",
    }[case.split_strategy]


def _why_groups(case: Case) -> str:
    """Return which differences between groups are gates, and which are only reported."""
    asked = fairness_limits(case.fairness, case.task)
    judged = [f"{metric_label(name)} {sign} {plain(limit)}" for name, (sign, limit) in asked.items() if limit is not None]
    left = [metric_label(name) for name, (_, limit) in asked.items() if limit is None and name in JUDGED_BY_DEFAULT]
    gated = f"{_joined(judged)} {'is a gate' if len(judged) == 1 else 'are gates'}: a model beyond is not promoted by itself."
    shown = f"{_joined(left)} {'is' if len(left) == 1 else 'are'} reported, not judged: the case file sets no limit."
    return " ".join([gated] * bool(judged) + [shown] * bool(left))


def _joined(names: Sequence[str]) -> str:
    """Return names as one part of a sentence, which begins with the first."""
    return " and ".join([*names[:1], *(name[:1].lower() + name[1:] for name in names[1:])])


def _why_threshold(case: Case) -> str:
    """Return what the threshold's rule weighs, and the limit it keeps between groups."""
    asked = case.threshold
    worth, contact = plain(asked.value_true_positive), plain(asked.cost_contact)
    in_vain, missed = plain(asked.cost_false_positive), plain(asked.cost_false_negative)
    reasons = {
        "profit": f"A true positive is worth {worth}, acting on any row costs {contact}.",
        "cost": f"Flagging in vain costs {in_vain}, missing a positive {missed}.",
        "fbeta": f"Recall is {plain(asked.beta)} times as important as precision; chosen from out-of-fold predictions.",
        "capacity": f"At most {_capacity(asked.capacity)} can be acted on; chosen from out-of-fold predictions.",
        "fixed": f"Positive from a probability of {plain(asked.value)} on.",
    }
    why = reasons.get(asked.rule, "Chosen from out-of-fold predictions.")
    if asked.max_disparity is None:
        return why
    return f"{why} The {metric_label(asked.disparity).lower()} may differ by {plain(asked.max_disparity)} between groups at most."


def _capacity(capacity: float | None) -> str:
    """Return how many rows a capacity allows, in words."""
    return f"{count(capacity)} rows" if isinstance(capacity, int) else f"{share(capacity)} of the rows"


def _milestones(record: BuildRecord) -> list[tuple[str, str, bool]]:
    """Return the plan: a name, what has to be true, and whether the last build shows it."""
    done = {stage.name for stage in record.stages if stage.state in {"done", "off"}}
    judged = [gate for gate in gates(record) if gate["passed"] is not None]
    passed = bool(judged) and all(gate["passed"] for gate in judged)
    return [
        ("Data is trusted", "Snapshot taken; contract, quality and leakage checks passed.", {"01_ingest", "02_validate"} <= done),
        ("Data is understood", "Analysis of the training rows read; problems listed.", "03_explore" in done),
        ("A model beats the baseline", "Families trained and compared out of fold.", "06_select" in done),
        ("The model is known", "Tested once; explained; audited; card written.", "10_write_model_card" in done),
        ("The gates pass", "Every gate that a build can measure is passed; see the case's page.", passed),
        ("In production", "The champion alias points to this version.", bool(record.product("registration").get("promoted"))),
    ]


def _compliance(case: Case) -> list[tuple[str, str]]:
    """Return who answers for the model, and for what."""
    rules = case.compliance
    pairs = [
        ("Owner", rules.owner or "not named"),
        ("Intended use", rules.intended_use or "not stated"),
        ("Out of scope", rules.out_of_scope or "not stated"),
        ("Personal data", "yes" if rules.personal_data else "no"),
    ]
    return [*pairs, *(("Note", note) for note in rules.notes)]
