"""Rows that try a compiled model where it could go wrong: gaps, levels never seen, extremes, and each border of each tree.

A row is drawn from the training rows; then some of its values are replaced, each by itself, so that combinations occur which no
training row has.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gristmill.features.rows import LARGEST
from gristmill.serving.compiled.answers import Prepared
from gristmill.serving.compiled.blocks import Numbers
from gristmill.serving.compiled.kernels.symmetric import Symmetric
from gristmill.serving.compiled.kernels.trees import TreeText
from gristmill.serving.compiled.plan import Plan
from gristmill.serving.compiled.sources import NumberSource

Floats = NDArray[np.float64]

UNSEEN = "a level that was never seen"
EXTREMES = (0.0, -1.0, 1e9, -1e9, 1e31, -1e31, 1e308, -1e308, 5e-324)
SHARES = {"other": 0.25, "gap": 0.05, "odd": 0.05, "border": 0.30}
"""Share of values that are another training row's, missing, unseen or extreme, and a border or one step beside it."""


def generated_rows(plan: Plan, train: pd.DataFrame, contract: Mapping[str, Any], n_rows: int, random_state: int) -> pd.DataFrame:
    """Return rows for a model, with the columns that its plan reads, in the types of a table.

    Parameters
    ----------
    plan
        The compiled model, whose borders are tried.
    train
        Training rows, in the types of the contract.
    contract
        The data contract.
    n_rows
        How many rows.
    random_state
        Seed of what is drawn.
    """
    rng = np.random.default_rng(random_state)
    kinds = {column["name"]: column["kind"] for column in contract["columns"]}
    near = borders(plan)
    drawn = rng.integers(0, len(train), n_rows)
    columns = {}
    for source in plan.intake.sources:
        name = source.column
        values = train[name].to_numpy()
        other = rng.random(n_rows) < SHARES["other"]
        taken = np.where(other, rng.integers(0, len(train), n_rows), drawn)
        columns[name] = _tried(values[taken], kinds[name], near.get(name, np.empty(0)), rng)
    return pd.DataFrame(columns)


def _tried(values: NDArray[Any], kind: str, near: Floats, rng: np.random.Generator) -> NDArray[Any]:
    """Return values of a column with some of them replaced."""
    gap, odd, border = (rng.random(len(values)) < SHARES[name] for name in ("gap", "odd", "border"))
    if kind == "numeric":
        made = values.astype(np.float64)
        if len(near):
            made[border] = rng.choice(near, int(border.sum()))
        made[odd] = rng.choice(np.array([*EXTREMES, np.inf, -np.inf]), int(odd.sum()))
        made[gap] = np.nan
        return made
    if kind == "date":
        dates = values.astype("datetime64[us]")
        dates[gap] = np.datetime64("NaT")
        return dates
    made = values.astype(object)
    if kind in ("categorical", "text"):
        made[odd] = UNSEEN
    made[gap] = None
    return made


def borders(plan: Plan) -> dict[str, Floats]:
    """Return the numbers at which an answer may jump, and one step to either side of each, by column."""
    sources = [source for source in plan.intake.sources if isinstance(source, NumberSource) and not source.truth]
    names = {source.number: source.column for source in sources}
    found: dict[str, list[Floats]] = {}
    for member in _members(plan.answer):
        numbers = _numbers(member)
        for column, values in _cuts(member.inner):
            name = names.get(numbers.get(column, -1))
            if name is not None:
                found.setdefault(name, []).append(values)
    return {name: _with_steps(np.unique(np.concatenate(values))) for name, values in found.items()}


def _with_steps(cuts: Floats) -> Floats:
    """Return numbers with their neighbours in double and in single precision."""
    cuts = cuts[np.abs(cuts) < LARGEST]
    single = cuts.astype(np.float32)
    steps = [np.nextafter(single, np.float32(end)).astype(np.float64) for end in (-np.inf, np.inf)]
    return np.concatenate([cuts, np.nextafter(cuts, -np.inf), np.nextafter(cuts, np.inf), single.astype(np.float64), *steps])


def _members(part: Any) -> Iterator[Prepared]:
    """Give the members of a model."""
    if isinstance(part, Prepared):
        yield part
    for inner in (*getattr(part, "members", ()), getattr(part, "inner", None)):
        if inner is not None and not isinstance(part, Prepared):
            yield from _members(inner)


def _numbers(member: Prepared) -> dict[int, int]:
    """Return the columns of a member's matrix that are numbers as they come: column -> place of the number."""
    found: dict[int, int] = {}
    start = 0
    for block in member.matrix.blocks:
        if isinstance(block, Numbers) and block.ranks is None and block.curves is None and block.centre is None:
            found |= {start + place: int(number) for place, number in enumerate(block.columns)}
        start += block.width
    return found


def _cuts(part: Any) -> Iterator[tuple[int, Floats]]:
    """Give the columns by which a kernel cuts, with the numbers it cuts at."""
    if isinstance(part, TreeText):
        yield from _of_text(part)
    elif isinstance(part, Symmetric):
        for column in np.unique(part.columns):
            yield int(column), part.borders[part.columns == column]
    for inner in (*getattr(part, "members", ()), getattr(part, "inner", None), getattr(part, "kernel", None)):
        if inner is not None:
            yield from _cuts(inner)


def _of_text(part: TreeText) -> Iterator[tuple[int, Floats]]:
    """Give the columns and numbers by which the trees of a text split."""
    lines = part.text.tobytes().decode("ascii").split("\n")
    words = {key: " ".join(line.removeprefix(f"{key}=") for line in lines if line.startswith(f"{key}=")) for key in _LINES}
    column, threshold, decision = (np.array(words[key].split(), dtype=np.float64) for key in _LINES)
    counted = (decision.astype(np.int64) & 1) == 0
    for place in np.unique(column[counted]):
        yield int(place), np.unique(threshold[counted & (column == place)])


_LINES = ("split_feature", "threshold", "decision_type")
