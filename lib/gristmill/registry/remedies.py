"""What would have to change for a gate that failed: the cause first, then the key of the case file by which a person accepts it."""

from gristmill.config.fairness_limits import CLASS_LIMITS, NUMBER_LIMITS

COMMON = "Change the data, the features or the case file, and build again."

REMEDIES = {
    "schema_compliance": "02_validate lists the rules and the rows that break them: mend the rows at their source, or the rule in "
    "the data contract where it is wrong.",
    "completeness": "02_validate lists the emptiest columns: fill them at their source or name them in `features.exclude`; where "
    "gaps are in the nature of the table, lower `validation.completeness`.",
    "no_leakage": "Name the columns that are known only after the target in `validation.known_later`.",
    "features_documented": "A feature has no source columns or no meaning: the transformer of `features.custom` has to name them.",
    "behaviour": "07_evaluate shows the rows that broke a test: give the model data in which the expectation holds, or correct the "
    "expectation in `behaviour.tests`.",
    "improvement_over_baseline": "The columns tell too little of the target: add columns or rows, or more "
    "`training.budget_seconds`; where so little is still of use, lower `gates.min_improvement`.",
    "calibration": "Probabilities do not mean what they say: add training rows, or rows like those of the test; where only the "
    "order of predictions counts, raise `gates.max_calibration_error` or leave it empty.",
    "fold_consistency": "With few rows a fold, scores differ by chance alone, and errors near zero by large shares: add rows; "
    "where the model is good enough all the same, raise `gates.max_fold_std`.",
    "explanations_exist": "08_explain has made no explanation of some kind: open its report.",
    "trials_tracked": "Runs are missing from the tracking store: see that MLflow's store can be written, and build again.",
    "row_latency_p95": "06_select shows faster models: lower `serving.max_row_ms` so that one of them is chosen, or raise "
    "`gates.max_row_ms`.",
    "compiled_parity": "The compiled form answers otherwise than the pipeline: do not serve the model, and report it with "
    "the case.",
    "candidate_unchanged": "The files of the candidate are not those that were evaluated: build again from 06_select.",
    "not_worse_than_champion": "Leave the champion where it is, or find a better candidate with more rows, columns or "
    "`training.budget_seconds`; `gates.champion_margin` says how much worse may be accepted.",
    "drift_reference": "The candidate was saved without its reference: build again from 06_select.",
}
"""Gate -> what to do, for gates whose names are always the same."""

CRITERION = "More rows, columns or `training.budget_seconds` may reach it; where the wish was too high, lower it in"
ALIKE = (
    "09_audit_fairness shows models that treat the groups more alike, and what each costs: name one as `fairness.mitigation`; "
    "where the difference is for people to accept, say so by `fairness.{key}`."
)


def remedy(name: str) -> str:
    """Return what would have to change for the gate of this name to pass, in sentences."""
    limits = CLASS_LIMITS | NUMBER_LIMITS
    if name in limits:
        return ALIKE.format(key=limits[name][1])
    if name.startswith("success_"):
        return f"{CRITERION} `evaluation.success_criteria`."
    if name.startswith("segment_"):
        return f"{CRITERION} `behaviour.critical_segments`."
    return REMEDIES.get(name, COMMON)
