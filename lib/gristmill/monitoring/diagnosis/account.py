"""What a diagnosis found, as data, as text and as a page."""

from dataclasses import dataclass
from typing import Any

from gristmill.monitoring.diagnosis.segments import Segment
from gristmill.monitoring.drift.report import DriftReport

CONCEPT = "concept change"

_HOW = (
    "A share is what goes away when the columns' values are taken from reference rows that are alike in all columns not in doubt; "
    "a concept change is what stays. Shares need not add up, and vary by chance."
)
FORMAT = 1


@dataclass(frozen=True)
class Cause:
    """Something that may be why the model got worse.

    Attributes
    ----------
    kind
        A kind of fault of the data, or ``concept change``: what no substitution explains.
    columns
        The columns concerned.
    explained
        Share of the additional loss that goes away when the columns' values are substituted; of a concept change, the share that
        stays when all columns in doubt are. May lie outside 0 to 1 by chance.
    words
        What speaks for it.
    todo
        What to do next.
    """

    kind: str
    columns: tuple[str, ...]
    explained: float
    words: str
    todo: str

    def to_record(self) -> dict[str, Any]:
        """Return the cause as JSON-able data."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "explained": self.explained,
            "words": self.words,
            "todo": self.todo,
        }


@dataclass(frozen=True)
class Diagnosis:
    """Why a model lost more in a window than on the reference rows.

    Attributes
    ----------
    model
        Name of its case.
    metric
        The loss: ``log_loss`` or ``mse``.
    before, after
        Mean loss on the reference and in the window.
    error
        Standard error of the difference.
    rows
        Labelled rows of reference and window.
    causes
        The likeliest first; faults of the data are named even where the model is not worse.
    segments
        Where the loss rose most.
    drift
        The window beside the reference rows.
    window
        Where the window's rows come from, in words; empty where it is not said.
    """

    model: str
    metric: str
    before: float
    after: float
    error: float
    rows: tuple[int, int]
    causes: tuple[Cause, ...]
    segments: tuple[Segment, ...]
    drift: DriftReport
    window: str = ""

    @property
    def worse(self) -> bool:
        """Whether the loss rose by more than chance would make it."""
        return self.after - self.before > 2 * self.error

    @property
    def sentence(self) -> str:
        """The result in a sentence."""
        change = f"{self.metric} {self.after:.4g}, was {self.before:.4g}"
        if not self.worse:
            more = f" Its data have a fault all the same: {self.causes[0].words}." if self.causes else ""
            return f"The model is not worse in this window than chance allows: {change}.{more}"
        first = self.causes[0]
        share = f"{100 * min(max(first.explained, 0), 1):.0f} % of the additional loss"
        return f"The model got worse: {change}. First cause: {first.kind}, {share}: {first.words}."

    def to_record(self) -> dict[str, Any]:
        """Return the diagnosis as JSON-able data."""
        return {
            "format": FORMAT,
            "model": self.model,
            "metric": self.metric,
            "before": self.before,
            "after": self.after,
            "error": self.error,
            "worse": self.worse,
            "rows": {"reference": self.rows[0], "window": self.rows[1]},
            "window": self.window,
            "causes": [one.to_record() for one in self.causes],
            "segments": [one.to_record() for one in self.segments],
            "drift": self.drift.to_record(),
        }


def as_markdown(found: Diagnosis) -> str:
    """Return the diagnosis as a text for people."""
    lines = [f"> {found.sentence}", "", "## Causes", ""]
    if found.causes:
        lines += ["| cause | of the additional loss | what speaks for it | what to do |", "|---|---|---|---|"]
        lines += [f"| {one.kind} | {100 * one.explained:.0f} % | {_cell(one.words)} | {_cell(one.todo)} |" for one in found.causes]
        lines += ["", _HOW]
    else:
        lines += ["The data have no fault, and the model is not worse."]
    lines += ["", "## Data", "", "| column | verdict |", "|---|---|"]
    lines += [f"| {_cell(one.name)} | {_cell(one.verdict)} |" for one in found.drift.features]
    lines += ["", "## Where the loss rose", "", "| rows | how many | loss | was | share of the increase |", "|---|---|---|---|---|"]
    lines += [
        f"| {_cell(one.words)} | {one.rows:,} | {one.after:.4g} | {one.before:.4g} | {100 * one.share:.0f} % |"
        for one in found.segments
    ]
    whence = f" ({_cell(found.window)})" if found.window else ""
    lines += ["", f"{found.rows[1]:,} labelled rows of the window{whence} beside {found.rows[0]:,} reference rows."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def as_page(found: Diagnosis) -> str:
    """Return the diagnosis as a page of the reports."""
    from gristmill.reporting.documents import markdown_page  # noqa: PLC0415

    tone = "bad" if found.worse else "good"
    return markdown_page(as_markdown(found), title="Diagnosis", case=found.model, tone=tone)
