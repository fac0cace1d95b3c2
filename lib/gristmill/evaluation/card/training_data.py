"""The table the model was built from: which version of it, when it was taken, how good it is, and what was done to its cells."""

from gristmill.evaluation.card import treatment
from gristmill.evaluation.card.evidence import Evidence
from gristmill.evaluation.card.scores import learning
from gristmill.evaluation.card.text import NO_EVIDENCE, blocks, bullets, code, escape_text, plural, table
from gristmill.reporting.wording import count, moment, share

MOST_FINDINGS = 12
"""Findings of quality that the card lists; the report of ``02_validate`` lists all."""


def training_data(evidence: Evidence) -> str:
    """Return where the rows come from, what is known of their quality, and what was done to their cells."""
    evaluation = evidence.evaluation or {}
    rows = (evaluation.get("rows") or {}).get("train")
    seen = f"Training scores are of {plural(rows, 'row')} of it." if rows else ""
    return blocks(
        _source(evidence), _findings(evidence), " ".join(filter(None, (seen, learning(evaluation)))), _treatment(evidence)
    )


def _source(evidence: Evidence) -> str:
    """Return source, version, date, size and quality of the snapshot."""
    snapshot, quality = evidence.snapshot, evidence.quality
    if snapshot is None:
        return f"{NO_EVIDENCE}: `01_ingest` did not run."
    version = f", version {code(snapshot['source_version'])}" if snapshot.get("source_version") else ""
    lines = [
        ("Source", f"{code(snapshot['uri'])}{version}"),
        ("Snapshot", f"{code(snapshot['digest'])}, taken {escape_text(moment(snapshot['ingested_at']))}"),
        ("Rows and columns", f"{count(snapshot['rows'])} \u00d7 {len(snapshot['columns'])}"),
    ]
    parts = (evidence.split or {}).get("rows") or {}
    if parts:
        lines.append(("Split", ", ".join(f"{count(size)} {escape_text(part)}" for part, size in parts.items() if size)))
    if quality is not None:
        lines += [
            ("Completeness", f"{share(quality['completeness'], 2)} of the cells"),
            ("Schema", f"{share(quality['schema_compliance'], 1)} of the columns keep every stop rule"),
            ("Copies of other rows", count(quality["duplicates"])),
            ("Rows without a target", f"{count(quality['missing_target'])}, left out"),
        ]
    lines.append(("About people", "yes" if evidence.case.compliance.personal_data else "no, says the case file"))
    missing = "" if quality is not None else f"{NO_EVIDENCE} about the quality of the rows: `02_validate` did not run."
    return blocks(table(("fact", "value"), lines), missing)


def _findings(evidence: Evidence) -> str:
    """Return what the checks of the data warn of."""
    quality = evidence.quality or {}
    found = [check["message"] for key in ("leakage", "checks") for check in quality.get(key, []) if not check["passed"]]
    if not found:
        return "No check of the data warns." if evidence.quality else ""
    more = [f"{len(found) - MOST_FINDINGS} more in the report of `02_validate`."] if len(found) > MOST_FINDINGS else []
    return blocks("Checks of the data warn:", bullets([*map(escape_text, found[:MOST_FINDINGS]), *more]))


def _treatment(evidence: Evidence) -> str:
    """Return what became of missing values, outliers and duplicates."""
    lines = treatment.lines(evidence.selection, evidence.evaluation)
    policy = treatment.policy_in_words(evidence.case.features, evidence.quality)
    if lines:
        header = ("column", "kind", "missing values", "filled in for", "outliers", "training cells", "test cells")
        keys = ("column", "kind", "missing_values", "filled_by", "outliers", "train", "test")
        shown = table(header, [[escape_text(line[key]) for key in keys] for line in lines])
    elif (evidence.selection or {}).get("treatment"):
        shown = "In no column was a value missing, treated, or of a level never seen."
    else:
        shown = f"{NO_EVIDENCE}: `06_select` counted nothing."
    learnt = "Limits and fill values were learnt from training rows alone and are part of the model."
    return blocks("### Missing values, outliers and duplicates", f"{policy} {learnt}", shown)
