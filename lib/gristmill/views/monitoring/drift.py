"""Drift and data quality of live rows, as tables and sentences."""

from collections.abc import Mapping, Sequence

import pandas as pd

from gristmill.monitoring.drift.report import DriftReport, FeatureDrift
from gristmill.monitoring.quality.columns import ColumnQuality
from gristmill.reporting.wording import count
from gristmill.views.monitoring.reading import Held

MOST_SAID = 5
"""Sentences of a kind; a table has the others."""


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


def quality_table(columns: Sequence[ColumnQuality]) -> pd.DataFrame:
    """Return a line a column, those with something wrong first: what is missing, beyond all training values, or never seen."""
    rows = [
        (one.name, one.wrong or "nothing", one.missing, one.missing_before, one.outside, one.new_levels, ", ".join(one.named))
        for one in columns
    ]
    names = ["column", "what is wrong", "missing", "missing in training", "out of range", "new levels", "such as"]
    return pd.DataFrame(rows, columns=names)


def quality_words(held: Held) -> list[str]:
    """Return in sentences how the values of live rows stand to what the model has learnt from."""
    rows, wrong = held.rows, [one for one in held.columns if one.wrong]
    size = f"{count(len(rows))} rows of version {rows.version}"
    if not held.drift.judged:
        lines = [f"{size}: too few to judge what is missing, out of range or new."]
    elif wrong:
        have = "has" if len(wrong) == 1 else "have"
        lines = [f"In {size}, {len(wrong)} of {len(held.columns)} columns {have} values that the model has not learnt from."]
        lines += [f"{one.name!r}: {one.wrong}." for one in wrong[:MOST_SAID]]
    else:
        lines = [f"In {size}, no column has more missing, outlying or unknown values than chance would make."]
    return [*lines, *warning_words(rows.warnings, len(rows))]


def warning_words(warnings: Mapping[str, int], n_rows: int) -> list[str]:
    """Return the warnings that were given with predictions, the commonest first."""
    lines = [f"{count(number)} of {count(n_rows)} rows: {sentence}" for sentence, number in list(warnings.items())[:MOST_SAID]]
    left = len(warnings) - MOST_SAID
    return [*lines, f"{count(left)} other warnings were rarer."] if left > 0 else lines
