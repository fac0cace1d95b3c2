"""Drift and data quality of live rows, as tables and sentences."""

from collections.abc import Mapping

import pandas as pd

from gristmill.monitoring.drift.report import DriftReport, FeatureDrift
from gristmill.reporting.wording import count
from gristmill.views.monitoring.reading import LiveRows


def drift_table(report: DriftReport) -> pd.DataFrame:
    """Return a line a column, and one for each class of the predictions, those that drifted first."""
    rows = [_line(one) for one in (*report.features, *report.predictions)]
    columns = ["column", "drifted", "importance", "psi", "kl", "finding"]
    return pd.DataFrame(rows, columns=columns).sort_values(["drifted", "psi"], ascending=False, ignore_index=True)


def _line(one: FeatureDrift) -> tuple[object, ...]:
    """Return the cells of one column."""
    name = f"prediction: {one.name}" if one.kind == "prediction" else one.name
    return name, one.drifted, one.importance, one.measures.get("psi"), one.measures.get("kl"), one.verdict


def drift_words(report: DriftReport) -> str:
    """Return the verdict in a sentence that needs no glossary."""
    if not report.judged:
        few = f"{count(report.rows_window)} {'row is' if report.rows_window == 1 else 'rows are'}"
        return f"Too early to tell: {few} too few to judge drift. {report.why[0][:1].upper()}{report.why[0][1:]}."
    if report.alarm:
        return f"Look at this: {'; '.join(report.why)}."
    return f"Nothing that matters has drifted: {'; '.join(report.why)}."


def quality_table(report: DriftReport) -> pd.DataFrame:
    """Return a line a column: what is missing, outside the training rows' range, or of a level that none of them has.

    ``problem`` is true where that is neither chance nor too little to matter.
    """
    rows = []
    for one in report.features:
        broken = {finding.test for finding in one.findings if _matters(one, finding.test, report)}
        measures = one.measures
        found = [finding.words for finding in one.findings if finding.test in broken]
        rows.append(
            (one.name, bool(broken), measures.get("missing_reference"), measures.get("missing_window"), measures.get("outside"),
             measures.get("new_levels"), "; ".join(found))
        )  # fmt: skip
    columns = ["column", "problem", "missing in training", "missing now", "outside the range", "new levels", "finding"]
    return pd.DataFrame(rows, columns=columns).sort_values("problem", ascending=False, kind="stable", ignore_index=True)


def _matters(column: FeatureDrift, test: str, report: DriftReport) -> bool:
    """Return whether a finding about values themselves, not their distribution, is one that counts."""
    if not report.judged or not column.drifted or test not in ("missing", "outside", "new levels"):
        return False
    return any(one.test == test and one.effect >= one.floor and one.words in column.verdict for one in column.findings)


def quality_words(report: DriftReport, rows: LiveRows) -> list[str]:
    """Return in sentences how live rows stand to the contract that the model was trained on."""
    table = quality_table(report)
    broken = list(table.loc[table["problem"], "column"])
    size = f"{count(len(rows))} rows of version {rows.version}"
    if not report.judged:
        lines = [f"{size}: too few to judge what is missing, out of range or new."]
    elif broken:
        lines = [f"In {size}, {_listed(broken)} {'is' if len(broken) == 1 else 'are'} not as in the training rows."]
    else:
        lines = [f"In {size}, no column has more missing, outlying or new values than the training rows make one expect."]
    return [*lines, *warning_words(rows.warnings, len(rows))]


def warning_words(warnings: Mapping[str, int], n_rows: int, most: int = 5) -> list[str]:
    """Return the warnings that were given with predictions, the commonest first."""
    lines = [f"{count(number)} of {count(n_rows)} rows: {sentence}" for sentence, number in list(warnings.items())[:most]]
    left = len(warnings) - most
    return [*lines, f"{count(left)} other warnings were rarer."] if left > 0 else lines


def _listed(names: list[str], most: int = 5) -> str:
    """Return names in a sentence."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
