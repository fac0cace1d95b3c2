"""Which tasks of a case are stale, and why: one sentence for each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gristmill.pipeline.contents import Digests
from gristmill.pipeline.definition import PIPELINE_FILE, Stage, read_stages
from gristmill.pipeline.records import Record, Records, altered_files
from gristmill.pipeline.staleness import Survey, fingerprint_of

_DIGEST_LENGTHS = (16, 64)


@dataclass(frozen=True)
class Decision:
    """What is known about one task before anything runs.

    Attributes
    ----------
    stage
        The task.
    ingredients
        What it depends on now.
    fingerprint
        Digest over the ingredients.
    record
        Its last finished run, or None.
    reasons
        Why it must run, the most telling first; empty if it is fresh.
    inherited
        Whether the only reasons are tasks before it.
    """

    stage: Stage
    ingredients: Mapping[str, str]
    fingerprint: str
    record: Record | None
    reasons: tuple[str, ...]
    inherited: bool

    @property
    def stale(self) -> bool:
        """Whether the task must run."""
        return bool(self.reasons)


def decide(root: Path, case: str, pipeline: str = PIPELINE_FILE) -> dict[str, Decision]:
    """Return the decision about every task of a case, in the order of the DAG.

    Raises
    ------
    CaseFileError
        The case file, the pipeline file or a notebook is missing or wrong.
    """
    survey = Survey(root, case)
    records = Records(root, case)
    decisions: dict[str, Decision] = {}
    for stage in read_stages(root, case, pipeline).values():
        decisions[stage.name] = _decide(stage, survey, records, decisions)
    survey.digests.save()
    return decisions


def _decide(stage: Stage, survey: Survey, records: Records, before: Mapping[str, Decision]) -> Decision:
    """Return the decision about one task, given those about all tasks before it."""
    ingredients = survey.ingredients(stage)
    record = records.read(stage.name)
    own = tuple(_own_reasons(stage, ingredients, records, record, survey.root, survey.digests))
    stale_before = [name for name in stage.upstream if before[name].stale]
    inherited = (f"it reads from {_listed(stale_before)}, which must run first",) if stale_before else ()
    rebuilt = tuple(_rebuilt(stage, record, before)) if record is not None else ()
    return Decision(
        stage=stage,
        ingredients=ingredients,
        fingerprint=fingerprint_of(ingredients),
        record=record,
        reasons=(*own, *rebuilt, *inherited),
        inherited=not own and not rebuilt,
    )


def _own_reasons(
    stage: Stage, ingredients: Mapping[str, str], records: Records, record: Record | None, root: Path, digests: Digests
) -> Iterator[str]:
    """Give the reasons that lie in the task itself."""
    if record is None:
        yield _unfinished(stage, records)
        return
    if fingerprint_of(ingredients) != record.fingerprint:
        yield from compare(record.ingredients, ingredients)
    for name, how in altered_files(root, record, digests):
        yield f"its product {name} was {how}"
    described = set(record.files)
    for product in stage.products.values():
        if str(product.relative_to(root)) not in described:
            yield f"its product {product.relative_to(root)} is new"


def _unfinished(stage: Stage, records: Records) -> str:
    """Say why a task without a record must run."""
    failure = records.read_failure(stage.name)
    if failure is not None:
        return f"it failed when it last ran: {failure.get('summary', 'see its partially executed notebook')}"
    if records.read_previous(stage.name) is not None:
        return "its last run did not finish"
    return "it was never built"


def _rebuilt(stage: Stage, record: Record, before: Mapping[str, Decision]) -> Iterator[str]:
    """Give the tasks before this one that ran since it did."""
    for name in stage.upstream:
        upstream = before[name].record
        if upstream is not None and record.upstream.get(name) not in {None, upstream.run_id}:
            yield f"{name} was rebuilt since"
        elif name not in record.upstream:
            yield f"it reads from {name}, which it did not before"


def compare(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Give one clause for every ingredient that moved, with the values where they are readable."""
    for name in [*(name for name in old if name in new), *(name for name in new if name not in old)]:
        if name not in old:
            yield f"{name} is new{_value(new[name], ' (', ')')}"
        elif old[name] != new[name]:
            change = "" if _is_digest(old[name]) or _is_digest(new[name]) else f" from {_cut(old[name])} to {_cut(new[name])}"
            yield f"{name} changed{change}"
    for name in old:
        if name not in new:
            yield f"{name} is {'no longer read' if name.startswith('the ') else 'gone'}"


def _value(value: str, before: str, after: str) -> str:
    """Return a readable value in its brackets, or nothing for a digest."""
    return "" if _is_digest(value) else before + _cut(value) + after


def _is_digest(value: str) -> bool:
    """Return whether a value is a digest, which says nothing to a person."""
    return len(value) in _DIGEST_LENGTHS and all(sign in "0123456789abcdef" for sign in value)


def _cut(value: str) -> str:
    """Return a value short enough for a sentence."""
    return value if len(value) <= 60 else f"{value[:57]}..."


def _listed(names: list[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
